#pragma once

#include <optional>

#include "ca/lint.h"
#include "tests/ca/der_tree.h"
#include "tests/fakes/must.h"
#include "tests/fakes/samples.h"

// Certificates of ours as they come to the linter, to be spoiled.
namespace ca::testing {

// Within a TBSCertificate of version 3.
inline constexpr size_t kTbsVersion = 0, kTbsSerial = 1, kTbsAlgorithm = 2, kTbsIssuer = 3,
                        kTbsValidity = 4, kTbsSubject = 5, kTbsSpki = 6, kTbsExtensions = 7;

// Who issues and what: it owns what LintTerms refers to.
class LintSample {
 public:
  // Of an agent of acme/prod, with host names if its profile has them.
  explicit LintSample(const CertificateProfile& of);
  // Of acme/prod's root or issuing authority, or a responder of the latter.
  explicit LintSample(AuthorityKind of);
  LintSample(const LintSample&) = delete;

  LintTerms terms() const {
    return {hierarchy, subject(), kind == AuthorityKind::kRoot ? nullptr : &issuer, status};
  }
  // As the builder (ca/tbs_certificate.h) makes it.
  TbsCertificate Tbs() const;
  IssuanceRecord Record(const TbsCertificate& tbs) const;
  IssuanceRecord Record() const { return Record(Tbs()); }

  Hierarchy hierarchy = AcmeProd();
  std::optional<AuthorityKind> kind;  // none: an agent's
  CertificateProfile profile;
  Agent agent = AgentOf(hierarchy, "billing/invoice-bot");
  Validity validity;  // as long as the terms allow
  Bytes issuer_name = EncodeName({{"O", "acme"}, {"OU", "prod"}, {"CN", "issuing authority 1"}});
  Bytes issuer_key_identifier = Bytes(20, 'k');
  Validity issuer_validity;
  IssuerTerms issuer{issuer_name, issuer_key_identifier, issuer_validity};
  PublicKey key = PublicHalf(NewSubjectKey());
  StatusPointers status{0, "http://status.test/ocsp/7", "http://status.test/ca/7.cer",
                        "http://status.test/crl/7/0.crl"};

 private:
  explicit LintSample(std::optional<AuthorityKind> of, std::chrono::seconds lifetime);
  std::variant<AgentTerms, AuthorityTerms> subject() const {
    if (kind) return AuthorityTerms{*kind, 1};
    return AgentTerms{agent, profile};
  }
};

}  // namespace ca::testing
