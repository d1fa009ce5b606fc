#pragma once

#include <memory>
#include <optional>
#include <string>

#include "ca/base/clock.h"
#include "ca/model/hierarchy.h"
#include "ca/model/request_facts.h"

namespace ca {

enum class Decision {
  kAllowed,  // the change was made in the same transaction as this event
  kDenied,   // a rule refused the call
  kFailed,   // the call was permitted, and the token, the database or the deadline stopped it
};

std::string_view NameOf(Decision decision);  // allowed, denied, failed
Result<Decision> DecisionFrom(std::string_view name);

// One decision on one call: the actor, the action, the time, the address, the decision and its
// rule. The ledger only inserts events. It numbers them and notes their transaction, so that a
// tamper-evident log can read them in commit order.
struct AuditEvent {
  TimePoint at;
  std::string actor;   // SPIFFE ID, "join-token:ID", "init", "server" or "anonymous"
  std::string action;  // "Enroll", "RegisterAgent", ...: NameOf(Action)
  Decision decision = Decision::kAllowed;
  std::string rule;            // refused or admitted the call; "" if no rule applied
  std::string reason;          // the message that the caller got; "" if allowed
  HierarchyId hierarchy{};     // 0 if the call named none that exists
  std::string subject;         // SPIFFE ID or other name of the object of the action
  std::string serial;          // lower-case hex of the certificate concerned, or ""
  std::string from;            // the peer's address, or "local"
  std::string correlation_id;  // ties it to log lines and to the reply's metadata
  std::string request_id;      // the caller's own, or ""
  // For Enroll and Renew, the facts that the policy decides by; none if the call was refused before
  // they were known.
  std::optional<RequestFacts> request;
  // The event UseApproval, for a change that needed an approval: the store that makes the change
  // records this event and the use of the approval in the same transaction
  // (ca/ports/approval_store.h). An event that is recorded without a change has none.
  std::shared_ptr<const AuditEvent> approval_use;
};

// Checks an operator's reason for an action, which later readers of the audit log see: 1 to
// kNoteMax octets of printable ASCII. kInvalidArgument names `field`.
inline constexpr size_t kNoteMax = 200;
Status CheckNote(std::string_view field, const std::string& note);

}  // namespace ca
