#pragma once

#include <mutex>
#include <vector>

#include "ca/audit_event.h"

namespace ca::testing {

// The audit events of one deployment in memory, in the order in which they happened. Thread-safe.
class EventLog {
 public:
  void Add(AuditEvent event) {
    const std::lock_guard lock(mutex_);
    events_.push_back(std::move(event));
  }
  std::vector<AuditEvent> All() const {
    const std::lock_guard lock(mutex_);
    return events_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<AuditEvent> events_;
};

}  // namespace ca::testing
