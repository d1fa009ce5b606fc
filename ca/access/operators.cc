#include "ca/access/operators.h"

#include <algorithm>

#include "ca/base/rules.h"
#include "ca/model/hierarchy_declaration.h"

namespace ca {
namespace {

bool IsAdminOverAll(const Grant& grant) {
  return grant.role == Role::kAdmin && !grant.hierarchy && grant.tenant.empty();
}

}  // namespace

std::string ScopeText(const Grant& grant, const Catalog& catalog) {
  if (!grant.tenant.empty()) return grant.tenant + "/*";
  if (!grant.hierarchy) return "*";
  const auto hierarchy = catalog.Find(*grant.hierarchy);
  return hierarchy ? hierarchy->name() : "?";
}

Result<std::vector<OperatorGrant>> Operators::List(const Call& call) const {
  const auto catalog = catalogs_.Snapshot();
  const auto allowed =
      TRY(authorization_.Allowed(call.caller(), Action::kListGrants, catalog->hierarchies()));
  if (allowed.empty()) TRY(authorization_.RequireOverAll(call.caller(), Action::kListGrants));
  // An auditor of a hierarchy sees every grant that covers the hierarchy.
  const auto is_seen = [&](const Grant& grant) {
    return std::any_of(allowed.begin(), allowed.end(), [&](HierarchyId id) {
      if (grant.hierarchy) return *grant.hierarchy == id;
      return grant.tenant.empty() || grant.tenant == catalog->Find(id)->hierarchy().tenant;
    });
  };
  std::vector<OperatorGrant> grants = TRY(registry_.ListGrants());
  std::erase_if(grants, [&](const OperatorGrant& of) { return !is_seen(of.grant); });
  return grants;
}

Result<Recorded<OperatorGrant>> Operators::Add(Call& call, const std::string& operator_name,
                                               Role role, const GrantScope& scope) const {
  OperatorGrant added = TRY(Authorized(call, Action::kAddGrant, operator_name, role, scope));
  if (added.grant.hierarchy) TRY(RequireApproval(call, added));
  auto recorded = TRY(registry_.AddGrant(added.operator_id, added.grant, call.event()));
  return Recorded(std::move(recorded), std::move(added));
}

// A grant that exists already changes nothing, and needs no approval.
Status Operators::RequireApproval(Call& call, const OperatorGrant& added) const {
  constexpr ApprovalKind kKind = ApprovalKind::kPolicyWidening;
  const std::vector<OperatorGrant> grants = TRY(registry_.ListGrants());
  const bool has_it = std::any_of(grants.begin(), grants.end(), [&](const OperatorGrant& of) {
    return of.operator_id == added.operator_id && of.grant == added.grant;
  });
  if (has_it) return Ok();
  const auto catalog = catalogs_.Snapshot();
  const std::string id = added.operator_id.ToString();
  const std::string role(NameOf(added.grant.role));
  const std::string over = ScopeText(added.grant, *catalog);
  return approvals_.Require(call, *added.grant.hierarchy,
                            {.kind = kKind,
                             .digest = DigestOf(kKind, {"grant", id, role, over}),
                             .changes = {fmt::format("{} becomes {} over {}", id, role, over)}});
}

Result<Recorded<OperatorGrant>> Operators::Remove(Call& call, const std::string& operator_name,
                                                  Role role, const GrantScope& scope) const {
  OperatorGrant removed = TRY(Authorized(call, Action::kRemoveGrant, operator_name, role, scope));
  if (IsAdminOverAll(removed.grant)) TRY(CheckNotLastAdmin(removed));
  auto recorded = TRY(registry_.RemoveGrant(removed.operator_id, removed.grant, call.event()));
  return Recorded(std::move(recorded), std::move(removed));
}

Result<OperatorGrant> Operators::Authorized(Call& call, Action action,
                                            const std::string& operator_name, Role role,
                                            const GrantScope& scope) const {
  call.event().subject = Printable(operator_name);
  if (!scope.hierarchy.empty() && !scope.tenant.empty()) {
    return Error(StatusCode::kInvalidArgument,
                 "hierarchy, tenant: write one of them, or neither for all there are");
  }
  const auto catalog = catalogs_.Snapshot();
  const auto system = TRY(catalog->System());
  Grant grant{.role = role, .hierarchy = std::nullopt, .tenant = scope.tenant};
  if (!scope.hierarchy.empty()) {
    const auto hierarchy = TRY(catalog->FindByName(scope.hierarchy));
    call.event().hierarchy = hierarchy->id();
    TRY(authorization_.Require(call.caller(), action, hierarchy->id()));
    grant.hierarchy = hierarchy->id();
  } else if (!scope.tenant.empty()) {
    TRY(authorization_.RequireOverTenant(call.caller(), action, scope.tenant));
  } else {
    TRY(authorization_.RequireOverAll(call.caller(), action));
  }
  const auto id = OperatorIdOf(system->hierarchy(), operator_name);
  if (!id.ok()) return Annotate(id.status(), "operator: ");
  call.event().hierarchy = system->id();  // operators are registered there
  call.event().subject = id->ToString();
  call.event().reason = fmt::format("{} over {}", NameOf(role), ScopeText(grant, *catalog));
  return OperatorGrant{*id, std::move(grant)};
}

Status Operators::CheckNotLastAdmin(const OperatorGrant& removed) const {
  const std::vector<OperatorGrant> grants = TRY(registry_.ListGrants());
  const bool has_another = std::any_of(grants.begin(), grants.end(), [&](const OperatorGrant& of) {
    return IsAdminOverAll(of.grant) && of.operator_id != removed.operator_id;
  });
  if (has_another) return Ok();
  return Refusal<kGrantLastAdmin>(removed.operator_id.ToString());
}

}  // namespace ca
