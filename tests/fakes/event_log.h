#pragma once

#include <functional>
#include <mutex>
#include <vector>

#include "ca/model/audit_event.h"

namespace ca::testing {

// The audit events of one deployment in memory, in the order in which they happened. Thread-safe.
class EventLog {
 public:
  void Add(AuditEvent event) {
    const std::lock_guard lock(mutex_);
    events_.push_back(std::move(event));
  }
  // Adds `event` as an event of `hierarchy`.
  void AddIn(HierarchyId hierarchy, AuditEvent event) {
    event.hierarchy = hierarchy;
    Add(std::move(event));
  }

  // The approval store, which shares the database, uses an approval: ca/ports/approval_store.h.
  using Use = std::function<Status(const AuditEvent& use)>;
  void AskToUse(Use use) { use_ = std::move(use); }

  // Comes before a change that may take one.
  Status UseApproval(const AuditEvent& event) {
    return event.approval_use ? use_(*event.approval_use) : Ok();
  }

  std::vector<AuditEvent> All() const {
    const std::lock_guard lock(mutex_);
    return events_;
  }

 private:
  Use use_;
  mutable std::mutex mutex_;
  std::vector<AuditEvent> events_;
};

}  // namespace ca::testing
