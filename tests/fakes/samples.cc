#include "tests/fakes/samples.h"

#include "tests/fakes/must.h"

namespace ca::testing {
namespace {

CertificateProfile ProfileNamed(std::string name) {
  CertificateProfile profile;
  profile.name = std::move(name);
  return profile;
}

}  // namespace

SpiffeId IdOf(const Hierarchy& hierarchy, std::string_view path) {
  return Must(SpiffeId::Parse(fmt::format("spiffe://{}/{}", hierarchy.trust_domain.name(), path)));
}

Hierarchy SystemHierarchy() {
  return {
      .tenant = "agentpki",
      .environment = "system",
      .trust_domain = Must(TrustDomain::Parse("system.agentpki.internal")),
      .is_system = true,
      .profiles = {ProfileNamed("operator"), ProfileNamed("server")},
      .approvals = ApprovalPolicy::Off(),
  };
}

Hierarchy AcmeProd() {
  CertificateProfile service = ProfileNamed("service");
  service.host_names = true;
  return {
      .tenant = "acme",
      .environment = "prod",
      .trust_domain = Must(TrustDomain::Parse("prod.acme.example")),
      .dns_subtrees = {"svc.acme.example"},
      .ip_ranges = {Must(IpRange::Parse("10.0.0.0/8"))},
      .profiles = {ProfileNamed("agent"), service},
      .approvals = ApprovalPolicy::Off(),
  };
}

Hierarchy GlobexProd() {
  return {
      .tenant = "globex",
      .environment = "prod",
      .trust_domain = Must(TrustDomain::Parse("prod.globex.example")),
      .profiles = {ProfileNamed("agent")},
      .approvals = ApprovalPolicy::Off(),
  };
}

Agent AgentOf(const Hierarchy& hierarchy, std::string_view path) {
  return {
      .hierarchy = hierarchy.id,
      .id = IdOf(hierarchy, path),
      .owner = "billing-team",
      .role = "invoicing",
      .version = "1.4.0",
      .profile = hierarchy.profiles.front().name,
  };
}

AuditEvent EventAt(TimePoint now, std::string action) {
  return {
      .at = now,
      .actor = "spiffe://system.agentpki.internal/operator/admin",
      .action = std::move(action),
      .from = "ipv4:192.0.2.7:4711",
      .correlation_id = "0123456789abcdef",
  };
}

SubjectKey NewSubjectKey() { return Must(SubjectKey::Generate(KeyType::kP256)); }

PublicKey PublicHalf(const SubjectKey& key) { return Must(PublicKey::FromSpki(key.Spki())); }

}  // namespace ca::testing
