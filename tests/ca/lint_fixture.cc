#include "tests/ca/lint_fixture.h"

#include "tests/fakes/fake_clock.h"

namespace ca::testing {
namespace {

std::chrono::seconds LifetimeOf(AuthorityKind kind) {
  switch (kind) {
    case AuthorityKind::kRoot:
    case AuthorityKind::kLink:
      return AcmeProd().root_lifetime;
    case AuthorityKind::kIssuing:
      return AcmeProd().issuing_lifetime;
    case AuthorityKind::kResponder:
      return Authority::kResponderLifetime;
    case AuthorityKind::kRecorder:
      return Authority::kRecorderLifetime;
  }
  return {};
}

std::string CommonNameOf(AuthorityKind kind) {
  if (kind == AuthorityKind::kLink) return "root authority 1";
  return std::string(NameOf(kind)) + (IsDelegate(kind) ? " 1" : " authority 1");
}

}  // namespace

LintSample::LintSample(std::optional<AuthorityKind> of, std::chrono::seconds lifetime) : kind(of) {
  const TimePoint now = std::chrono::floor<std::chrono::seconds>(FakeClock().Now());
  validity = {now - CertificateProfile::kBackdate, now + lifetime};
  if (of == AuthorityKind::kIssuing) {
    issuer_name = EncodeName({{"O", "acme"}, {"OU", "prod"}, {"CN", "root authority 1"}});
  }
  issuer_validity = {validity.not_before, now + lifetime + std::chrono::hours(24)};
}

LintSample::LintSample(AuthorityKind of) : LintSample(of, LifetimeOf(of)) {}

LintSample::LintSample(const CertificateProfile& of) : LintSample(std::nullopt, of.lifetime) {
  profile = of;
  agent.number = AgentNumber{4711};
  agent.profile = profile.name;
  if (!profile.host_names) return;
  agent.dns_names = {"front.svc.acme.example", "prod.acme.example"};
  agent.ip_addresses = {Must(IpAddress::Parse("10.0.0.1"))};
}

TbsCertificate LintSample::Tbs() const {
  TbsCertificate tbs{
      .serial = SerialNumber::New(validity.not_after),
      .issuer = issuer_name,
      .validity = validity,
      .spki = key.spki(),
      .subject_key_identifier = key.SubjectKeyIdentifier(),
      .authority_key_identifier = issuer_key_identifier,
  };
  if (!kind) {
    tbs.subject = EncodeName({{"O", "acme"}, {"OU", "prod"}, {"UID", "billing/invoice-bot"}});
    tbs.leaf = LeafExtensions{agent.id,
                              agent.dns_names,
                              agent.ip_addresses,
                              profile.client_auth,
                              profile.server_auth,
                              profile.status_free};
    if (!profile.status_free) tbs.status = status;
    return tbs;
  }
  tbs.subject = EncodeName({{"O", "acme"}, {"OU", "prod"}, {"CN", CommonNameOf(*kind)}});
  const SpiffeId trust_domain = SpiffeId::OfTrustDomain(hierarchy.trust_domain);
  if (*kind == AuthorityKind::kRoot) {
    tbs.issuer = tbs.subject;
    tbs.authority_key_identifier.clear();
    tbs.authority = AuthorityExtensions{trust_domain, Authority::kLinksMax + 1, nullptr};
  } else if (*kind == AuthorityKind::kLink) {
    tbs.authority = AuthorityExtensions{trust_domain, Authority::kLinksMax + 1, nullptr};
    tbs.status = status;
  } else if (*kind == AuthorityKind::kIssuing) {
    tbs.authority = AuthorityExtensions{trust_domain, 0, &hierarchy};
    tbs.status = status;
  } else if (*kind == AuthorityKind::kRecorder) {
    tbs.recorder = RecorderExtensions{};
    tbs.status = status;
  } else {
    tbs.responder = ResponderExtensions{};
  }
  return tbs;
}

IssuanceRecord LintSample::Record(const TbsCertificate& tbs) const {
  return {
      .serial = tbs.serial,
      .hierarchy = hierarchy.id,
      .agent = kind ? AgentNumber{} : agent.number,
      .subject = kind ? SpiffeId::OfTrustDomain(hierarchy.trust_domain) : agent.id,
      .profile = profile.name,
      .key_fingerprint = Sha256(tbs.spki),
      .validity = tbs.validity,
      .tbs = tbs.Encode(),
  };
}

}  // namespace ca::testing
