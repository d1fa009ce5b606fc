#pragma once

#include <chrono>
#include <string_view>

#include "ca/base/result.h"

namespace ca {

// What takes two operators: one asks for it, another approves (ca/access/approvals.h).
enum class ApprovalKind {
  kRootRotation,         // a new root
  kDestruction,          // the end of a hierarchy
  kPolicyWidening,       // whatever lets more happen than before (ca/hierarchies/policy_widening.h)
  kAuthorityRevocation,  // of a CA's certificate, or of all that an issuing authority has issued
};

std::string_view NameOf(ApprovalKind kind);  // root-rotation, destruction, ...
// kInvalidArgument, naming the kinds there are.
Result<ApprovalKind> ApprovalKindFrom(std::string_view name);

// Which of them takes two in a hierarchy, and for how long one stays asked for.
struct ApprovalPolicy {
  static constexpr std::chrono::seconds kExpireAfterMin = std::chrono::minutes(5);
  static constexpr std::chrono::seconds kExpireAfterMax = std::chrono::hours(24 * 30);

  bool root_rotation = true;
  bool destruction = true;
  bool policy_widening = true;
  bool authority_revocation = true;
  std::chrono::seconds expire_after = std::chrono::hours(24);

  // Nothing takes two.
  static ApprovalPolicy Off() {
    return {.root_rotation = false,
            .destruction = false,
            .policy_widening = false,
            .authority_revocation = false};
  }

  bool Asks(ApprovalKind kind) const;
  bool AsksForAny() const;

  // Whether something that takes two by this takes one by `wanted`, or may be used for longer.
  bool IsLoosenedBy(const ApprovalPolicy& wanted) const;

  friend bool operator==(const ApprovalPolicy&, const ApprovalPolicy&) = default;
};

}  // namespace ca
