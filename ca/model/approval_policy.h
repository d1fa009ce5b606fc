#pragma once

#include <chrono>
#include <string_view>

#include "ca/base/result.h"

namespace ca {

// The kinds of changes that can take two operators: one requests it, another approves it
// (ca/access/approvals.h).
enum class ApprovalKind {
  kRootRotation,         // making a new root
  kDestruction,          // ending a hierarchy
  kPolicyWidening,       // allowing more than before (ca/model/hierarchy_fields.h)
  kAuthorityRevocation,  // revoking a CA's certificate, or all that an issuing authority has issued
};

std::string_view NameOf(ApprovalKind kind);  // root-rotation, destruction, ...
// kInvalidArgument names the kinds that exist.
Result<ApprovalKind> ApprovalKindFrom(std::string_view name);

// Says for one hierarchy which kinds of changes take two operators, and when a request expires.
struct ApprovalPolicy {
  static constexpr std::chrono::seconds kExpireAfterMin = std::chrono::minutes(5);
  static constexpr std::chrono::seconds kExpireAfterMax = std::chrono::hours(24 * 30);

  bool root_rotation = true;
  bool destruction = true;
  bool policy_widening = true;
  bool authority_revocation = true;
  std::chrono::seconds expire_after = std::chrono::hours(24);

  // No change takes two operators.
  static ApprovalPolicy Off() {
    return {.root_rotation = false,
            .destruction = false,
            .policy_widening = false,
            .authority_revocation = false};
  }

  bool Asks(ApprovalKind kind) const;
  bool AsksForAny() const;

  // Says whether `wanted` lets one operator do something that takes two here, or lets an approval
  // live longer.
  bool IsLoosenedBy(const ApprovalPolicy& wanted) const;

  friend bool operator==(const ApprovalPolicy&, const ApprovalPolicy&) = default;
};

}  // namespace ca
