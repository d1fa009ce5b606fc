#include "ca/hierarchies/hierarchies.h"

#include <algorithm>
#include <map>
#include <utility>

#include "ca/base/rules.h"
#include "ca/model/hierarchy_fields.h"

namespace ca {
namespace {

// Each role of each operator.
std::set<std::pair<std::string, Role>> EachRole(const std::vector<OperatorRoles>& operators) {
  std::set<std::pair<std::string, Role>> each;
  for (const OperatorRoles& of : operators) {
    for (const Role role : of.roles) each.emplace(of.name, role);
  }
  return each;
}

}  // namespace

// ---- reading ------------------------------------------------------------------------------------

Result<std::vector<HierarchyDeclaration>> Hierarchies::List(const Call& call) const {
  const auto catalog = catalogs_.Snapshot();
  const auto allowed =
      TRY(authorization_.Allowed(call.caller(), Action::kListHierarchies, catalog->hierarchies()));
  if (allowed.empty()) TRY(authorization_.Require(call.caller(), Action::kListHierarchies, {}));
  std::vector<HierarchyDeclaration> declarations;
  for (const HierarchyId id : allowed) {
    const Hierarchy& hierarchy = catalog->Find(id)->hierarchy();
    auto operators = TRY(OperatorsOf(*catalog, hierarchy));
    declarations.push_back({hierarchy, std::move(operators)});
  }
  return declarations;
}

Result<HierarchyDeclaration> Hierarchies::Get(Call& call, const std::string& name) const {
  call.event().subject = Printable(name);
  const auto catalog = catalogs_.Snapshot();
  const auto hierarchy = TRY(catalog->FindByName(name));
  call.event().hierarchy = hierarchy->id();
  TRY(authorization_.Require(call.caller(), Action::kGetHierarchy, hierarchy->id()));
  auto operators = TRY(OperatorsOf(*catalog, hierarchy->hierarchy()));
  return HierarchyDeclaration{hierarchy->hierarchy(), std::move(operators)};
}

Result<std::vector<OperatorRoles>> Hierarchies::OperatorsOf(const Catalog& catalog,
                                                            const Hierarchy& hierarchy) const {
  const auto system = TRY(catalog.System());
  const std::vector<OperatorGrant> grants = TRY(registry_.ListGrants());
  std::map<std::string, std::set<Role>> roles;
  for (const OperatorGrant& of : grants) {
    if (of.grant.hierarchy != hierarchy.id) continue;
    roles[OperatorNameOf(system->hierarchy(), of.operator_id)].insert(of.grant.role);
  }
  std::vector<OperatorRoles> operators;
  for (auto& [name, of] : roles) operators.push_back({name, std::move(of)});
  return operators;
}

// ---- planning -----------------------------------------------------------------------------------

Result<HierarchyPlan> Hierarchies::Plan(Call& call, const HierarchyDeclaration& wanted) const {
  const Planned planned = TRY(Check(call, Action::kPlanHierarchy, wanted));
  return PlanOf(planned.standing, wanted);
}

Result<Hierarchies::Planned> Hierarchies::Check(Call& call, Action action,
                                                const HierarchyDeclaration& wanted) const {
  TRY(wanted.Validate());
  call.event().subject = wanted.hierarchy.Name();
  auto catalog = catalogs_.Snapshot();
  const auto named = catalog->FindByName(wanted.hierarchy.Name());
  if (!named.ok()) {
    TRY(authorization_.RequireOverTenant(call.caller(), action, wanted.hierarchy.tenant));
    if (catalog->FindByTrustDomain(wanted.hierarchy.trust_domain).ok()) {
      return Error(StatusCode::kAlreadyExists, "trust_domain: another hierarchy has {}",
                   wanted.hierarchy.trust_domain.name());
    }
  } else {
    const Hierarchy& standing = (*named)->hierarchy();
    call.event().hierarchy = standing.id;
    TRY(authorization_.Require(call.caller(), action, standing.id));
    if (standing.is_system) {
      return Refusal<kHierarchySystem>(standing.Name(),
                                       "the server's configuration describes it, not a file");
    }
    TRY(CheckChange(standing, wanted.hierarchy));
    TRY(CheckRootsLeft(**named, wanted.hierarchy));
  }
  TRY(CheckToken(wanted.hierarchy, keys_));
  const auto system = TRY(catalog->System());
  TRY(CheckOperators(system->hierarchy(), wanted));
  if (!named.ok()) return Planned{std::move(catalog), std::nullopt};
  const Hierarchy& standing = (*named)->hierarchy();
  auto operators = TRY(OperatorsOf(*catalog, standing));
  HierarchyDeclaration declaration{standing, std::move(operators)};
  return Planned{std::move(catalog), std::move(declaration)};
}

// An external root has to stay as long as an authority of ours is under it: relying parties without
// it would refuse the certificates of that authority.
Status Hierarchies::CheckRootsLeft(const HierarchySnapshot& standing,
                                   const Hierarchy& wanted) const {
  const TimePoint now = clock_.Now();
  for (const AuthorityView& view : standing.ViewsAt(now)) {
    const AuthorityRecord* const root = standing.FindRecord(view.record.issuer);
    const bool is_needed = view.record.kind == AuthorityKind::kIssuing && IsAskedAbout(view, now) &&
                           root && root->IsExternalRoot();
    if (!is_needed || wanted.TrustsExternalRoot(root->certificate)) continue;
    return Refusal<kRootInUse>(view.name, Hex(Sha256(root->certificate)));
  }
  return Ok();
}

Status Hierarchies::CheckOperators(const Hierarchy& system,
                                   const HierarchyDeclaration& wanted) const {
  for (const OperatorRoles& of : wanted.operators) {
    const auto id = OperatorIdOf(system, of.name);
    if (!id.ok()) return Annotate(id.status(), "operators: ");
    if (OperatorNameOf(system, *id) != of.name) {
      return Error(StatusCode::kInvalidArgument, "operators: {}: write {}", of.name,
                   OperatorNameOf(system, *id));
    }
    const auto agent = registry_.FindAgent(system.id, *id);
    if (agent.status().code() == StatusCode::kNotFound) {
      return Error(StatusCode::kNotFound,
                   "operators: {} is not registered; run: agentpki agent register {} --owner TEAM",
                   Printable(of.name), id->ToString());
    }
    TRY(agent.status());
  }
  return Ok();
}

// ---- applying -----------------------------------------------------------------------------------

Result<Recorded<Hierarchies::Applied>> Hierarchies::Apply(Call& call,
                                                          const HierarchyDeclaration& wanted,
                                                          const std::string& plan_digest) {
  // Another replica may have changed the hierarchy just now, and with it what takes two operators.
  TRY(catalogs_.Reload());
  const Planned planned = TRY(Check(call, Action::kApplyHierarchy, wanted));
  const std::optional<HierarchyDeclaration>& standing = planned.standing;
  HierarchyPlan plan = PlanOf(standing, wanted);
  if (!plan_digest.empty() && plan_digest != Hex(plan.digest)) {
    return Refusal<kHierarchyPlanStale>(plan.hierarchy);
  }
  if (plan.needs_approval) {
    TRY(approvals_.RequireAlways(
        call, standing->hierarchy.id,
        {.kind = ApprovalKind::kPolicyWidening, .digest = plan.digest, .changes = plan.Lines()}));
  }
  call.event().reason = plan.Summary();

  Hierarchy hierarchy = wanted.hierarchy;
  if (standing) {
    hierarchy.id = standing->hierarchy.id;
    hierarchy.is_system = standing->hierarchy.is_system;
    if (hierarchy != standing->hierarchy) {
      AuditEvent change = call.event();
      change.action = "ChangeHierarchy";
      TRY(stores_.hierarchies.ChangeHierarchy(standing->hierarchy, hierarchy, change));
    }
  }
  TRY(EnsureWhole(hierarchy, call.caller().Name()));

  const auto catalog = catalogs_.Snapshot();
  const auto found = TRY(catalog->FindByName(hierarchy.Name()));
  const Hierarchy& made = found->hierarchy();
  call.event().hierarchy = made.id;
  const auto system = TRY(catalog->System());
  const auto before = standing ? standing->operators : std::vector<OperatorRoles>();
  TRY(EnsureOperators(call, system->hierarchy(), made, before, wanted.operators));
  auto operators = TRY(OperatorsOf(*catalog, made));
  auto recorded = TRY(ledger_.RecordEvent(call.event()));
  return Recorded(std::move(recorded), Applied{std::move(plan), {made, std::move(operators)}});
}

Status Hierarchies::EnsureWhole(const Hierarchy& wanted, const std::string& actor) {
  const Hierarchy hierarchy = TRY(provisioning_.hierarchies.EnsureHierarchy(wanted, actor));
  auto made = TRY(catalogs_.ReloadHierarchy(hierarchy.id));
  const bool waits = hierarchy.HasExternalRoot() && made->activations().empty();
  if (waits) return Ok();  // the owner of the external root has to sign first
  const auto active = TRY(made->ActiveIssuer());
  return publication_.EnsureResponders(std::move(made), {active->issuer(), active->id()}, actor)
      .status();
}

Status Hierarchies::EnsureOperators(const Call& call, const Hierarchy& system,
                                    const Hierarchy& hierarchy,
                                    const std::vector<OperatorRoles>& standing,
                                    const std::vector<OperatorRoles>& wanted) {
  const auto before = EachRole(standing);
  const auto after = EachRole(wanted);
  const auto event_of = [&](Action action, const SpiffeId& operator_id, Role role) {
    AuditEvent change = call.event();
    change.action = NameOf(action);
    change.reason = fmt::format("{} over {}", NameOf(role), hierarchy.Name());
    change.hierarchy = system.id;
    change.subject = operator_id.ToString();
    return change;
  };
  for (const auto& [name, role] : after) {
    if (before.contains({name, role})) continue;
    const SpiffeId id = TRY(OperatorIdOf(system, name));
    TRY(registry_.AddGrant(id, {role, hierarchy.id, ""}, event_of(Action::kAddGrant, id, role)));
  }
  for (const auto& [name, role] : before) {
    if (after.contains({name, role})) continue;
    const SpiffeId id = TRY(OperatorIdOf(system, name));
    TRY(registry_.RemoveGrant(id, {role, hierarchy.id, ""},
                              event_of(Action::kRemoveGrant, id, role)));
  }
  return Ok();
}

}  // namespace ca
