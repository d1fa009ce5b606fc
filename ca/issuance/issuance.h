#pragma once

#include <string>
#include <utility>

#include "ca/base/bytes.h"
#include "ca/base/serial_number.h"
#include "ca/base/spiffe_id.h"
#include "ca/issuance/key_store.h"
#include "ca/model/hierarchy.h"

// Record, then sign, then release: checked by the compiler.
//
//   LintedIssuance        made by Lint(): the octets to be signed, without a finding
//   PreparedCertificate   made by an Authority from a LintedIssuance
//   RecordedIssuance      made by a ledger from a PreparedCertificate, once the intent is durable
//   Certificate           made by SignRecorded() alone, which consumes a RecordedIssuance
//
// The first three are move-only and cannot be made elsewhere, and SignRecorded() alone lets a
// SigningKey sign a certificate. So code that signs a certificate which is not in the database does
// not compile (tests/ca/issuance/issuance_does_not_compile.cc).
namespace ca {

class Authority;
struct LintTerms;
class Ledger;
class AuthorityStore;
class Transcript;

// The ledger's record of an issuance, which is durable before the key is used.
struct IssuanceRecord {
  SerialNumber serial;
  HierarchyId hierarchy{};
  AuthorityId authority{};  // its key signs
  AgentNumber agent{};      // 0 for an authority's own certificate
  SpiffeId subject;         // the agent's; for an authority its trust domain's
  std::string profile;      // "" for an authority's own
  Bytes key_fingerprint;    // SHA-256 of the subject's SubjectPublicKeyInfo
  CrlShard shard = 0;       // the shard of the authority's CRL that lists it once it is revoked
  Validity validity;
  Bytes tbs;  // DER TBSCertificate (RFC 5280 section 4.1), the octets that are signed
};

class LintedIssuance {
 public:
  LintedIssuance(LintedIssuance&&) = default;
  LintedIssuance& operator=(LintedIssuance&&) = default;

 private:
  friend class PreparedCertificate;
  friend Result<LintedIssuance> Lint(IssuanceRecord record, const LintTerms& terms);
  explicit LintedIssuance(IssuanceRecord record) : record_(std::move(record)) {}

  IssuanceRecord record_;
};

class PreparedCertificate {
 public:
  PreparedCertificate(PreparedCertificate&&) = default;
  PreparedCertificate& operator=(PreparedCertificate&&) = default;

  const IssuanceRecord& record() const { return record_; }

 private:
  friend class Authority;
  friend class Ledger;          // moves the record out when it is durable
  friend class AuthorityStore;  // likewise, for an authority's own certificate
  friend class Transcript;      // likewise, in a ceremony
  explicit PreparedCertificate(LintedIssuance linted) : record_(std::move(linted.record_)) {}

  IssuanceRecord record_;
};

class RecordedIssuance {
 public:
  RecordedIssuance(RecordedIssuance&&) = default;
  RecordedIssuance& operator=(RecordedIssuance&&) = default;

  const IssuanceRecord& record() const { return record_; }

 private:
  friend class Ledger;
  friend class AuthorityStore;
  friend class Transcript;
  friend Result<Certificate> SignRecorded(const SigningKey& key, RecordedIssuance recorded);
  explicit RecordedIssuance(IssuanceRecord record) : record_(std::move(record)) {}

  IssuanceRecord record_;
};

// A recorded issuance, and the signature over it.
struct Certificate {
  IssuanceRecord record;
  Bytes signature;  // DER Ecdsa-Sig-Value

  // The DER certificate: the octets of the recorded TBSCertificate, ecdsa-with-SHA256, and the
  // signature.
  Bytes Der() const;
};

// The only function that lets a CA key sign a certificate. It verifies the signature with the
// public key before it returns: kInternal if it does not verify (a broken token, or a fault that
// could reveal the key). kUnavailable if the token does not answer.
Result<Certificate> SignRecorded(const SigningKey& key, RecordedIssuance recorded);

}  // namespace ca
