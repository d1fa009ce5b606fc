#include "ca/access/call.h"

namespace ca {

Call Call::Local(std::string actor, Action action, TimePoint now) {
  return {action, LocalEvent(std::move(actor), NameOf(action), now)};
}

Call Call::As(Action action) const {
  Call other(action, event_);
  other.caller_ = caller_;
  other.event_.action = NameOf(action);
  return other;
}

void Call::Identify(Caller caller) {
  caller_ = std::move(caller);
  event_.actor = caller_.Name();
}

void Call::Concerns(HierarchyId hierarchy, std::string subject) {
  event_.hierarchy = hierarchy;
  event_.subject = std::move(subject);
}

AuditEvent LocalEvent(std::string actor, std::string_view action, TimePoint now) {
  return {
      .at = now,
      .actor = std::move(actor),
      .action = std::string(action),
      .from = "local",
  };
}

}  // namespace ca
