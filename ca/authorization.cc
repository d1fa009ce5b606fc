#include "ca/authorization.h"

#include <algorithm>
#include <array>
#include <initializer_list>

namespace ca {
namespace {

struct ActionRule {
  Action action;
  std::string_view name;
  std::initializer_list<Role> roles;  // which may; an admin may anything
  bool records_itself;
};

constexpr std::initializer_list<Role> kNobodyElse = {};
constexpr std::initializer_list<Role> kRegistrars = {Role::kRegistrar};
constexpr std::initializer_list<Role> kRevokers = {Role::kRevoker};
constexpr std::initializer_list<Role> kCheckers = {Role::kRevoker, Role::kAuditor};
constexpr std::initializer_list<Role> kReaders = {Role::kRegistrar, Role::kRevoker, Role::kAuditor};

constexpr std::array<ActionRule, 22> kRules = {{
    {Action::kEnroll, "Enroll", kNobodyElse, true},
    {Action::kRenew, "Renew", kNobodyElse, true},
    {Action::kRegisterAgent, "RegisterAgent", kRegistrars, true},
    {Action::kGetAgent, "GetAgent", kReaders, false},
    {Action::kListAgents, "ListAgents", kReaders, false},
    {Action::kCreateJoinToken, "CreateJoinToken", kRegistrars, true},
    {Action::kListJoinTokens, "ListJoinTokens", kReaders, false},
    {Action::kRevokeJoinToken, "RevokeJoinToken", kRegistrars, true},
    {Action::kGetCertificate, "GetCertificate", kReaders, false},
    {Action::kListCertificates, "ListCertificates", kReaders, false},
    {Action::kGetStatus, "GetStatus", kReaders, false},
    {Action::kRevoke, "Revoke", kRevokers, true},
    {Action::kPreviewRevocation, "PreviewRevocation", kRevokers, false},
    {Action::kCheckStatus, "CheckStatus", kCheckers, false},
    {Action::kListAuthorities, "ListAuthorities", kReaders, false},
    {Action::kPrepareAuthority, "PrepareAuthority", kNobodyElse, false},
    {Action::kActivateAuthority, "ActivateAuthority", kNobodyElse, true},
    {Action::kRollBackAuthority, "RollBackAuthority", kNobodyElse, true},
    // Of another hierarchy than the caller's own; for that it takes no role.
    {Action::kGetTrustBundle, "GetTrustBundle", kReaders, false},
    {Action::kWatchTrustBundle, "WatchTrustBundle", kReaders, false},
    {Action::kAcknowledgeTrustBundle, "AcknowledgeTrustBundle", kNobodyElse, true},
    {Action::kListStragglers, "ListStragglers", kReaders, false},
}};

const ActionRule& RuleOf(Action action) { return kRules.at(static_cast<size_t>(action)); }

bool Grants(const Grant& grant, const ActionRule& rule, HierarchyId hierarchy) {
  if (grant.hierarchy && *grant.hierarchy != hierarchy) return false;
  return grant.role == Role::kAdmin ||
         std::find(rule.roles.begin(), rule.roles.end(), grant.role) != rule.roles.end();
}

std::string RolesOf(const ActionRule& rule) {
  std::string names(NameOf(Role::kAdmin));
  for (const Role role : rule.roles) names += fmt::format(", {}", NameOf(role));
  return names;
}

Status CheckNamed(const Caller& caller) {
  if (caller.id) return Ok();
  return Refusal(StatusCode::kUnauthenticated, "caller.anonymous",
                 "show a client certificate of an operator: agentpki --identity DIR");
}

}  // namespace

std::string_view NameOf(Action action) { return RuleOf(action).name; }
bool RecordsItself(Action action) { return RuleOf(action).records_itself; }
bool IsForStrangers(Action action) { return action == Action::kEnroll; }

Status Authorization::Require(const Caller& caller, Action action, HierarchyId hierarchy) const {
  TRY(CheckNamed(caller));
  const ActionRule& rule = RuleOf(action);
  const std::vector<Grant> grants = TRY(registry_.FindGrants(*caller.id));
  if (std::any_of(grants.begin(), grants.end(),
                  [&](const Grant& grant) { return Grants(grant, rule, hierarchy); })) {
    return Ok();
  }
  return Refusal(StatusCode::kPermissionDenied, "caller.role",
                 "{} may not {}; it needs one of the roles {} over the hierarchy", caller.Name(),
                 rule.name, RolesOf(rule));
}

Result<std::vector<HierarchyId>> Authorization::Allowed(
    const Caller& caller, Action action, const std::vector<Hierarchy>& hierarchies) const {
  TRY(CheckNamed(caller));
  const std::vector<Grant> grants = TRY(registry_.FindGrants(*caller.id));
  std::vector<HierarchyId> allowed;
  for (const Hierarchy& hierarchy : hierarchies) {
    if (std::any_of(grants.begin(), grants.end(), [&](const Grant& grant) {
          return Grants(grant, RuleOf(action), hierarchy.id);
        })) {
      allowed.push_back(hierarchy.id);
    }
  }
  return allowed;
}

}  // namespace ca
