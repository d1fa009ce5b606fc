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

// One revoked certificate. There is at most one for each serial, the first; nothing removes it.
struct Revocation {
  SerialNumber serial;
  HierarchyId hierarchy{};
  AuthorityId authority{};  // the issuer
  CrlShard shard = 0;
  TimePoint not_after;   // of the certificate
  TimePoint revoked_at;  // by the clock of the server that took it
  RevocationReason reason = RevocationReason::kUnspecified;
  // When the key is known or suspected to have been lost (RFC 5280 section 5.3.2).
  std::optional<TimePoint> invalidity_date;
};

// What a relying party may be told of a serial of one authority.
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

// What is to be revoked, and why.
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

// What an order does, or would do.
struct RevocationOutcome {
  static constexpr size_t kListedMax = 1000;

  std::int64_t revoked_count = 0;          // by this order
  std::int64_t already_revoked_count = 0;  // before it, of those that it names
  std::vector<RevocationEntry> revoked;    // the first kListedMax, by serial
  std::optional<Revocation> standing;      // of a single serial: its revocation, whoever ordered it
};

// Where a reader of revocations has come to. Opaque; starts empty.
struct RevocationCursor {
  std::string position;
};

// Revocations in the ledger. Thread-safe, blocking. Errors: kUnavailable while the database is
// away, kDeadlineExceeded while it is too slow; both may be retried, since an order that was
// carried out changes nothing when it is carried out again.
class RevocationStore : public RecordsDecisions {
 public:
  virtual ~RevocationStore() = default;

  // Makes the order durable with its event, in one transaction; every live certificate that it
  // names is revoked then, also one that is recorded and not yet signed. For kKeyCompromise the
  // keys of all that it names are blocked for ever, also of those that were revoked before.
  // A serial may also be that of an issuing authority or an OCSP responder.
  //   kNotFound            a serial that the hierarchy has never recorded
  //   kFailedPrecondition  rule `certificate.expired`: nobody accepts it any more (what was revoked
  //                        before it expired is no error), or `certificate.root`: nobody above it
  //                        could say so
  virtual Result<Recorded<RevocationOutcome>> Revoke(const RevocationOrder& order,
                                                     const AuditEvent& event) = 0;
  // What Revoke() would do, now. The same errors.
  virtual Result<RevocationOutcome> Preview(const RevocationOrder& order) = 0;

  // Revocations of every hierarchy, of certificates that have not expired before `live_after`, that
  // became visible since `cursor`, which it moves on; from an empty cursor, all. Some may come
  // again, none is left out, whatever order their transactions commit in.
  virtual Result<std::vector<Revocation>> ReadSince(RevocationCursor& cursor,
                                                    TimePoint live_after) = 0;
  // Returns when somebody may have revoked or published something, after `patience` at the latest.
  // To be called by one thread; a notification that is lost costs the patience and no more.
  virtual Status AwaitNews(std::chrono::milliseconds patience) = 0;

  // From the ledger itself, also of what has expired. Callers that arrive together are answered
  // together.
  virtual Result<CertificateStatus> FindStatus(HierarchyId hierarchy, AuthorityId authority,
                                               const SerialNumber& serial) = 0;
};

}  // namespace ca
