#pragma once

#include <string>

#include "ca/base/clock.h"

namespace ca {

enum class Decision {
  kAllowed,  // the act was carried out, in the same transaction as this event
  kDenied,   // a rule refused it
  kFailed,   // it was permitted but did not happen: the token, the database or the deadline
};

// One decision: who did or tried what, when, from where, and what was decided by which rule.
// Rows are only ever inserted, in commit order by `sequence` (the ledger numbers them): the
// tamper-evident log will read them in that order.
struct AuditEvent {
  TimePoint at;
  std::string actor;   // SPIFFE ID, "join-token:ID", "init" or "anonymous"
  std::string action;  // "Enroll", "RegisterAgent", ...: the RPC's or the story's name
  Decision decision = Decision::kAllowed;
  std::string rule;            // the rule that refused or admitted; "" when none spoke
  std::string reason;          // the message given to the caller; "" when allowed
  std::string subject;         // SPIFFE ID or other name of what was acted on
  std::string serial;          // lower-case hex of the certificate concerned, or ""
  std::string from;            // the peer's address, or "local"
  std::string correlation_id;  // ties it to log lines and to the reply's metadata
  std::string request_id;      // the caller's own, or ""
};

}  // namespace ca
