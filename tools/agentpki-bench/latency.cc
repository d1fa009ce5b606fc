#include "tools/agentpki-bench/latency.h"

#include <algorithm>
#include <cmath>

namespace bench {

void Latencies::Merge(const Latencies& other) {
  durations_.insert(durations_.end(), other.durations_.begin(), other.durations_.end());
}

double Latencies::Milliseconds(double share) const {
  if (durations_.empty()) return 0;
  std::vector<std::chrono::nanoseconds> sorted = durations_;
  const auto rank = static_cast<size_t>(std::ceil(share * static_cast<double>(sorted.size()))) - 1;
  const auto nth = sorted.begin() + static_cast<std::ptrdiff_t>(rank);
  std::nth_element(sorted.begin(), nth, sorted.end());
  return std::chrono::duration<double, std::milli>(*nth).count();
}

}  // namespace bench
