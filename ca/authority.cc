#include "ca/authority.h"

#include "ca/tbs_certificate.h"

namespace ca {
namespace {

// For people who read lists; with the generation, so that no two authorities share a name
// (RFC 5280 section 4.1.2.6).
Bytes AuthorityName(const Hierarchy& hierarchy, const AuthorityRecord& authority) {
  return EncodeName(
      {{"O", hierarchy.tenant},
       {"OU", hierarchy.environment},
       {"CN", fmt::format("{} authority {}", NameOf(authority.kind), authority.generation)}});
}

// An agent has no CN. Relying parties take a CN for a host name when there is no DNS name beside
// it: OpenSSL would let agent "www" be the host www, and GnuTLS refuses a CN outside the name
// constraints. UID may be 256 characters long (RFC 4524 section 2.28), a path 2048: the SAN is the
// identity.
constexpr size_t kUserIdMax = 256;
Bytes AgentName(const Hierarchy& hierarchy, const SpiffeId& id) {
  return EncodeName({{"O", hierarchy.tenant},
                     {"OU", hierarchy.environment},
                     {"UID", std::string(id.path().substr(0, kUserIdMax))}});
}

Validity ValidityFor(TimePoint now, std::chrono::seconds lifetime) {
  const TimePoint whole = std::chrono::floor<std::chrono::seconds>(now);
  return {whole - CertificateProfile::kBackdate, whole + lifetime};
}

TbsCertificate AuthorityTbs(const Hierarchy& hierarchy, const PublicKey& key, Bytes subject,
                            const Validity& validity, int path_length) {
  return TbsCertificate{
      .serial = SerialNumber::New(validity.not_after),
      .issuer = subject,  // until somebody else issues it
      .subject = std::move(subject),
      .validity = validity,
      .spki = key.spki(),
      .subject_key_identifier = key.SubjectKeyIdentifier(),
      .authority = AuthorityExtensions{SpiffeId::OfTrustDomain(hierarchy.trust_domain), path_length,
                                       nullptr},
  };
}

IssuanceRecord AuthorityIssuance(const Hierarchy& hierarchy, AuthorityId issuer,
                                 const PublicKey& key, const TbsCertificate& tbs) {
  return IssuanceRecord{
      .serial = tbs.serial,
      .hierarchy = hierarchy.id,
      .authority = issuer,
      .subject = SpiffeId::OfTrustDomain(hierarchy.trust_domain),
      .key_fingerprint = key.fingerprint(),
      .validity = tbs.validity,
      .tbs = tbs.Encode(),
  };
}

}  // namespace

std::string_view NameOf(AuthorityKind kind) {
  return kind == AuthorityKind::kRoot ? "root" : "issuing";
}

Result<std::shared_ptr<const Authority>> Authority::Open(const AuthorityRecord& record,
                                                         std::shared_ptr<const SigningKey> key) {
  if (record.certificate.empty()) {
    return Error(StatusCode::kFailedPrecondition, "authority '{}' has no certificate yet",
                 record.key_label);
  }
  auto authority = std::shared_ptr<Authority>(new Authority());
  authority->x509_ = TRY(ParseX509(record.certificate));
  X509* const x509 = authority->x509_.get();
  const Bytes spki = DerOf<X509_PUBKEY, i2d_X509_PUBKEY>(X509_get_X509_PUBKEY(x509));
  if (spki != key->spki()) {
    return Error(StatusCode::kFailedPrecondition,
                 "key '{}' on the token is not the one in its authority's certificate",
                 record.key_label);
  }
  authority->id_ = record.id;
  authority->hierarchy_ = record.hierarchy;
  authority->kind_ = record.kind;
  authority->generation_ = record.generation;
  authority->issuer_ = record.issuer;
  authority->key_label_ = record.key_label;
  authority->key_ = std::move(key);
  authority->certificate_ = record.certificate;
  authority->validity_.not_before = TRY(TimeOf(X509_get0_notBefore(x509)));
  authority->validity_.not_after = TRY(TimeOf(X509_get0_notAfter(x509)));
  authority->name_ = DerOf<X509_NAME, i2d_X509_NAME>(X509_get_subject_name(x509));
  authority->key_identifier_ = TRY(PublicKey::FromSpki(spki)).SubjectKeyIdentifier();
  return authority;
}

Result<PreparedCertificate> Authority::Prepare(const Hierarchy& hierarchy, const Agent& agent,
                                               const CertificateProfile& profile,
                                               const PublicKey& key, TimePoint now) const {
  const Validity validity = profile.ValidityAt(now, validity_);
  if (validity_.not_after < now + CertificateProfile::kLifetimeMin) {
    return Error(StatusCode::kFailedPrecondition, "authority '{}' ends at {}: rotate it",
                 key_label_, Rfc3339(validity_.not_after));
  }
  const TbsCertificate tbs{
      .serial = SerialNumber::New(validity.not_after),
      .issuer = name_,
      .subject = AgentName(hierarchy, agent.id),
      .validity = validity,
      .spki = key.spki(),
      .subject_key_identifier = key.SubjectKeyIdentifier(),
      .authority_key_identifier = key_identifier_,
      .leaf = LeafExtensions{agent.id, agent.dns_names, agent.ip_addresses, profile.client_auth,
                             profile.server_auth},
  };
  return PreparedCertificate(IssuanceRecord{
      .serial = tbs.serial,
      .hierarchy = hierarchy_,
      .authority = id_,
      .agent = agent.number,
      .subject = agent.id,
      .profile = profile.name,
      .key_fingerprint = key.fingerprint(),
      .validity = validity,
      .tbs = tbs.Encode(),
  });
}

Result<PreparedCertificate> Authority::PrepareIssuing(const Hierarchy& hierarchy,
                                                      const AuthorityRecord& planned,
                                                      const SigningKey& key, TimePoint now) const {
  const PublicKey public_key = TRY(PublicKey::FromSpki(key.spki()));
  Validity validity = ValidityFor(now, hierarchy.issuing_lifetime);
  validity.not_before = std::max(validity.not_before, validity_.not_before);
  validity.not_after = std::min(validity.not_after, validity_.not_after);
  TbsCertificate tbs =
      AuthorityTbs(hierarchy, public_key, AuthorityName(hierarchy, planned), validity, 0);
  tbs.issuer = name_;
  tbs.authority_key_identifier = key_identifier_;
  tbs.authority->name_constraints = &hierarchy;
  return PreparedCertificate(AuthorityIssuance(hierarchy, id_, public_key, tbs));
}

Result<PreparedCertificate> Authority::PrepareRoot(const Hierarchy& hierarchy,
                                                   const AuthorityRecord& planned,
                                                   const SigningKey& key, TimePoint now) {
  const PublicKey public_key = TRY(PublicKey::FromSpki(key.spki()));
  const TbsCertificate tbs = AuthorityTbs(hierarchy, public_key, AuthorityName(hierarchy, planned),
                                          ValidityFor(now, hierarchy.root_lifetime), 1);
  return PreparedCertificate(AuthorityIssuance(hierarchy, planned.id, public_key, tbs));
}

Result<Certificate> Authority::Sign(RecordedIssuance recorded) const {
  return SignRecorded(*key_, std::move(recorded));
}

}  // namespace ca
