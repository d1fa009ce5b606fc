#pragma once

#include <string>
#include <string_view>

#include "ca/access/authorization.h"
#include "ca/access/caller.h"
#include "ca/model/audit_event.h"

namespace ca {

// One request from its beginning to its audit event: who calls, what for, since when, and the event
// that is being filled. A use case takes it as its first parameter, and writes into event() what it
// learns (hierarchy, subject, serial, rule), as soon as it learns it, so that a refusal says it
// too.
//
// A use case that changes something returns the RecordedDecision of event() (ca/ports/recorded.h).
// After an error nothing is recorded, and the edge records event() as refused or failed.
class Call {
 public:
  // `event` says what is known before anything is looked at. The caller is anonymous.
  Call(Action action, AuditEvent event) : action_(action), event_(std::move(event)) {}
  Call(Action action, AuditEvent event, Caller caller) : Call(action, std::move(event)) {
    Identify(std::move(caller));
  }

  // The server's own initiative. `actor` is "conductor", "server" or "init".
  static Call Local(std::string actor, Action action, TimePoint now);

  // The same caller does something else by this call, with an event of its own.
  Call As(Action action) const;

  // The TLS handshake proved that `caller` calls.
  void Identify(Caller caller);

  Action action() const { return action_; }
  const Caller& caller() const { return caller_; }
  // When the call began, which is also the time of its event.
  TimePoint now() const { return event_.at; }

  AuditEvent& event() { return event_; }
  const AuditEvent& event() const { return event_; }

  // The call is about that hierarchy, or about `subject` in it.
  void Concerns(HierarchyId hierarchy) { event_.hierarchy = hierarchy; }
  void Concerns(HierarchyId hierarchy, std::string subject);

 private:
  const Action action_;
  Caller caller_;
  AuditEvent event_;
};

// The event of a step that a server takes by itself, at `now`, in the name of `actor`.
AuditEvent LocalEvent(std::string actor, std::string_view action, TimePoint now);

}  // namespace ca
