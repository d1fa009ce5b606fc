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

// A certificate of a CA, an OCSP responder or a record signer, with its key on the token. Immutable
// and thread-safe. A holder of the shared_ptr may go on using it while another becomes active.
class Authority {
 public:
  // `key` is null if the key is destroyed or unavailable; such an authority signs nothing.
  // kFailedPrecondition if the record has no certificate, or its certificate is not for `key`.
  static Result<std::shared_ptr<const Authority>> Open(const AuthorityRecord& record,
                                                       std::shared_ptr<const SigningKey> key);

  AuthorityId id() const { return id_; }
  HierarchyId hierarchy() const { return hierarchy_; }
  AuthorityKind kind() const { return kind_; }
  int generation() const { return generation_; }
  AuthorityId issuer() const { return issuer_; }
  const std::string& key_label() const { return key_label_; }
  bool has_key() const { return key_ != nullptr; }
  // An authority whose key is destroyed never signs again. One that has no key for another reason
  // signs again when its token is available.
  bool is_key_destroyed() const { return is_key_destroyed_; }
  const Bytes& certificate() const { return certificate_; }  // DER
  X509* x509() const { return x509_.get(); }
  const Validity& validity() const { return validity_; }
  // None for an imported certificate: another CA chose its serial number and answers for its
  // status.
  const std::optional<SerialNumber>& serial() const { return serial_; }
  bool IsExternalRoot() const { return kind_ == AuthorityKind::kRoot && !serial_; }
  // DER, nearest first: the certificates between an imported certificate and its root.
  const std::vector<Bytes>& intermediates() const { return intermediates_; }
  const Bytes& name() const { return name_; }  // DER Name, its subject
  // SHA-1 of the key (RFC 5280 section 4.2.1.2 method 1). It is in this certificate, and in those
  // that it issues. Empty for an external root.
  const Bytes& key_identifier() const { return key_identifier_; }

  // The Prepare functions make a certificate that is ready to be recorded. They use no key, so they
  // also work without one. The linter (ca/issuance/lint.h) checks each certificate: kInternal by a
  // rule of `lint.*` if it is not as it should be.

  // An agent's certificate. kFailedPrecondition if this authority has expired, or expires within
  // CertificateProfile::kLifetimeMin.
  Result<PreparedCertificate> Prepare(const Hierarchy& hierarchy, const Agent& agent,
                                      const CertificateProfile& profile, const PublicKey& key,
                                      const StatusPointers& status, TimePoint now) const;

  // An issuing authority's certificate, by this root. `status` says where to ask for its status.
  Result<PreparedCertificate> PrepareIssuing(const Hierarchy& hierarchy,
                                             const AuthorityRecord& planned, const PublicKey& key,
                                             const StatusPointers& status, TimePoint now) const;

  // The certificate of the OCSP responder that answers for this authority.
  Result<PreparedCertificate> PrepareResponder(const Hierarchy& hierarchy,
                                               const AuthorityRecord& planned,
                                               const SigningKey& key, TimePoint now) const;

  // The certificate of a record signer, by this root. `status` says where to ask for its status.
  Result<PreparedCertificate> PrepareRecorder(const Hierarchy& hierarchy,
                                              const AuthorityRecord& planned, const SigningKey& key,
                                              const StatusPointers& status, TimePoint now) const;

  // A root's own certificate. No other authority issues it.
  static Result<PreparedCertificate> PrepareRoot(const Hierarchy& hierarchy,
                                                 const AuthorityRecord& planned,
                                                 const SigningKey& key, TimePoint now);

  // The cross-certificate by this root for `next`, the root that follows it and has `key`. `status`
  // says where to ask for its status.
  Result<PreparedCertificate> PrepareLink(const Hierarchy& hierarchy, const AuthorityRecord& next,
                                          const SigningKey& key, const StatusPointers& status,
                                          TimePoint now) const;

  // Only a CA signs certificates and CRLs, only an OCSP responder signs OCSP responses, and only a
  // record signer signs records: kFailedPrecondition for the other kinds. kFailedPrecondition if
  // the key is destroyed; kUnavailable if there is no key for another reason, or the token does not
  // answer.
  Result<Certificate> Sign(RecordedIssuance recorded) const;
  // The other three return a DER Ecdsa-Sig-Value.
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

// DER Name, the subject of its certificate. It has the generation, so that no two authorities share
// a name (RFC 5280 section 4.1.2.6).
Bytes SubjectNameOf(const Hierarchy& hierarchy, const AuthorityRecord& authority);

// acme/prod/issuing/1
std::string NameOf(const Hierarchy& hierarchy, const Authority& authority);

}  // namespace ca
