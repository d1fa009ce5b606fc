#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "ca/base/revocation_reason.h"
#include "ca/base/serial_number.h"
#include "ca/model/audit_event.h"
#include "ca/model/hierarchy.h"
#include "ca/ports/recorded.h"

namespace ca {

// One revoked certificate. Each serial has at most one revocation, the first; nothing removes it.
struct Revocation {
  SerialNumber serial;
  HierarchyId hierarchy{};
  AuthorityId authority{};  // the issuer
  CrlShard shard = 0;
  TimePoint not_after;   // of the certificate
  TimePoint revoked_at;  // by the clock of the server that took the order
  RevocationReason reason = RevocationReason::kUnspecified;
  // Since when the key is known or suspected to be compromised (RFC 5280 section 5.3.2).
  std::optional<TimePoint> invalidity_date;
};

// The status of one serial of one authority, as a relying party may be told.
struct UnknownCertificate {};  // never signed by it
struct GoodCertificate {};     // signed, and not revoked; perhaps expired
using CertificateStatus = std::variant<UnknownCertificate, GoodCertificate, Revocation>;

// All live certificates of one agent; all live certificates of agents that one authority issued.
struct AllOfAgent {
  SpiffeId agent;
};
struct AllOfAuthority {
  AuthorityId authority{};
};

// An order to revoke certificates, with the reason.
struct RevocationOrder {
  HierarchyId hierarchy{};
  std::variant<SerialNumber, AllOfAgent, AllOfAuthority> target;
  RevocationReason reason = RevocationReason::kUnspecified;
  std::optional<TimePoint> invalidity_date;
  TimePoint now;
};

struct RevocationEntry {
  SerialNumber serial;
  SpiffeId subject;
  TimePoint not_after;
};

// The result of an order, or of its preview.
struct RevocationOutcome {
  static constexpr size_t kListedMax = 1000;

  std::int64_t revoked_count = 0;          // by this order
  std::int64_t already_revoked_count = 0;  // before it, of those that it names
  std::vector<RevocationEntry> revoked;    // the first kListedMax, by serial
  std::optional<Revocation> standing;      // for a single serial: its revocation, by any order
};

// The position of a reader of revocations. Opaque; starts empty.
struct RevocationCursor {
  std::string position;
};

// Revocations in the ledger. Thread-safe, blocking. Errors: kUnavailable while the database is
// unavailable, kDeadlineExceeded while it is too slow. Both may be retried: repeating an order
// changes nothing.
class RevocationStore : public RecordsDecisions {
 public:
  virtual ~RevocationStore() = default;

  // Makes the order and its event durable in one transaction. From then on every live certificate
  // that it names is revoked, including certificates that are recorded and not yet signed.
  // kKeyCompromise also blocks the keys of all these certificates for ever, including those that
  // were revoked before. The serial may be that of an issuing authority or an OCSP responder.
  //   kNotFound            a serial that the hierarchy has never recorded
  //   kFailedPrecondition  rule `certificate.expired`: no relying party accepts it any more (no
  //                        error if it was revoked before it expired); rule `certificate.root`: no
  //                        authority above a root could list it as revoked
  virtual Result<Recorded<RevocationOutcome>> Revoke(const RevocationOrder& order,
                                                     const AuditEvent& event) = 0;
  // Returns the outcome that Revoke() would have now; the same errors. Changes nothing.
  virtual Result<RevocationOutcome> Preview(const RevocationOrder& order) = 0;

  // Returns the revocations that became visible since `cursor` (all, for an empty cursor), in every
  // hierarchy, of certificates that end at `live_after` or later; then advances the cursor. A
  // revocation may be returned twice, and none is missed, in any order of commits.
  virtual Result<std::vector<Revocation>> ReadSince(RevocationCursor& cursor,
                                                    TimePoint live_after) = 0;
  // Returns when a revocation, a CRL or a trust bundle may be new, or after `patience`. Called by
  // one thread. A lost notification delays it by `patience` at most.
  virtual Status AwaitNews(std::chrono::milliseconds patience) = 0;

  // Reads the ledger itself, including expired certificates. Concurrent calls share one query.
  virtual Result<CertificateStatus> FindStatus(HierarchyId hierarchy, AuthorityId authority,
                                               const SerialNumber& serial) = 0;
};

}  // namespace ca
