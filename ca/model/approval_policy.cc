#include "ca/model/approval_policy.h"

#include <algorithm>
#include <array>
#include <string>

namespace ca {
namespace {

struct Named {
  ApprovalKind kind;
  std::string_view name;
};
constexpr std::array<Named, 4> kKinds = {{
    {ApprovalKind::kRootRotation, "root-rotation"},
    {ApprovalKind::kDestruction, "destruction"},
    {ApprovalKind::kPolicyWidening, "policy-widening"},
    {ApprovalKind::kAuthorityRevocation, "authority-revocation"},
}};

}  // namespace

std::string_view NameOf(ApprovalKind kind) { return kKinds.at(static_cast<size_t>(kind)).name; }

Result<ApprovalKind> ApprovalKindFrom(std::string_view name) {
  std::string names;
  for (const Named& of : kKinds) {
    if (of.name == name) return of.kind;
    names += fmt::format("{}{}", names.empty() ? "" : ", ", of.name);
  }
  return Error(StatusCode::kInvalidArgument, "'{}' is none of {}", Printable(name), names);
}

bool ApprovalPolicy::Asks(ApprovalKind kind) const {
  switch (kind) {
    case ApprovalKind::kRootRotation:
      return root_rotation;
    case ApprovalKind::kDestruction:
      return destruction;
    case ApprovalKind::kPolicyWidening:
      return policy_widening;
    case ApprovalKind::kAuthorityRevocation:
      return authority_revocation;
  }
  return true;
}

bool ApprovalPolicy::AsksForAny() const {
  return std::any_of(kKinds.begin(), kKinds.end(), [&](const Named& of) { return Asks(of.kind); });
}

bool ApprovalPolicy::IsLoosenedBy(const ApprovalPolicy& wanted) const {
  const bool drops_one = std::any_of(kKinds.begin(), kKinds.end(), [&](const Named& of) {
    return Asks(of.kind) && !wanted.Asks(of.kind);
  });
  return drops_one || (AsksForAny() && wanted.expire_after > expire_after);
}

}  // namespace ca
