#pragma once

#include <chrono>
#include <vector>

namespace bench {

// How long each of many operations took. Not thread-safe: one a worker, merged afterwards.
class Latencies {
 public:
  void Add(std::chrono::nanoseconds duration) { durations_.push_back(duration); }
  void Merge(const Latencies& other);
  size_t count() const { return durations_.size(); }
  // The duration that `share` of the operations did not exceed, 0 < share <= 1; 0 when there is
  // none.
  double Milliseconds(double share) const;

 private:
  std::vector<std::chrono::nanoseconds> durations_;
};

}  // namespace bench
