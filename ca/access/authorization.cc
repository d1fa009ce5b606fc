#include "ca/access/authorization.h"

#include <algorithm>
#include <array>
#include <initializer_list>

#include "ca/base/rules.h"

namespace ca {
namespace {

struct ActionRule {
  Action action;
  std::string_view name;
  std::initializer_list<Role> roles;  // that may do it; an admin may do everything
};

constexpr std::initializer_list<Role> kNobodyElse = {};
constexpr std::initializer_list<Role> kRegistrars = {Role::kRegistrar};
constexpr std::initializer_list<Role> kRevokers = {Role::kRevoker};
constexpr std::initializer_list<Role> kCheckers = {Role::kRevoker, Role::kAuditor};
constexpr std::initializer_list<Role> kAuditors = {Role::kAuditor};
constexpr std::initializer_list<Role> kReaders = {Role::kRegistrar, Role::kRevoker, Role::kAuditor};

constexpr auto kRules = std::to_array<ActionRule>({
    {Action::kEnroll, "Enroll", kNobodyElse},
    {Action::kRenew, "Renew", kNobodyElse},
    {Action::kRegisterAgent, "RegisterAgent", kRegistrars},
    {Action::kGetAgent, "GetAgent", kReaders},
    {Action::kListAgents, "ListAgents", kReaders},
    {Action::kCreateJoinToken, "CreateJoinToken", kRegistrars},
    {Action::kListJoinTokens, "ListJoinTokens", kReaders},
    {Action::kRevokeJoinToken, "RevokeJoinToken", kRegistrars},
    {Action::kGetCertificate, "GetCertificate", kReaders},
    {Action::kListCertificates, "ListCertificates", kReaders},
    {Action::kGetStatus, "GetStatus", kReaders},
    {Action::kRevoke, "Revoke", kRevokers},
    {Action::kPreviewRevocation, "PreviewRevocation", kRevokers},
    {Action::kCheckStatus, "CheckStatus", kCheckers},
    {Action::kListAuthorities, "ListAuthorities", kReaders},
    {Action::kPrepareAuthority, "PrepareAuthority", kNobodyElse},
    {Action::kActivateAuthority, "ActivateAuthority", kNobodyElse},
    {Action::kRollBackAuthority, "RollBackAuthority", kNobodyElse},
    {Action::kTaintAuthority, "TaintAuthority", kNobodyElse},
    {Action::kRevokeAuthority, "RevokeAuthority", kNobodyElse},
    {Action::kCreateCertificationRequest, "CreateCertificationRequest", kNobodyElse},
    {Action::kImportAuthority, "ImportAuthority", kNobodyElse},
    {Action::kListHierarchies, "ListHierarchies", kReaders},
    {Action::kGetHierarchy, "GetHierarchy", kReaders},
    {Action::kPlanHierarchy, "PlanHierarchy", kReaders},
    {Action::kApplyHierarchy, "ApplyHierarchy", kNobodyElse},
    {Action::kDestroyHierarchy, "DestroyHierarchy", kNobodyElse},
    {Action::kListDestructions, "ListDestructions", kReaders},
    {Action::kListGrants, "ListGrants", kAuditors},
    {Action::kAddGrant, "AddGrant", kNobodyElse},
    {Action::kRemoveGrant, "RemoveGrant", kNobodyElse},
    {Action::kDiagnose, "Diagnose", kAuditors},
    // The roles are needed for another hierarchy than the caller's own, which needs none.
    {Action::kGetTrustBundle, "GetTrustBundle", kReaders},
    {Action::kWatchTrustBundle, "WatchTrustBundle", kReaders},
    {Action::kAcknowledgeTrustBundle, "AcknowledgeTrustBundle", kNobodyElse},
    {Action::kListStragglers, "ListStragglers", kReaders},
    {Action::kListEnrollmentRequests, "ListEnrollmentRequests", kAuditors},
    {Action::kListApprovals, "ListApprovals", kReaders},
    {Action::kApproveChange, "ApproveChange", kNobodyElse},
    {Action::kDenyChange, "DenyChange", kNobodyElse},
    // An operator that has lost the role for a change may still withdraw its own request.
    {Action::kWithdrawApproval, "WithdrawApproval", kReaders},
});

const ActionRule& RuleOf(Action action) { return kRules.at(static_cast<size_t>(action)); }

bool Allows(Role role, const ActionRule& rule) {
  return role == Role::kAdmin ||
         std::find(rule.roles.begin(), rule.roles.end(), role) != rule.roles.end();
}

bool Grants(const Grant& grant, const ActionRule& rule, HierarchyId hierarchy) {
  const bool covers = grant.hierarchy ? *grant.hierarchy == hierarchy : grant.tenant.empty();
  return covers && Allows(grant.role, rule);
}

// Over all present and future hierarchies of the tenant.
bool GrantsOverTenant(const Grant& grant, const ActionRule& rule, const std::string& tenant) {
  const bool covers = grant.tenant.empty() ? !grant.hierarchy : grant.tenant == tenant;
  return covers && Allows(grant.role, rule);
}

std::string RolesOf(const ActionRule& rule) {
  std::string names(NameOf(Role::kAdmin));
  for (const Role role : rule.roles) names += fmt::format(", {}", NameOf(role));
  return names;
}

Status CheckNamed(const Caller& caller) {
  if (caller.id) return Ok();
  return Refusal<kCallerAnonymous>("an operator's (agentpki --identity DIR)");
}

}  // namespace

std::string_view NameOf(Action action) { return RuleOf(action).name; }
bool IsForStrangers(Action action) { return action == Action::kEnroll; }

Status Authorization::Require(const Caller& caller, Action action, HierarchyId hierarchy) const {
  return RequireAny(caller, action, "the hierarchy",
                    [&](const Grant& grant) { return Grants(grant, RuleOf(action), hierarchy); });
}

Status Authorization::RequireOverTenant(const Caller& caller, Action action,
                                        const std::string& tenant) const {
  return RequireAny(caller, action, "the tenant or over all", [&](const Grant& grant) {
    return GrantsOverTenant(grant, RuleOf(action), tenant);
  });
}

Status Authorization::RequireOverAll(const Caller& caller, Action action) const {
  return RequireAny(caller, action, "all hierarchies", [&](const Grant& grant) {
    return !grant.hierarchy && grant.tenant.empty() && Allows(grant.role, RuleOf(action));
  });
}

template <typename Suffices>
Status Authorization::RequireAny(const Caller& caller, Action action, std::string_view over,
                                 Suffices suffices) const {
  TRY(CheckNamed(caller));
  const std::vector<Grant> grants = TRY(registry_.FindGrants(*caller.id));
  if (std::any_of(grants.begin(), grants.end(), suffices)) return Ok();
  return Refusal<kCallerRole>(caller.Name(), NameOf(action), RolesOf(RuleOf(action)), over);
}

template <typename Hierarchies, typename HierarchyOf>
Result<std::vector<HierarchyId>> Authorization::AllowedAmong(const Caller& caller, Action action,
                                                             const Hierarchies& hierarchies,
                                                             HierarchyOf hierarchy_of) const {
  TRY(CheckNamed(caller));
  const std::vector<Grant> grants = TRY(registry_.FindGrants(*caller.id));
  std::vector<HierarchyId> allowed;
  for (const auto& each : hierarchies) {
    const Hierarchy& hierarchy = hierarchy_of(each);
    if (std::any_of(grants.begin(), grants.end(), [&](const Grant& grant) {
          return Grants(grant, RuleOf(action), hierarchy.id) ||
                 GrantsOverTenant(grant, RuleOf(action), hierarchy.tenant);
        })) {
      allowed.push_back(hierarchy.id);
    }
  }
  return allowed;
}

Result<std::vector<HierarchyId>> Authorization::Allowed(
    const Caller& caller, Action action, const std::vector<Hierarchy>& hierarchies) const {
  return AllowedAmong(caller, action, hierarchies,
                      [](const Hierarchy& hierarchy) -> const Hierarchy& { return hierarchy; });
}

Result<std::vector<HierarchyId>> Authorization::Allowed(
    const Caller& caller, Action action,
    const std::vector<HierarchySnapshotPtr>& hierarchies) const {
  return AllowedAmong(caller, action, hierarchies,
                      [](const HierarchySnapshotPtr& hierarchy) -> const Hierarchy& {
                        return hierarchy->hierarchy();
                      });
}

}  // namespace ca
