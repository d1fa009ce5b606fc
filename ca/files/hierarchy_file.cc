#include "ca/files/hierarchy_file.h"

#include <algorithm>

#include "ca/files/yaml_message.h"

namespace files {
namespace {

using agentpki::v1::ApprovalsSpec;
using agentpki::v1::EnrollmentRuleSpec;
using agentpki::v1::HierarchySpec;
using agentpki::v1::OperatorSpec;
using agentpki::v1::ProfileSpec;
using ca::ApprovalPolicy;
using ca::CertificateProfile;
using ca::EnrollmentRule;
using ca::Error;
using ca::Hierarchy;
using ca::HierarchyDeclaration;
using ca::OperatorRoles;
using ca::Result;
using ca::StatusCode;
using ca::StatusPolicy;

Result<CertificateProfile> ProfileOf(const ProfileSpec& spec) {
  CertificateProfile profile;
  profile.name = spec.name();
  profile.host_names = spec.host_names();
  profile.status_free = spec.status_free();
  if (spec.has_lifetime()) profile.lifetime = std::chrono::seconds(spec.lifetime().seconds());
  if (!spec.key_types().empty()) profile.key_types.clear();
  for (const std::string& name : spec.key_types()) {
    profile.key_types.insert(TRY(ca::KeyTypeFrom(name)));
  }
  if (!spec.usages().empty()) profile.client_auth = profile.server_auth = false;
  for (const std::string& usage : spec.usages()) {
    if (usage != "client" && usage != "server") {
      return Error(StatusCode::kInvalidArgument, "usages: '{}' is neither client nor server",
                   ca::Printable(usage));
    }
    (usage == "client" ? profile.client_auth : profile.server_auth) = true;
  }
  return profile;
}

void FillSpec(const CertificateProfile& profile, ProfileSpec& spec) {
  spec.set_name(profile.name);
  spec.mutable_lifetime()->set_seconds(profile.lifetime.count());
  for (const ca::KeyType type : profile.key_types) spec.add_key_types(std::string(NameOf(type)));
  if (profile.client_auth) spec.add_usages("client");
  if (profile.server_auth) spec.add_usages("server");
  spec.set_host_names(profile.host_names);
  spec.set_status_free(profile.status_free);
}

Result<OperatorRoles> OperatorRolesOf(const OperatorSpec& spec) {
  OperatorRoles roles{.name = spec.name(), .roles = {}};
  for (const std::string& name : spec.roles()) roles.roles.insert(TRY(ca::RoleFrom(name)));
  return roles;
}

Result<EnrollmentRule> RuleOf(const EnrollmentRuleSpec& spec) {
  const EnrollmentRule::Effect effect = TRY(ca::EffectFrom(spec.effect()));
  EnrollmentRule rule{
      .name = spec.name(),
      .effect = effect,
      .reason = spec.reason(),
      .agents = {spec.agents().begin(), spec.agents().end()},
      .owners = {spec.owners().begin(), spec.owners().end()},
      .roles = {spec.roles().begin(), spec.roles().end()},
      .versions = {spec.versions().begin(), spec.versions().end()},
      .profiles = {spec.profiles().begin(), spec.profiles().end()},
  };
  for (const std::string& name : spec.key_types()) {
    rule.key_types.insert(TRY(ca::KeyTypeFrom(name)));
  }
  for (const std::string& name : spec.operations()) {
    rule.operations.insert(TRY(ca::OperationFrom(name)));
  }
  return rule;
}

void FillSpec(const EnrollmentRule& rule, EnrollmentRuleSpec& spec) {
  spec.set_name(rule.name);
  spec.set_effect(std::string(NameOf(rule.effect)));
  spec.set_reason(rule.reason);
  for (const std::string& pattern : rule.agents) spec.add_agents(pattern);
  for (const std::string& pattern : rule.owners) spec.add_owners(pattern);
  for (const std::string& pattern : rule.roles) spec.add_roles(pattern);
  for (const std::string& pattern : rule.versions) spec.add_versions(pattern);
  for (const std::string& profile : rule.profiles) spec.add_profiles(profile);
  for (const ca::KeyType type : rule.key_types) spec.add_key_types(std::string(NameOf(type)));
  for (const ca::Operation operation : rule.operations) {
    spec.add_operations(std::string(NameOf(operation)));
  }
}

void FillSpec(const ApprovalPolicy& approvals, ApprovalsSpec& spec) {
  spec.set_root_rotation(approvals.root_rotation);
  spec.set_destruction(approvals.destruction);
  spec.set_policy_widening(approvals.policy_widening);
  spec.set_authority_revocation(approvals.authority_revocation);
  spec.mutable_expire_after()->set_seconds(approvals.expire_after.count());
}

StatusPolicy StatusPolicyOf(const agentpki::v1::StatusSpec& spec) {
  StatusPolicy status;
  if (spec.has_crl_lifetime()) {
    status.crl_lifetime = std::chrono::seconds(spec.crl_lifetime().seconds());
  }
  if (spec.has_ocsp_lifetime()) {
    status.ocsp_lifetime = std::chrono::seconds(spec.ocsp_lifetime().seconds());
  }
  if (spec.has_crl_shard_size()) status.crl_shard_size = spec.crl_shard_size();
  if (spec.has_delta_crls()) status.delta_crls = spec.delta_crls();
  return status;
}

void FillSpec(const StatusPolicy& status, agentpki::v1::StatusSpec& spec) {
  if (status.crl_lifetime) {
    spec.mutable_crl_lifetime()->set_seconds(status.crl_lifetime->count());
  }
  if (status.ocsp_lifetime) {
    spec.mutable_ocsp_lifetime()->set_seconds(status.ocsp_lifetime->count());
  }
  if (status.crl_shard_size) spec.set_crl_shard_size(static_cast<int>(*status.crl_shard_size));
  if (status.delta_crls) spec.set_delta_crls(*status.delta_crls);
}

Result<std::vector<ca::Bytes>> ExternalRootsOf(const agentpki::v1::RootSpec& spec) {
  if (spec.has_lifetime()) {
    return Error(StatusCode::kInvalidArgument,
                 "root: lifetime: is that of its certificate; leave it out beside "
                 "external_certificates");
  }
  auto roots = ca::FromPem("CERTIFICATE", spec.external_certificates());
  if (!roots.ok()) return ca::Annotate(roots.status(), "root: external_certificates: ");
  return roots;
}

Result<Hierarchy> HierarchyOf(const HierarchySpec& spec) {
  auto trust_domain = ca::TrustDomain::Parse(spec.trust_domain());
  if (!trust_domain.ok()) return ca::Annotate(trust_domain.status(), "trust_domain: ");
  Hierarchy hierarchy{
      .tenant = spec.tenant(),
      .environment = spec.environment(),
      .trust_domain = *std::move(trust_domain),
      .token = spec.token(),
      .dns_subtrees = {spec.dns_subtrees().begin(), spec.dns_subtrees().end()},
  };
  if (spec.root().has_lifetime()) {
    hierarchy.root_lifetime = std::chrono::seconds(spec.root().lifetime().seconds());
  }
  if (!spec.root().external_certificates().empty()) {
    hierarchy.external_roots = TRY(ExternalRootsOf(spec.root()));
  }
  const auto& issuing = spec.issuing();
  if (issuing.has_lifetime()) {
    hierarchy.issuing_lifetime = std::chrono::seconds(issuing.lifetime().seconds());
  }
  hierarchy.rotate_every = issuing.has_rotate_every()
                               ? std::chrono::seconds(issuing.rotate_every().seconds())
                               : std::min(hierarchy.rotate_every, hierarchy.issuing_lifetime / 3);
  hierarchy.publish_ahead = issuing.has_publish_ahead()
                                ? std::chrono::seconds(issuing.publish_ahead().seconds())
                                : std::min(hierarchy.publish_ahead, hierarchy.rotate_every / 10);
  hierarchy.acknowledged_share = issuing.acknowledged_share();
  hierarchy.acknowledge_within =
      issuing.has_acknowledge_within()
          ? std::chrono::seconds(issuing.acknowledge_within().seconds())
          : std::min(hierarchy.acknowledge_within, hierarchy.rotate_every);
  for (const std::string& range : spec.ip_ranges()) {
    auto parsed = ca::IpRange::Parse(range);
    if (!parsed.ok()) return ca::Annotate(parsed.status(), "ip_ranges: ");
    hierarchy.ip_ranges.push_back(*std::move(parsed));
  }
  for (const ProfileSpec& profile : spec.profiles()) {
    auto parsed = ProfileOf(profile);
    if (!parsed.ok()) {
      return ca::Annotate(parsed.status(),
                          fmt::format("profiles: {}: ", ca::Printable(profile.name())));
    }
    hierarchy.profiles.push_back(*std::move(parsed));
  }
  for (const EnrollmentRuleSpec& rule : spec.enrollment().rules()) {
    auto parsed = RuleOf(rule);
    if (!parsed.ok()) {
      return ca::Annotate(parsed.status(),
                          fmt::format("enrollment: rules: {}: ", ca::Printable(rule.name())));
    }
    hierarchy.enrollment_rules.push_back(*std::move(parsed));
  }
  hierarchy.approvals = ApprovalPolicyOf(spec.approvals());
  hierarchy.status = StatusPolicyOf(spec.status());
  return hierarchy;
}

}  // namespace

ApprovalPolicy ApprovalPolicyOf(const ApprovalsSpec& spec) {
  ApprovalPolicy approvals;
  if (spec.has_root_rotation()) approvals.root_rotation = spec.root_rotation();
  if (spec.has_destruction()) approvals.destruction = spec.destruction();
  if (spec.has_policy_widening()) approvals.policy_widening = spec.policy_widening();
  if (spec.has_authority_revocation()) {
    approvals.authority_revocation = spec.authority_revocation();
  }
  if (spec.has_expire_after()) {
    approvals.expire_after = std::chrono::seconds(spec.expire_after().seconds());
  }
  return approvals;
}

Result<HierarchyDeclaration> DeclarationOf(const HierarchySpec& spec) {
  auto hierarchy = TRY(HierarchyOf(spec));
  HierarchyDeclaration declaration{.hierarchy = std::move(hierarchy), .operators = {}};
  for (const OperatorSpec& of : spec.operators()) {
    auto roles = OperatorRolesOf(of);
    if (!roles.ok()) {
      return ca::Annotate(roles.status(), fmt::format("operators: {}: ", ca::Printable(of.name())));
    }
    declaration.operators.push_back(*std::move(roles));
  }
  std::sort(declaration.operators.begin(), declaration.operators.end(),
            [](const OperatorRoles& a, const OperatorRoles& b) { return a.name < b.name; });
  TRY(declaration.Validate());
  return declaration;
}

HierarchySpec SpecOf(const HierarchyDeclaration& declaration) {
  const Hierarchy& hierarchy = declaration.hierarchy;
  HierarchySpec spec;
  spec.set_tenant(hierarchy.tenant);
  spec.set_environment(hierarchy.environment);
  spec.set_trust_domain(hierarchy.trust_domain.name());
  spec.set_token(hierarchy.token);
  if (hierarchy.HasExternalRoot()) {
    std::string pem;
    for (const ca::Bytes& root : hierarchy.external_roots) pem += ca::Pem("CERTIFICATE", root);
    spec.mutable_root()->set_external_certificates(pem);
  } else {
    spec.mutable_root()->mutable_lifetime()->set_seconds(hierarchy.root_lifetime.count());
  }
  auto& issuing = *spec.mutable_issuing();
  issuing.mutable_lifetime()->set_seconds(hierarchy.issuing_lifetime.count());
  issuing.mutable_rotate_every()->set_seconds(hierarchy.rotate_every.count());
  issuing.mutable_publish_ahead()->set_seconds(hierarchy.publish_ahead.count());
  issuing.set_acknowledged_share(hierarchy.acknowledged_share);
  issuing.mutable_acknowledge_within()->set_seconds(hierarchy.acknowledge_within.count());
  for (const std::string& subtree : hierarchy.dns_subtrees) spec.add_dns_subtrees(subtree);
  for (const ca::IpRange& range : hierarchy.ip_ranges) spec.add_ip_ranges(range.ToString());
  for (const CertificateProfile& profile : hierarchy.profiles) {
    FillSpec(profile, *spec.add_profiles());
  }
  for (const OperatorRoles& of : declaration.operators) {
    OperatorSpec& operator_spec = *spec.add_operators();
    operator_spec.set_name(of.name);
    for (const ca::Role role : of.roles) operator_spec.add_roles(std::string(NameOf(role)));
  }
  for (const EnrollmentRule& rule : hierarchy.enrollment_rules) {
    FillSpec(rule, *spec.mutable_enrollment()->add_rules());
  }
  FillSpec(hierarchy.approvals, *spec.mutable_approvals());
  if (hierarchy.status != StatusPolicy()) FillSpec(hierarchy.status, *spec.mutable_status());
  return spec;
}

Result<HierarchySpec> ReadHierarchyFile(const std::filesystem::path& path) {
  HierarchySpec spec;
  TRY(ParseYamlFile(path, spec));
  return spec;
}

Result<HierarchyDeclaration> LoadHierarchyFile(const std::filesystem::path& path) {
  const HierarchySpec spec = TRY(ReadHierarchyFile(path));
  auto declaration = DeclarationOf(spec);
  if (!declaration.ok()) return ca::Annotate(declaration.status(), path.string() + ": ");
  return declaration;
}

}  // namespace files
