#include "ca/hierarchies/policy_widening.h"

#include <algorithm>
#include <map>

namespace ca {
namespace {

bool AddsExternalRoot(const Hierarchy& standing, const Hierarchy& wanted) {
  return std::any_of(
      wanted.external_roots.begin(), wanted.external_roots.end(),
      [&](const Bytes& certificate) { return !standing.TrustsExternalRoot(certificate); });
}

class Widenings {
 public:
  Widenings(const Hierarchy& standing, const Hierarchy& wanted)
      : standing_(standing), wanted_(wanted) {}

  void Add(std::string field, bool widens) {
    if (widens) found_.push_back({std::move(field), false});
  }
  void AddWhole(std::string field, bool widens) {
    if (widens) found_.push_back({std::move(field), true});
  }

  void AddAuthorities();
  void AddProfiles();
  void AddRules();
  void AddApprovals();
  void AddStatus();
  void AddOperators(const std::vector<OperatorRoles>& standing,
                    const std::vector<OperatorRoles>& wanted);
  void AddRest();

  std::vector<Widening> Take() { return std::move(found_); }

 private:
  void AddProfile(const CertificateProfile& standing, const CertificateProfile& wanted);

  const Hierarchy& standing_;
  const Hierarchy& wanted_;
  std::vector<Widening> found_;
};

// Another root to be trusted, keys that live or issue longer, and a successor that takes over with
// fewer who know it.
void Widenings::AddAuthorities() {
  Add("root.external_certificates", AddsExternalRoot(standing_, wanted_));
  Add("root.lifetime", wanted_.root_lifetime > standing_.root_lifetime);
  Add("issuing.lifetime", wanted_.issuing_lifetime > standing_.issuing_lifetime);
  Add("issuing.rotate_every", wanted_.rotate_every > standing_.rotate_every);
  Add("issuing.publish_ahead", wanted_.publish_ahead < standing_.publish_ahead);
  Add("issuing.acknowledged_share", wanted_.acknowledged_share < standing_.acknowledged_share);
  // Without a share it says nothing.
  Add("issuing.acknowledge_within", standing_.acknowledged_share > 0 &&
                                        wanted_.acknowledge_within < standing_.acknowledge_within);
}

void Widenings::AddProfiles() {
  bool has_another_order = wanted_.profiles.front().name != standing_.profiles.front().name;
  for (const CertificateProfile& profile : wanted_.profiles) {
    const auto before = standing_.FindProfile(profile.name);
    if (before.ok()) {
      AddProfile(**before, profile);
    } else {
      AddWhole("profiles." + profile.name, true);
      has_another_order = true;
    }
  }
  Add("profiles", has_another_order);  // the list of names, of which the first is the default
}

void Widenings::AddProfile(const CertificateProfile& standing, const CertificateProfile& wanted) {
  const std::string field = "profiles." + wanted.name;
  Add(field + ".lifetime", wanted.lifetime > standing.lifetime);
  Add(field + ".key_types", !std::includes(standing.key_types.begin(), standing.key_types.end(),
                                           wanted.key_types.begin(), wanted.key_types.end()));
  Add(field + ".usages", (wanted.client_auth && !standing.client_auth) ||
                             (wanted.server_auth && !standing.server_auth));
  Add(field + ".host_names", wanted.host_names && !standing.host_names);
  Add(field + ".status_free", wanted.status_free && !standing.status_free);

  // Who adds a field to profiles and none to the above adds what widens.
  CertificateProfile rest = wanted;
  rest.lifetime = standing.lifetime;
  rest.key_types = standing.key_types;
  rest.client_auth = standing.client_auth;
  rest.server_auth = standing.server_auth;
  rest.host_names = standing.host_names;
  rest.status_free = standing.status_free;
  AddWhole(field, rest != standing);
}

// The first rule that speaks of a request decides, and what none speaks of is admitted: so what is
// evidently narrower is the same rules in the same order, and among them new ones that refuse.
void Widenings::AddRules() {
  auto expected = standing_.enrollment_rules.begin();
  const auto end = standing_.enrollment_rules.end();
  for (const EnrollmentRule& rule : wanted_.enrollment_rules) {
    if (expected != end && rule == *expected) {
      ++expected;
    } else if (rule.effect != EnrollmentRule::Effect::kRefuse) {
      return AddWhole("enrollment", true);
    }
  }
  AddWhole("enrollment", expected != end);
}

void Widenings::AddApprovals() {
  const ApprovalPolicy& before = standing_.approvals;
  const ApprovalPolicy& after = wanted_.approvals;
  Add("approvals.root_rotation", before.root_rotation && !after.root_rotation);
  Add("approvals.destruction", before.destruction && !after.destruction);
  Add("approvals.policy_widening", before.policy_widening && !after.policy_widening);
  Add("approvals.authority_revocation", before.authority_revocation && !after.authority_revocation);
  Add("approvals.expire_after", after.expire_after > before.expire_after);
}

// A revocation that some believe later. What is left to the server's configuration may be anything
// within the bounds.
void Widenings::AddStatus() {
  const StatusPolicy& before = standing_.status;
  const StatusPolicy& after = wanted_.status;
  const auto lengthens = [](const auto& of, const auto& to) {
    return of != to &&
           to.value_or(StatusSettings::kLifetimeMax) > of.value_or(StatusSettings::kLifetimeMin);
  };
  Add("status.crl_lifetime", lengthens(before.crl_lifetime, after.crl_lifetime));
  Add("status.ocsp_lifetime", lengthens(before.ocsp_lifetime, after.ocsp_lifetime));
  // With deltas, who reads complete CRLs alone waits for half of their life.
  Add("status.delta_crls", before.delta_crls != after.delta_crls &&
                               after.delta_crls.value_or(true) &&
                               !before.delta_crls.value_or(false));
}

void Widenings::AddOperators(const std::vector<OperatorRoles>& standing,
                             const std::vector<OperatorRoles>& wanted) {
  std::map<std::string, std::set<Role>> before;
  for (const OperatorRoles& of : standing) before[of.name] = of.roles;
  bool has_another = false;
  for (const OperatorRoles& of : wanted) {
    const std::set<Role>& roles = before[of.name];
    const bool gains = !std::includes(roles.begin(), roles.end(), of.roles.begin(), of.roles.end());
    AddWhole("operators." + of.name, gains);
    has_another = has_another || roles.empty();
  }
  Add("operators", has_another);  // the list of names
}

// Who adds a field to hierarchies and none to the above adds what widens.
void Widenings::AddRest() {
  Hierarchy rest = wanted_;
  rest.id = standing_.id;
  rest.is_system = standing_.is_system;
  rest.token = standing_.token;  // true or refused
  rest.external_roots = standing_.external_roots;
  rest.root_lifetime = standing_.root_lifetime;
  rest.issuing_lifetime = standing_.issuing_lifetime;
  rest.rotate_every = standing_.rotate_every;
  rest.publish_ahead = standing_.publish_ahead;
  rest.acknowledged_share = standing_.acknowledged_share;
  rest.acknowledge_within = standing_.acknowledge_within;
  rest.profiles = standing_.profiles;
  rest.enrollment_rules = standing_.enrollment_rules;
  rest.approvals = standing_.approvals;
  rest.status.crl_lifetime = standing_.status.crl_lifetime;
  rest.status.ocsp_lifetime = standing_.status.ocsp_lifetime;
  rest.status.crl_shard_size = standing_.status.crl_shard_size;  // whatever it is, all are listed
  rest.status.delta_crls = standing_.status.delta_crls;
  AddWhole("", rest != standing_);
}

}  // namespace

bool Widening::Covers(std::string_view plan_field) const {
  if (field.empty() || plan_field == field) return true;
  return has_parts && plan_field.starts_with(field) && plan_field[field.size()] == '.';
}

std::vector<Widening> WideningsOf(const HierarchyDeclaration& standing,
                                  const HierarchyDeclaration& wanted) {
  Widenings widenings(standing.hierarchy, wanted.hierarchy);
  widenings.AddAuthorities();
  widenings.AddProfiles();
  widenings.AddOperators(standing.operators, wanted.operators);
  widenings.AddRules();
  widenings.AddApprovals();
  widenings.AddStatus();
  widenings.AddRest();
  return widenings.Take();
}

bool TakesApproval(const HierarchyDeclaration& standing, const HierarchyDeclaration& wanted) {
  const ApprovalPolicy& approvals = standing.hierarchy.approvals;
  if (approvals.IsLoosenedBy(wanted.hierarchy.approvals)) return true;
  if (approvals.root_rotation && AddsExternalRoot(standing.hierarchy, wanted.hierarchy))
    return true;
  return approvals.policy_widening && !WideningsOf(standing, wanted).empty();
}

}  // namespace ca
