#include "tests/fakes/hierarchy_field_samples.h"

#include "tests/fakes/must.h"
#include "tests/fakes/samples.h"

namespace ca::testing {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

// CN=Example Corp Root, P-256, until 2126.
constexpr char kExternalRoot[] =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBzDCCAXOgAwIBAgIUb65RKYzW8ca+eQu31LXLPIU6lKwwCgYIKoZIzj0EAwIw\n"
    "MzEVMBMGA1UECgwMRXhhbXBsZSBDb3JwMRowGAYDVQQDDBFFeGFtcGxlIENvcnAg\n"
    "Um9vdDAgFw0yNjEyMDEwNDM3MDdaGA8yMTI2MTEwNzA0MzcwN1owMzEVMBMGA1UE\n"
    "CgwMRXhhbXBsZSBDb3JwMRowGAYDVQQDDBFFeGFtcGxlIENvcnAgUm9vdDBZMBMG\n"
    "ByqGSM49AgEGCCqGSM49AwEHA0IABLDu571TnKYA71w7X95YC3uxbVDNxwt4am+J\n"
    "tOKQScNdK8HRej8a6S1MI931jbeZJ/BsDeNhnETGRSihP0ZK1Q2jYzBhMB0GA1Ud\n"
    "DgQWBBT8DHWobLqWRyZ8ep1iTZoigBPA8zAfBgNVHSMEGDAWgBT8DHWobLqWRyZ8\n"
    "ep1iTZoigBPA8zAPBgNVHRMBAf8EBTADAQH/MA4GA1UdDwEB/wQEAwIBBjAKBggq\n"
    "hkjOPQQDAgNHADBEAiAYNK+dPDHWtj62cxeDk1IrAUgnnG4vgPN/7CnAFpT/FwIg\n"
    "Qj1mPDJZeVoctf9gfxShO1sQZp0EP3FSBGz47jO1kWs=\n"
    "-----END CERTIFICATE-----\n";

using D = HierarchyDeclaration;
using H = Hierarchy;
using P = CertificateProfile;
using R = EnrollmentRule;

HierarchyFieldSample OfHierarchy(const char* path, std::function<void(H&)> change) {
  return {path, [change = std::move(change)](D& d) { change(d.hierarchy); }};
}
HierarchyFieldSample Fixed(const char* path, std::function<void(H&)> change) {
  HierarchyFieldSample sample = OfHierarchy(path, std::move(change));
  sample.is_fixed = true;
  return sample;
}
HierarchyFieldSample OfProfile(const char* path, std::function<void(P&)> change) {
  return {path, [change = std::move(change)](D& d) { change(d.hierarchy.profiles[1]); }};
}
HierarchyFieldSample OfRule(const char* path, std::function<void(R&)> change) {
  return {path, [change = std::move(change)](D& d) { change(d.hierarchy.enrollment_rules[0]); }};
}

}  // namespace

bool HierarchyFieldSample::IsAbout(const std::string& field) const {
  const size_t star = path.find('*');
  if (star == std::string::npos) return field == path;
  const std::string before = path.substr(0, star);
  const std::string after = path.substr(star + 1);
  return field.size() > before.size() + after.size() && field.starts_with(before) &&
         field.ends_with(after) && field.find('.', before.size()) == field.size() - after.size();
}

Bytes ExternalRootSample() { return Must(FromPem("CERTIFICATE", kExternalRoot)).front(); }

HierarchyDeclaration FullDeclaration() {
  Hierarchy hierarchy = AcmeProd();
  hierarchy.acknowledged_share = 50;
  hierarchy.enrollment_rules = {{.name = "billing",
                                 .effect = R::Effect::kAdmit,
                                 .reason = "billing is ready",
                                 .agents = {"billing/**"},
                                 .owners = {"billing-team"},
                                 .roles = {"invoicing"},
                                 .versions = {"1.*"},
                                 .profiles = {"agent"},
                                 .key_types = {KeyType::kP256},
                                 .operations = {Operation::kEnroll}}};
  hierarchy.status = {.crl_lifetime = hours(2),
                      .ocsp_lifetime = minutes(30),
                      .crl_shard_size = 1000,
                      .delta_crls = false};
  return {hierarchy, {{"alice", {Role::kAdmin}}, {"bob", {Role::kAuditor}}}};
}

std::vector<HierarchyFieldSample> HierarchyFieldSamples() {
  return {
      Fixed("tenant", [](H& h) { h.tenant = "umbrella"; }),
      Fixed("environment", [](H& h) { h.environment = "staging"; }),
      Fixed("trust_domain",
            [](H& h) { h.trust_domain = Must(TrustDomain::Parse("other.acme.example")); }),
      OfHierarchy("token", [](H& h) { h.token = "hsm-acme"; }),
      OfHierarchy("root.lifetime", [](H& h) { h.root_lifetime += hours(24); }),
      Fixed("root.external_certificates", [](H& h) { h.external_roots = {ExternalRootSample()}; }),
      OfHierarchy("issuing.lifetime", [](H& h) { h.issuing_lifetime += hours(24); }),
      OfHierarchy("issuing.rotate_every", [](H& h) { h.rotate_every += hours(24); }),
      OfHierarchy("issuing.publish_ahead", [](H& h) { h.publish_ahead += hours(1); }),
      OfHierarchy("issuing.acknowledged_share", [](H& h) { h.acknowledged_share = 60; }),
      OfHierarchy("issuing.acknowledge_within", [](H& h) { h.acknowledge_within += hours(1); }),
      Fixed("dns_subtrees", [](H& h) { h.dns_subtrees.push_back("other.acme.example"); }),
      Fixed("ip_ranges",
            [](H& h) { h.ip_ranges.push_back(Must(IpRange::Parse("2001:db8::/32"))); }),
      OfProfile("profiles.*.name", [](P& p) { p.name = "batch"; }),
      OfProfile("profiles.*.lifetime", [](P& p) { p.lifetime = minutes(10); }),
      OfProfile("profiles.*.key_types", [](P& p) { p.key_types = {KeyType::kEd25519}; }),
      OfProfile("profiles.*.usages", [](P& p) { p.client_auth = false; }),
      OfProfile("profiles.*.host_names", [](P& p) { p.host_names = !p.host_names; }),
      {"profiles.*.status_free",
       [](D& d) {
         d.hierarchy.profiles[0].lifetime = minutes(15);
         d.hierarchy.profiles[0].status_free = true;
       }},
      {"operators.*.name", [](D& d) { d.operators[1].name = "carol"; }},
      {"operators.*.roles", [](D& d) { d.operators[1].roles = {Role::kRevoker}; }},
      OfRule("enrollment.rules.*.name", [](R& r) { r.name = "invoices"; }),
      OfRule("enrollment.rules.*.effect", [](R& r) { r.effect = R::Effect::kRefuse; }),
      OfRule("enrollment.rules.*.reason", [](R& r) { r.reason = "because"; }),
      OfRule("enrollment.rules.*.agents", [](R& r) { r.agents = {"billing/one"}; }),
      OfRule("enrollment.rules.*.owners", [](R& r) { r.owners = {"sales"}; }),
      OfRule("enrollment.rules.*.roles", [](R& r) { r.roles = {"selling"}; }),
      OfRule("enrollment.rules.*.versions", [](R& r) { r.versions = {"2.*"}; }),
      OfRule("enrollment.rules.*.profiles", [](R& r) { r.profiles.clear(); }),
      OfRule("enrollment.rules.*.key_types", [](R& r) { r.key_types = {KeyType::kP384}; }),
      OfRule("enrollment.rules.*.operations", [](R& r) { r.operations = {Operation::kRenew}; }),
      OfHierarchy("approvals.root_rotation", [](H& h) { h.approvals.root_rotation = true; }),
      OfHierarchy("approvals.destruction", [](H& h) { h.approvals.destruction = true; }),
      OfHierarchy("approvals.policy_widening", [](H& h) { h.approvals.policy_widening = true; }),
      OfHierarchy("approvals.authority_revocation",
                  [](H& h) { h.approvals.authority_revocation = true; }),
      OfHierarchy("approvals.expire_after", [](H& h) { h.approvals.expire_after = hours(1); }),
      OfHierarchy("status.crl_lifetime", [](H& h) { h.status.crl_lifetime = hours(1); }),
      OfHierarchy("status.ocsp_lifetime", [](H& h) { h.status.ocsp_lifetime.reset(); }),
      OfHierarchy("status.crl_shard_size", [](H& h) { h.status.crl_shard_size = 2000; }),
      OfHierarchy("status.delta_crls", [](H& h) { h.status.delta_crls = true; }),
  };
}

}  // namespace ca::testing
