#pragma once

#include <string>
#include <utility>

#include "ca/base/bytes.h"
#include "ca/base/clock.h"
#include "ca/base/serial_number.h"
#include "ca/base/spiffe_id.h"
#include "ca/hierarchy.h"
#include "ca/key_store.h"

// Record, then sign, then release: checked by the compiler.
//
//   PreparedCertificate   made by an Authority: what is to be signed, to the octet
//   RecordedIssuance      made by a ledger from it, once the intent is durable
//   Certificate           made by SignRecorded() alone, which consumes a RecordedIssuance
//
// The first two are move-only and cannot be made elsewhere, so a certificate that is not in the
// database cannot be signed: it does not compile (tests/ca/issuance_does_not_compile.cc).
namespace ca {

class Authority;
class Ledger;
class HierarchyStore;

struct Validity {
  TimePoint not_before;
  TimePoint not_after;
};

// What the ledger knows of an issuance before the key is used.
struct IssuanceRecord {
  SerialNumber serial;
  HierarchyId hierarchy{};
  AuthorityId authority{};
  AgentNumber agent{};  // 0 for an authority's own certificate
  SpiffeId subject;     // the agent's; for an authority spiffe://TRUST-DOMAIN/authority/...
  std::string profile;
  Bytes key_fingerprint;  // SHA-256 of the subject's SubjectPublicKeyInfo
  Validity validity;
  Bytes tbs;  // DER TBSCertificate (RFC 5280 section 4.1), exactly what gets signed
};

class PreparedCertificate {
 public:
  PreparedCertificate(PreparedCertificate&&) = default;
  PreparedCertificate& operator=(PreparedCertificate&&) = default;

  const IssuanceRecord& record() const { return record_; }

 private:
  friend class Authority;
  friend class Ledger;          // moves the record out when it is durable
  friend class HierarchyStore;  // likewise, for an authority's own certificate
  explicit PreparedCertificate(IssuanceRecord record) : record_(std::move(record)) {}

  IssuanceRecord record_;
};

class RecordedIssuance {
 public:
  RecordedIssuance(RecordedIssuance&&) = default;
  RecordedIssuance& operator=(RecordedIssuance&&) = default;

  const IssuanceRecord& record() const { return record_; }

 private:
  friend class Ledger;
  friend class HierarchyStore;
  explicit RecordedIssuance(IssuanceRecord record) : record_(std::move(record)) {}

  IssuanceRecord record_;
};

// A signed certificate and what was recorded of it.
struct Certificate {
  IssuanceRecord record;
  Bytes der;
};

// The only function that lets a CA key sign a certificate. Wraps the recorded TBSCertificate, octet
// for octet, with an ecdsa-with-SHA256 signature by `key`, and checks that signature before it
// returns: kInternal when it does not verify (a broken token), kUnavailable when the token is away.
Result<Certificate> SignRecorded(const SigningKey& key, RecordedIssuance recorded);

}  // namespace ca
