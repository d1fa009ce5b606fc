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

// Reads the form that Rfc3339() writes. kInvalidArgument for any other form, and for a day that its
// month does not have.
Result<TimePoint> ParseRfc3339(std::string_view text);

// The two largest units of the duration: "59m 12s", "6d 23h", "0s".
std::string HumanDuration(std::chrono::microseconds duration);

// "30s", "5m", "1h", "90d": a whole number and one unit. kInvalidArgument otherwise, and for more
// than 100 years.
Result<std::chrono::seconds> ParseDuration(std::string_view text);
// The text that ParseDuration() reads as `duration`, in the largest unit that divides it: 36h, 90d.
std::string DurationText(std::chrono::seconds duration);

}  // namespace ca
