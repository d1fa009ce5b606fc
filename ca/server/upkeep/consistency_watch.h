#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include "ca/catalog/live_catalog.h"
#include "ca/server/status/consistency.h"
#include "ca/server/telemetry/metrics.h"

namespace server {

// Checks every hierarchy on schedule, and reports to the metrics and the log. It runs on every
// replica, because each replica knows only its own OCSP and CRLs. Thread-safe.
class ConsistencyWatch {
 public:
  static constexpr std::chrono::minutes kFirstAfter{1};  // after its start
  static constexpr std::chrono::minutes kInterval{10};
  static constexpr std::chrono::minutes kRetryInterval{1};  // after a check that failed

  // Consistency::Check().
  using Check = std::function<ca::Result<ConsistencyReport>(
      const ca::HierarchySnapshot& hierarchy, const std::function<bool()>& is_given_up)>;

  // Everything outlives it.
  ConsistencyWatch(const ca::LiveCatalog& catalogs, Check check, Metrics& metrics,
                   const ca::Clock& clock);
  ~ConsistencyWatch() { Stop(); }

  // From now on, on a thread of its own.
  void Start();
  // Gives up a check that has begun.
  void Stop();

  // That thread calls it every second. It does nothing if no check is due. One thread at a time.
  void CheckWhenDue();

 private:
  void WatchForEver();
  bool IsStopping() const;
  ca::Status CheckOne(const ca::HierarchySnapshot& hierarchy) const;

  const ca::LiveCatalog& catalogs_;
  const Check check_;
  Metrics& metrics_;
  const ca::Clock& clock_;
  ca::TimePoint due_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool is_stopping_ = false;
  std::thread thread_;
};

}  // namespace server
