#pragma once

#include <chrono>
#include <vector>

namespace bench {

// The durations of many operations. Not thread-safe: each worker has its own, merged afterwards.
class Latencies {
 public:
  void Add(std::chrono::nanoseconds duration) { durations_.push_back(duration); }
  void Merge(const Latencies& other);
  size_t count() const { return durations_.size(); }
  // The duration that `share` of the operations did not exceed, 0 < share <= 1. 0 if there are no
  // operations.
  double Milliseconds(double share) const;

 private:
  std::vector<std::chrono::nanoseconds> durations_;
};

}  // namespace bench
