#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "ca/base/result.h"

namespace server {

// Something that the server needs, as the last check found it.
struct Component {
  std::string name;
  bool healthy = false;
  std::string detail;  // what is wrong, or "ok"
  std::set<std::string> tenants;
};

// Checks every two seconds whether the components that the server needs are healthy, so that a
// caller that asks never waits for one. A component that has not answered for ten seconds is
// unhealthy. Thread-safe.
class HealthMonitor {
 public:
  struct Check {
    std::string name;
    std::function<ca::Status()> look;
    std::set<std::string> tenants = {};  // the only ones that need it; empty: all do
  };

  // `tell` is called with whether every component that all tenants need is healthy: after the first
  // checks, and when that changes.
  HealthMonitor(std::vector<Check> checks, std::function<void(bool)> tell);
  // Waits for checks that have begun.
  ~HealthMonitor();

  std::vector<Component> Components() const;

 private:
  using Steady = std::chrono::steady_clock;

  struct Look {
    Steady::time_point begun;
    bool is_under_way = false;
    bool is_known = false;  // whether `status` says something
    ca::Status status;
  };

  void LookForEver(size_t i);
  void JudgeForEver();
  std::vector<Component> Judged() const;  // call it under the lock

  const std::vector<Check> checks_;
  const std::function<void(bool)> tell_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool is_stopping_ = false;
  std::vector<Look> looks_;
  unsigned news_count_ = 0;  // of looks that ended
  std::vector<Component> components_;
  std::vector<std::thread> threads_;  // one a check, and a judge; the last: they use the others
};

}  // namespace server
