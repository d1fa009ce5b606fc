#pragma once

#include <memory>
#include <optional>
#include <string>

#include "ca/base/clock.h"
#include "ca/model/hierarchy.h"
#include "ca/model/request_facts.h"

namespace ca {

enum class Decision {
  kAllowed,  // the act was carried out, in the same transaction as this event
  kDenied,   // a rule refused it
  kFailed,   // it was permitted but did not happen: the token, the database or the deadline
};

std::string_view NameOf(Decision decision);  // allowed, denied, failed
Result<Decision> DecisionFrom(std::string_view name);

// One decision: who did or tried what, when, from where, and what was decided by which rule.
// Rows are only ever inserted; the ledger numbers them and notes their transaction, so that a
// tamper-evident log can read them in commit order.
struct AuditEvent {
  TimePoint at;
  std::string actor;   // SPIFFE ID, "join-token:ID", "init", "server" or "anonymous"
  std::string action;  // "Enroll", "RegisterAgent", ...: NameOf(Action)
  Decision decision = Decision::kAllowed;
  std::string rule;            // the rule that refused or admitted; "" when none spoke
  std::string reason;          // the message given to the caller; "" when allowed
  HierarchyId hierarchy{};     // 0 when the call named none that exists
  std::string subject;         // SPIFFE ID or other name of what was acted on
  std::string serial;          // lower-case hex of the certificate concerned, or ""
  std::string from;            // the peer's address, or "local"
  std::string correlation_id;  // ties it to log lines and to the reply's metadata
  std::string request_id;      // the caller's own, or ""
  // Of Enroll and Renew, what the policy decides by; none when it was refused before it was known.
  std::optional<RequestFacts> request;
  // Of a change that takes two, UseApproval: the store that makes the change records it, and with
  // it the use, in the same transaction (ca/ports/approval_store.h). In what only is recorded it
  // says nothing.
  std::shared_ptr<const AuditEvent> approval_use;
};

// Why an operator did something, for whoever reads it later: 1 to kNoteMax octets of printable
// ASCII. kInvalidArgument naming `field`.
inline constexpr size_t kNoteMax = 200;
Status CheckNote(std::string_view field, const std::string& note);

}  // namespace ca
