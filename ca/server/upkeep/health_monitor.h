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

// Something that the server needs, as it was when it was last looked at.
struct Component {
  std::string name;
  bool healthy = false;
  std::string detail;  // what is wrong, or "ok"
  std::set<std::string> tenants;
};

// Looks every two seconds whether what the server needs is well, so that nobody who asks has to
// wait for it. What has not answered for ten seconds is not well. Thread-safe.
class HealthMonitor {
 public:
  struct Check {
    std::string name;
    std::function<ca::Status()> look;
    std::set<std::string> tenants = {};  // who alone need it; none: all do
  };

  // `tell` hears whether all is well that all need: after the first look, and when that changes.
  HealthMonitor(std::vector<Check> checks, std::function<void(bool)> tell);
  // Waits for looks that are under way.
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
