#pragma once

#include <atomic>

#include "ca/base/clock.h"

namespace ca::testing {

// A clock that stands until it is set or advanced. Thread-safe.
class FakeClock final : public Clock {
 public:
  // 2026-11-24T12:00:00.123457Z: no whole second, so that what needs one has to make it.
  FakeClock() : FakeClock(TimePoint(std::chrono::microseconds(1'795'521'600'123'457))) {}
  explicit FakeClock(TimePoint now) : now_(now) {}

  TimePoint Now() const override { return now_.load(); }
  void Set(TimePoint now) { now_.store(now); }
  void Advance(std::chrono::microseconds duration) { now_.store(now_.load() + duration); }

 private:
  std::atomic<TimePoint> now_;
};

}  // namespace ca::testing
