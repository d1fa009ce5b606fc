#include "ca/base/clock.h"

#include <fmt/chrono.h>

#include <array>
#include <charconv>

namespace ca {

TimePoint SystemClock::Now() const {
  return std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
}

std::string Rfc3339(TimePoint time) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}",
                     fmt::gmtime(std::chrono::floor<std::chrono::seconds>(time)));
}

Result<TimePoint> ParseRfc3339(std::string_view text) {
  constexpr std::string_view kForm = "0000-00-00T00:00:00Z";
  bool is_formed = text.size() == kForm.size();
  for (size_t i = 0; is_formed && i < kForm.size(); ++i) {
    is_formed = kForm[i] == '0' ? text[i] >= '0' && text[i] <= '9' : text[i] == kForm[i];
  }
  const auto number = [&](size_t at, size_t digits) {
    int value = 0;
    for (const char digit : text.substr(at, digits)) value = value * 10 + (digit - '0');
    return value;
  };
  if (is_formed) {
    const std::chrono::year_month_day day(std::chrono::year(number(0, 4)),
                                          std::chrono::month(static_cast<unsigned>(number(5, 2))),
                                          std::chrono::day(static_cast<unsigned>(number(8, 2))));
    const int hour = number(11, 2), minute = number(14, 2), second = number(17, 2);
    if (day.ok() && hour < 24 && minute < 60 && second < 60) {
      return std::chrono::sys_days(day) + std::chrono::hours(hour) + std::chrono::minutes(minute) +
             std::chrono::seconds(second);
    }
  }
  return Error(StatusCode::kInvalidArgument,
               "'{}' is not a time in UTC such as 2026-11-24T04:53:00Z", Printable(text));
}

std::string HumanDuration(std::chrono::microseconds duration) {
  struct Unit {
    long long seconds;
    char name;
  };
  constexpr std::array<Unit, 4> kUnits = {{{86400, 'd'}, {3600, 'h'}, {60, 'm'}, {1, 's'}}};
  long long seconds = std::chrono::floor<std::chrono::seconds>(duration).count();
  const bool negative = seconds < 0;
  if (negative) seconds = -seconds;
  std::string text;
  int units_shown = 0;
  for (const Unit& unit : kUnits) {
    const long long count = seconds / unit.seconds;
    seconds %= unit.seconds;
    if (units_shown == 0 && count == 0) continue;
    if (count != 0) text += fmt::format("{}{}{}", text.empty() ? "" : " ", count, unit.name);
    if (++units_shown == 2) break;
  }
  if (text.empty()) text = "0s";
  return negative ? "-" + text : text;
}

Result<std::chrono::seconds> ParseDuration(std::string_view text) {
  constexpr long long kLongestSeconds = 100LL * 366 * 86400;
  long long count = 0;
  const char* const end = text.data() + text.size();
  const auto [unit, error] = std::from_chars(text.data(), end, count);
  const auto refuse = [&] {
    return Error(StatusCode::kInvalidArgument,
                 "'{}' is not a duration: write a whole number and s, m, h or d, such as 90d",
                 Printable(text));
  };
  if (error != std::errc() || count < 0 || unit + 1 != end) return refuse();
  long long unit_seconds = 0;
  switch (*unit) {
    case 's':
      unit_seconds = 1;
      break;
    case 'm':
      unit_seconds = 60;
      break;
    case 'h':
      unit_seconds = 3600;
      break;
    case 'd':
      unit_seconds = 86400;
      break;
    default:
      return refuse();
  }
  if (count > kLongestSeconds / unit_seconds) return refuse();
  return std::chrono::seconds(count * unit_seconds);
}

std::string DurationText(std::chrono::seconds duration) {
  const long long seconds = duration.count();
  if (seconds != 0 && seconds % 86400 == 0) return fmt::format("{}d", seconds / 86400);
  if (seconds != 0 && seconds % 3600 == 0) return fmt::format("{}h", seconds / 3600);
  if (seconds != 0 && seconds % 60 == 0) return fmt::format("{}m", seconds / 60);
  return fmt::format("{}s", seconds);
}

}  // namespace ca
