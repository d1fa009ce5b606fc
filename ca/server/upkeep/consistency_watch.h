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

// Has every hierarchy checked without being asked, and tells the metrics and the log. On every
// replica, because each knows only what its own OCSP and CRLs say. Thread-safe.
class ConsistencyWatch {
 public:
  static constexpr std::chrono::minutes kFirstAfter{1};  // it began
  static constexpr std::chrono::minutes kInterval{10};
  static constexpr std::chrono::minutes kRetryInterval{1};  // when a check could not be done

  // Consistency::Check().
  using Check = std::function<ca::Result<ConsistencyReport>(
      const ca::HierarchySnapshot& hierarchy, const std::function<bool()>& is_given_up)>;

  // What is referred to outlives it.
  ConsistencyWatch(const ca::LiveCatalog& catalogs, Check check, Metrics& metrics,
                   const ca::Clock& clock);
  ~ConsistencyWatch() { Stop(); }

  // From now on, on a thread of its own.
  void Start();
  // Gives up what is under way.
  void Stop();

  // What that thread does every second: nothing when a check is not due. By one thread at a time.
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
