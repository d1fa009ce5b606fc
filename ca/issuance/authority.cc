#include "ca/issuance/authority.h"

#include "ca/base/asn1.h"
#include "ca/issuance/lint.h"

namespace ca {
namespace {

// An agent has no CN. If a certificate has no DNS name, relying parties take a CN for a host name:
// OpenSSL would accept the agent "www" as the host www, and GnuTLS refuses a CN outside the name
// constraints. A UID has at most 256 characters (RFC 4524 section 2.28) and a path up to 2048, so
// the UID may be cut short. The SAN is the identity.
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

// No certificate outlives its issuer.
Validity ValidityWithin(const Validity& issuer, TimePoint now, std::chrono::seconds lifetime) {
  const Validity own = ValidityFor(now, lifetime);
  return {std::max(own.not_before, issuer.not_before), std::min(own.not_after, issuer.not_after)};
}

// Below a root there are the cross-certificates of the roots that follow it, and an issuing
// authority.
constexpr int kRootPathLength = kLinksMax + 1;

TbsCertificate AuthorityTbs(const Hierarchy& hierarchy, const PublicKey& key, Bytes subject,
                            const Validity& validity, int path_length,
                            const Hierarchy* name_constraints = nullptr) {
  return TbsCertificate{
      .serial = SerialNumber::New(validity.not_after),
      .issuer = subject,  // a caller changes it, unless the certificate is a root's
      .subject = std::move(subject),
      .validity = validity,
      .spki = key.spki(),
      .subject_key_identifier = key.SubjectKeyIdentifier(),
      .extensions = AuthorityExtensions{SpiffeId::OfTrustDomain(hierarchy.trust_domain),
                                        path_length, name_constraints},
  };
}

TbsCertificate DelegateTbs(const Hierarchy& hierarchy, const AuthorityRecord& planned,
                           const PublicKey& key, const Validity& validity,
                           CertificateExtensions extensions) {
  return TbsCertificate{
      .serial = SerialNumber::New(validity.not_after),
      .subject = SubjectNameOf(hierarchy, planned),
      .validity = validity,
      .spki = key.spki(),
      .subject_key_identifier = key.SubjectKeyIdentifier(),
      .extensions = std::move(extensions),
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

Bytes SubjectNameOf(const Hierarchy& hierarchy, const AuthorityRecord& authority) {
  return EncodeName(
      {{"O", hierarchy.tenant},
       {"OU", hierarchy.environment},
       {"CN", fmt::format("{}{} {}", NameOf(authority.kind),
                          IsDelegate(authority.kind) ? "" : " authority", authority.generation)}});
}

std::string NameOf(const Hierarchy& hierarchy, const Authority& authority) {
  return NameOf(hierarchy, authority.kind(), authority.generation());
}

Result<std::shared_ptr<const Authority>> Authority::Open(const AuthorityRecord& record,
                                                         std::shared_ptr<const SigningKey> key) {
  if (record.certificate.empty()) {
    return Error(StatusCode::kFailedPrecondition, "authority '{}' has no certificate yet",
                 record.key_label);
  }
  X509Ptr parsed = TRY(ParseX509(record.certificate));
  X509* const x509 = parsed.get();
  const Bytes spki = DerOf<X509_PUBKEY, i2d_X509_PUBKEY>(X509_get_X509_PUBKEY(x509));
  if (key && spki != key->spki()) {
    return Error(StatusCode::kFailedPrecondition,
                 "key '{}' on the token is not the one in its authority's certificate",
                 record.key_label);
  }
  auto authority = std::shared_ptr<Authority>(new Authority);
  if (!record.is_imported) {
    authority->serial_ = TRY(SerialNumber::FromBytes(OctetsOf(X509_get0_serialNumber(x509))));
  }
  authority->intermediates_ = record.intermediates;
  authority->x509_ = std::move(parsed);
  authority->id_ = record.id;
  authority->hierarchy_ = record.hierarchy;
  authority->kind_ = record.kind;
  authority->generation_ = record.generation;
  authority->issuer_ = record.issuer;
  authority->key_label_ = record.key_label;
  authority->key_ = std::move(key);
  authority->is_key_destroyed_ = record.key_destruction.has_value();
  authority->certificate_ = record.certificate;
  authority->validity_.not_before = TRY(TimeOf(X509_get0_notBefore(x509)));
  authority->validity_.not_after = TRY(TimeOf(X509_get0_notAfter(x509)));
  authority->name_ = DerOf<X509_NAME, i2d_X509_NAME>(X509_get_subject_name(x509));
  // An external root may have a key of a type that PublicKey does not read, and no caller needs its
  // identifier.
  if (!record.IsExternalRoot()) {
    authority->key_identifier_ = TRY(PublicKey::FromSpki(spki)).SubjectKeyIdentifier();
  }
  return authority;
}

Result<PreparedCertificate> Authority::Prepare(const Hierarchy& hierarchy, const Agent& agent,
                                               const CertificateProfile& profile,
                                               const PublicKey& key, const StatusPointers& status,
                                               TimePoint now) const {
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
      .extensions = LeafExtensions{agent.id, agent.dns_names, agent.ip_addresses,
                                   profile.client_auth, profile.server_auth, profile.status_free},
      .status = profile.status_free ? StatusPointers{.shard = status.shard} : status,
  };
  IssuanceRecord record{
      .serial = tbs.serial,
      .hierarchy = hierarchy_,
      .authority = id_,
      .agent = agent.number,
      .subject = agent.id,
      .profile = profile.name,
      .key_fingerprint = key.fingerprint(),
      .shard = status.shard,
      .validity = validity,
      .tbs = tbs.Encode(),
  };
  const IssuerTerms issuer{name_, key_identifier_, validity_};
  return PreparedCertificate(
      TRY(Lint(std::move(record), {hierarchy, AgentTerms{agent, profile}, &issuer, status})));
}

Result<PreparedCertificate> Authority::PrepareIssuing(const Hierarchy& hierarchy,
                                                      const AuthorityRecord& planned,
                                                      const PublicKey& key,
                                                      const StatusPointers& status,
                                                      TimePoint now) const {
  const Validity validity = ValidityWithin(validity_, now, hierarchy.issuing_lifetime);
  TbsCertificate tbs =
      AuthorityTbs(hierarchy, key, SubjectNameOf(hierarchy, planned), validity, kIssuingPathLength,
                   /*name_constraints=*/&hierarchy);
  tbs.issuer = name_;
  tbs.authority_key_identifier = key_identifier_;
  tbs.status = status;
  const IssuerTerms issuer{name_, key_identifier_, validity_};
  return PreparedCertificate(TRY(Lint(
      AuthorityIssuance(hierarchy, id_, key, tbs),
      {hierarchy, AuthorityTerms{AuthorityKind::kIssuing, planned.generation}, &issuer, status})));
}

Result<PreparedCertificate> Authority::PrepareResponder(const Hierarchy& hierarchy,
                                                        const AuthorityRecord& planned,
                                                        const SigningKey& key,
                                                        TimePoint now) const {
  const PublicKey public_key = TRY(PublicKey::FromSpki(key.spki()));
  TbsCertificate tbs =
      DelegateTbs(hierarchy, planned, public_key,
                  ValidityWithin(validity_, now, kResponderLifetime), ResponderExtensions{});
  return PrepareDelegate(hierarchy, planned, public_key, std::move(tbs));
}

Result<PreparedCertificate> Authority::PrepareRecorder(const Hierarchy& hierarchy,
                                                       const AuthorityRecord& planned,
                                                       const SigningKey& key,
                                                       const StatusPointers& status,
                                                       TimePoint now) const {
  const PublicKey public_key = TRY(PublicKey::FromSpki(key.spki()));
  TbsCertificate tbs =
      DelegateTbs(hierarchy, planned, public_key, ValidityWithin(validity_, now, kRecorderLifetime),
                  RecorderExtensions{});
  tbs.status = status;
  return PrepareDelegate(hierarchy, planned, public_key, std::move(tbs));
}

Result<PreparedCertificate> Authority::PrepareDelegate(const Hierarchy& hierarchy,
                                                       const AuthorityRecord& planned,
                                                       const PublicKey& key,
                                                       TbsCertificate tbs) const {
  tbs.issuer = name_;
  tbs.authority_key_identifier = key_identifier_;
  const IssuerTerms issuer{name_, key_identifier_, validity_};
  return PreparedCertificate(TRY(
      Lint(AuthorityIssuance(hierarchy, id_, key, tbs),
           {hierarchy, AuthorityTerms{planned.kind, planned.generation}, &issuer, tbs.status})));
}

Result<PreparedCertificate> Authority::PrepareRoot(const Hierarchy& hierarchy,
                                                   const AuthorityRecord& planned,
                                                   const SigningKey& key, TimePoint now) {
  const PublicKey public_key = TRY(PublicKey::FromSpki(key.spki()));
  const TbsCertificate tbs =
      AuthorityTbs(hierarchy, public_key, SubjectNameOf(hierarchy, planned),
                   ValidityFor(now, hierarchy.root_lifetime), kRootPathLength);
  return PreparedCertificate(TRY(
      Lint(AuthorityIssuance(hierarchy, planned.id, public_key, tbs),
           {hierarchy, AuthorityTerms{AuthorityKind::kRoot, planned.generation}, nullptr, {}})));
}

Status Authority::CheckKey() const {
  if (key_) return Ok();
  if (is_key_destroyed_) {
    return Error(StatusCode::kFailedPrecondition, "the key '{}' is destroyed and signs nothing",
                 key_label_);
  }
  return Error(StatusCode::kUnavailable,
               "the key '{}' is unavailable: its token does not answer, or has no such key; see: "
               "agentpki doctor",
               key_label_);
}

Result<PreparedCertificate> Authority::PrepareLink(const Hierarchy& hierarchy,
                                                   const AuthorityRecord& next,
                                                   const SigningKey& key,
                                                   const StatusPointers& status,
                                                   TimePoint now) const {
  const PublicKey public_key = TRY(PublicKey::FromSpki(key.spki()));
  const Validity validity = ValidityWithin(validity_, now, hierarchy.root_lifetime);
  TbsCertificate tbs = AuthorityTbs(hierarchy, public_key, SubjectNameOf(hierarchy, next), validity,
                                    kRootPathLength);
  tbs.issuer = name_;
  tbs.authority_key_identifier = key_identifier_;
  tbs.status = status;
  const IssuerTerms issuer{name_, key_identifier_, validity_};
  return PreparedCertificate(TRY(
      Lint(AuthorityIssuance(hierarchy, id_, public_key, tbs),
           {hierarchy, AuthorityTerms{AuthorityKind::kLink, next.generation}, &issuer, status})));
}

Result<Certificate> Authority::Sign(RecordedIssuance recorded) const {
  TRY(CheckIsCa("certificates"));
  TRY(CheckKey());
  return SignRecorded(*key_, std::move(recorded));
}

Result<Bytes> Authority::Sign(const TbsCertList& list) const {
  TRY(CheckIsCa("CRLs"));
  TRY(CheckKey());
  return SignCertList(*key_, list);
}

Result<Bytes> Authority::Sign(const ResponseData& data) const {
  if (kind_ != AuthorityKind::kResponder) {
    return Error(StatusCode::kFailedPrecondition,
                 "authority '{}' signs no OCSP responses; its OCSP responder does", key_label_);
  }
  TRY(CheckKey());
  return SignResponseData(*key_, data);
}

Result<Bytes> Authority::Sign(const SignedAttributes& attributes) const {
  if (kind_ != AuthorityKind::kRecorder) {
    return Error(StatusCode::kFailedPrecondition,
                 "authority '{}' signs no records; a record signer does", key_label_);
  }
  TRY(CheckKey());
  return SignAttributes(*key_, attributes);
}

Status Authority::CheckIsCa(std::string_view what) const {
  if (!IsDelegate(kind_)) return Ok();
  return Error(StatusCode::kFailedPrecondition, "{} '{}' signs no {}", NameOf(kind_), key_label_,
               what);
}

}  // namespace ca
