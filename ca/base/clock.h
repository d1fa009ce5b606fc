#pragma once

#include <chrono>
#include <string>

#include "ca/base/result.h"

namespace ca {

// Microseconds since 1970-01-01 UTC, PostgreSQL's own resolution: a time survives the ledger.
using TimePoint = std::chrono::sys_time<std::chrono::microseconds>;

// The only source of time. Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual TimePoint Now() const = 0;
};

class SystemClock final : public Clock {
 public:
  TimePoint Now() const override;
};

// RFC 3339 in UTC with whole seconds: 2026-11-24T04:53:00Z.
std::string Rfc3339(TimePoint time);

// The same, read back: kInvalidArgument for any other form or a day that no month has.
Result<TimePoint> ParseRfc3339(std::string_view text);

// The longest two units that say it: "59m 12s", "6d 23h", "0s".
std::string HumanDuration(std::chrono::microseconds duration);

// "30s", "5m", "1h", "90d": a whole number and one unit. kInvalidArgument otherwise, and for
// anything beyond 100 years.
Result<std::chrono::seconds> ParseDuration(std::string_view text);
// What ParseDuration() makes the same of, by the largest unit that leaves no rest: 36h, 90d.
std::string DurationText(std::chrono::seconds duration);

}  // namespace ca
