#pragma once

#include <memory>
#include <string>
#include <vector>

#include "ca/agent.h"
#include "ca/base/openssl.h"
#include "ca/issuance.h"
#include "ca/public_key.h"

namespace ca {

enum class AuthorityKind { kRoot, kIssuing };

std::string_view NameOf(AuthorityKind kind);  // root, issuing

// An authority as the ledger knows it: planned, when it has no certificate yet.
struct AuthorityRecord {
  AuthorityId id{};
  HierarchyId hierarchy{};
  AuthorityKind kind{};
  int generation = 0;     // of its kind in its hierarchy, from 1 on
  AuthorityId issuer{};   // itself, for a root
  std::string key_label;  // on the token: acme/prod/root/1-5f3a9c0e
  Bytes certificate;      // DER, or ""
};

// One CA certificate and its key on the token. Immutable, thread-safe; whoever holds it by
// shared_ptr may go on using it while another becomes active.
class Authority {
 public:
  // kFailedPrecondition when the record has no certificate, or its certificate is not for `key`.
  static Result<std::shared_ptr<const Authority>> Open(const AuthorityRecord& record,
                                                       std::shared_ptr<const SigningKey> key);

  AuthorityId id() const { return id_; }
  HierarchyId hierarchy() const { return hierarchy_; }
  AuthorityKind kind() const { return kind_; }
  int generation() const { return generation_; }
  AuthorityId issuer() const { return issuer_; }
  const std::string& key_label() const { return key_label_; }
  const Bytes& certificate() const { return certificate_; }  // DER
  X509* x509() const { return x509_.get(); }
  const Validity& validity() const { return validity_; }

  // An agent's certificate, ready to be recorded. kFailedPrecondition when this authority has
  // expired or would within CertificateProfile::kLifetimeMin.
  Result<PreparedCertificate> Prepare(const Hierarchy& hierarchy, const Agent& agent,
                                      const CertificateProfile& profile, const PublicKey& key,
                                      TimePoint now) const;

  // An issuing authority's certificate, by this root.
  Result<PreparedCertificate> PrepareIssuing(const Hierarchy& hierarchy,
                                             const AuthorityRecord& planned, const SigningKey& key,
                                             TimePoint now) const;

  // A root's own certificate: the one that no authority stands behind.
  static Result<PreparedCertificate> PrepareRoot(const Hierarchy& hierarchy,
                                                 const AuthorityRecord& planned,
                                                 const SigningKey& key, TimePoint now);

  Result<Certificate> Sign(RecordedIssuance recorded) const;

 private:
  Authority() = default;

  AuthorityId id_{};
  HierarchyId hierarchy_{};
  AuthorityKind kind_{};
  int generation_ = 0;
  AuthorityId issuer_{};
  std::string key_label_;
  std::shared_ptr<const SigningKey> key_;
  Bytes certificate_;
  X509Ptr x509_;
  Validity validity_;
  Bytes name_;            // DER Name: the subject of this, the issuer of what it signs
  Bytes key_identifier_;  // RFC 5280 section 4.2.1.2
};

}  // namespace ca
