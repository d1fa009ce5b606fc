#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
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
};

// Looks every two seconds whether what the server needs is well, so that nobody who asks has to
// wait for it. Thread-safe.
class HealthMonitor {
 public:
  struct Check {
    std::string name;
    std::function<ca::Status()> look;
  };

  // `tell` hears whether all is well: after the first look, and when that changes.
  HealthMonitor(std::vector<Check> checks, std::function<void(bool)> tell);
  ~HealthMonitor();

  std::vector<Component> Components() const;

 private:
  void Watch();
  void LookOnce();

  const std::vector<Check> checks_;
  const std::function<void(bool)> tell_;
  mutable std::mutex mutex_;
  std::condition_variable stop_;
  bool is_stopping_ = false;
  std::vector<Component> components_;
  std::thread thread_;  // the last: it uses the others
};

}  // namespace server
