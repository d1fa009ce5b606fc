#pragma once

#include <array>
#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>

namespace server {

// Bounds the connections of each address and of all addresses together. Thread-safe.
class HttpAdmission {
 public:
  // An IPv4 address (as its IPv4-mapped form), or the /64 of an IPv6 one.
  using Address = std::array<unsigned char, 16>;

  HttpAdmission(int per_address_max, int max) : per_address_max_(per_address_max), max_(max) {}

  // False if the address, or all addresses together, have reached their bound. After true, the
  // caller calls Leave() once.
  bool Enter(const Address& address) {
    const std::lock_guard lock(mutex_);
    if (count_ >= max_) return false;
    int& of_address = counts_[address];  // at most max_ entries, each at least 1
    if (of_address >= per_address_max_) return false;
    ++of_address;
    ++count_;
    return true;
  }

  void Leave(const Address& address) {
    const std::lock_guard lock(mutex_);
    const auto it = counts_.find(address);
    if (--it->second == 0) counts_.erase(it);
    if (--count_ == 0) none_left_.notify_all();
  }

  int count() const {
    const std::lock_guard lock(mutex_);
    return count_;
  }

  // Waits at most `time`; true if no connection is left.
  bool WaitUntilNoneIsLeft(std::chrono::milliseconds time) {
    std::unique_lock lock(mutex_);
    return none_left_.wait_for(lock, time, [this] { return count_ == 0; });
  }

 private:
  const int per_address_max_;
  const int max_;
  mutable std::mutex mutex_;
  std::condition_variable none_left_;
  std::map<Address, int> counts_;
  int count_ = 0;
};

}  // namespace server
