#include "ca/server/http/http_caching.h"

#include <array>
#include <charconv>

namespace server {
namespace {

constexpr std::string_view kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::string_view kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

void PutNumber(char* to, int digits, int number) {
  for (int i = digits - 1; i >= 0; --i, number /= 10) to[i] = static_cast<char>('0' + number % 10);
}

std::optional<int> Number(std::string_view digits) {
  int number = 0;
  for (const char c : digits) {
    if (c < '0' || c > '9') return std::nullopt;
    number = number * 10 + (c - '0');
  }
  return number;
}

std::string_view Trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// If-None-Match compares weakly (RFC 9110 section 13.1.2). Our tags never contain a comma.
bool Lists(std::string_view tags, std::string_view etag) {
  while (!tags.empty()) {
    const size_t comma = tags.find(',');
    std::string_view tag = Trimmed(tags.substr(0, comma));
    if (tag.starts_with("W/")) tag.remove_prefix(2);
    if (tag == etag || tag == "*") return true;
    if (comma == tags.npos) return false;
    tags.remove_prefix(comma + 1);
  }
  return false;
}

}  // namespace

std::string HttpDate(ca::TimePoint time) {
  const auto days = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(days);
  const std::chrono::hh_mm_ss clock(std::chrono::floor<std::chrono::seconds>(time) - days);
  std::string text = "Sun, 06 Nov 1994 08:49:37 GMT";
  kDays[std::chrono::weekday(days).c_encoding()].copy(&text[0], 3);
  PutNumber(&text[5], 2, static_cast<int>(static_cast<unsigned>(date.day())));
  kMonths[static_cast<unsigned>(date.month()) - 1].copy(&text[8], 3);
  PutNumber(&text[12], 4, static_cast<int>(date.year()));
  PutNumber(&text[17], 2, static_cast<int>(clock.hours().count()));
  PutNumber(&text[20], 2, static_cast<int>(clock.minutes().count()));
  PutNumber(&text[23], 2, static_cast<int>(clock.seconds().count()));
  return text;
}

std::optional<ca::TimePoint> ParseHttpDate(std::string_view text) {
  // Sun, 06 Nov 1994 08:49:37 GMT
  // 0    5  8   12   17 20 23 26
  if (text.size() != 29) return std::nullopt;
  int month = 0;
  while (month < 12 && text.substr(8, 3) != kMonths[month]) ++month;
  const auto day = Number(text.substr(5, 2));
  const auto year = Number(text.substr(12, 4));
  const auto hour = Number(text.substr(17, 2));
  const auto minute = Number(text.substr(20, 2));
  const auto second = Number(text.substr(23, 2));
  if (month == 12 || !day || !year || !hour || !minute || !second) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(*year),
                                         std::chrono::month(static_cast<unsigned>(month) + 1),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok() || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
  const ca::TimePoint time = std::chrono::sys_days(date) + std::chrono::hours(*hour) +
                             std::chrono::minutes(*minute) + std::chrono::seconds(*second);
  // Writing the time again checks the rest of the text. A leap second means the second after it, so
  // its text is not checked.
  if (*second < 60 && HttpDate(time) != text) return std::nullopt;
  return time;
}

bool IsNotModified(const HttpRequest& request, std::string_view etag, ca::TimePoint last_modified) {
  if (request.method != HttpMethod::kGet) return false;
  if (!request.if_none_match.empty()) return Lists(request.if_none_match, etag);
  if (request.if_modified_since.empty()) return false;
  const auto since = ParseHttpDate(request.if_modified_since);
  return since && std::chrono::floor<std::chrono::seconds>(last_modified) <= *since;
}

}  // namespace server
