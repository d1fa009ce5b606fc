#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ca/base/openssl.h"
#include "ca/issuance/issuance.h"
#include "ca/issuance/signed_attributes.h"
#include "ca/issuance/status_signing.h"
#include "ca/issuance/tbs_certificate.h"
#include "ca/model/agent.h"
#include "ca/model/authority_record.h"
#include "ca/x509/public_key.h"

namespace ca {

// One certificate of a CA or a responder, and its key on the token. Immutable, thread-safe; whoever
// holds it by shared_ptr may go on using it while another becomes active.
class Authority {
 public:
  // Without a key, which is nullptr, it can be looked at, and signs nothing. kFailedPrecondition
  // when the record has no certificate, or its certificate is not for `key`.
  static Result<std::shared_ptr<const Authority>> Open(const AuthorityRecord& record,
                                                       std::shared_ptr<const SigningKey> key);

  AuthorityId id() const { return id_; }
  HierarchyId hierarchy() const { return hierarchy_; }
  AuthorityKind kind() const { return kind_; }
  int generation() const { return generation_; }
  AuthorityId issuer() const { return issuer_; }
  const std::string& key_label() const { return key_label_; }
  bool has_key() const { return key_ != nullptr; }
  // Whether it never signs again; one that has no key otherwise waits for its token.
  bool is_key_destroyed() const { return is_key_destroyed_; }
  const Bytes& certificate() const { return certificate_; }  // DER
  X509* x509() const { return x509_.get(); }
  const Validity& validity() const { return validity_; }
  // None of what was imported: its number is somebody else's, and so is its status.
  const std::optional<SerialNumber>& serial() const { return serial_; }
  bool IsExternalRoot() const { return kind_ == AuthorityKind::kRoot && !serial_; }
  // DER, nearest first: what stands between it and its root, for what was imported.
  const std::vector<Bytes>& intermediates() const { return intermediates_; }
  const Bytes& name() const { return name_; }  // DER Name, its subject
  // SHA-1 of the key, RFC 5280 section 4.2.1.2 (1): in what it issues, and in its own certificate.
  const Bytes& key_identifier() const { return key_identifier_; }

  // Each of the following is linted (ca/issuance/lint.h): kInternal, with a rule of `lint.*`, when
  // what was made is not a certificate as it should be.

  // An agent's certificate, ready to be recorded. kFailedPrecondition when this authority has
  // expired or would within CertificateProfile::kLifetimeMin.
  Result<PreparedCertificate> Prepare(const Hierarchy& hierarchy, const Agent& agent,
                                      const CertificateProfile& profile, const PublicKey& key,
                                      const StatusPointers& status, TimePoint now) const;

  // An issuing authority's certificate, by this root. `status` is what this root says of it.
  Result<PreparedCertificate> PrepareIssuing(const Hierarchy& hierarchy,
                                             const AuthorityRecord& planned, const PublicKey& key,
                                             const StatusPointers& status, TimePoint now) const;

  // The certificate of an OCSP responder for what this authority issues.
  Result<PreparedCertificate> PrepareResponder(const Hierarchy& hierarchy,
                                               const AuthorityRecord& planned,
                                               const SigningKey& key, TimePoint now) const;

  // The certificate of a recorder, by this root. `status` is what this root says of it.
  Result<PreparedCertificate> PrepareRecorder(const Hierarchy& hierarchy,
                                              const AuthorityRecord& planned, const SigningKey& key,
                                              const StatusPointers& status, TimePoint now) const;

  // A root's own certificate: the one that no authority stands behind.
  static Result<PreparedCertificate> PrepareRoot(const Hierarchy& hierarchy,
                                                 const AuthorityRecord& planned,
                                                 const SigningKey& key, TimePoint now);

  // kFailedPrecondition when its key is destroyed, kUnavailable when it has none, as Sign() too.
  // The link to `next`, the root that follows this one and has `key`. `status` is what this root
  // says of it.
  Result<PreparedCertificate> PrepareLink(const Hierarchy& hierarchy, const AuthorityRecord& next,
                                          const SigningKey& key, const StatusPointers& status,
                                          TimePoint now) const;

  // This and the following: kFailedPrecondition without a key, and when it is not for this kind to
  // say. Certificates and CRLs are signed by the CA itself, OCSP responses by its responder alone,
  // and records by a recorder alone.
  Result<Certificate> Sign(RecordedIssuance recorded) const;
  // A DER Ecdsa-Sig-Value.
  Result<Bytes> Sign(const TbsCertList& list) const;
  Result<Bytes> Sign(const ResponseData& data) const;
  Result<Bytes> Sign(const SignedAttributes& attributes) const;

 private:
  Authority() = default;
  Result<PreparedCertificate> PrepareDelegate(const Hierarchy& hierarchy,
                                              const AuthorityRecord& planned, const PublicKey& key,
                                              TbsCertificate tbs) const;
  Status CheckKey() const;
  Status CheckIsCa(std::string_view what) const;

  AuthorityId id_{};
  HierarchyId hierarchy_{};
  AuthorityKind kind_{};
  int generation_ = 0;
  AuthorityId issuer_{};
  std::string key_label_;
  std::shared_ptr<const SigningKey> key_;
  bool is_key_destroyed_ = false;
  Bytes certificate_;
  X509Ptr x509_;
  Validity validity_;
  std::optional<SerialNumber> serial_;
  std::vector<Bytes> intermediates_;
  Bytes name_;
  Bytes key_identifier_;
};

// DER Name, the subject of its certificate: for people who read lists; with the generation, so that
// no two authorities share a name (RFC 5280 section 4.1.2.6).
Bytes SubjectNameOf(const Hierarchy& hierarchy, const AuthorityRecord& authority);

// acme/prod/issuing/1
std::string NameOf(const Hierarchy& hierarchy, const Authority& authority);

}  // namespace ca
