#pragma once

#include <array>
#include <atomic>
#include <cstdint>

namespace ocsp {

// A counter that many threads increment millions of times a second: each thread adds in a cache
// line that few others touch. Thread-safe.
class StripedCounter {
 public:
  void Add() { stripes_[Mine()].count.fetch_add(1, std::memory_order_relaxed); }

  std::uint64_t Sum() const {
    std::uint64_t sum = 0;
    for (const Stripe& stripe : stripes_) sum += stripe.count.load(std::memory_order_relaxed);
    return sum;
  }

 private:
  static constexpr size_t kStripeCount = 16;
  struct alignas(64) Stripe {
    std::atomic<std::uint64_t> count = 0;
  };

  static size_t Mine() {
    static std::atomic<size_t> next = 0;
    thread_local const size_t mine = next.fetch_add(1) % kStripeCount;
    return mine;
  }

  std::array<Stripe, kStripeCount> stripes_;
};

}  // namespace ocsp
