#include "ca/model/recorded_request.h"

#include <charconv>

namespace ca {
namespace {

// Accepts digits only: no sign and no blank.
std::optional<std::int64_t> NumberFrom(std::string_view text) {
  if (text.empty() || text.front() == '-') return std::nullopt;
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// The end of 9999, the last that PostgreSQL, X.509 and protobuf can all write.
constexpr std::chrono::seconds kLast(253'402'300'799);

}  // namespace

std::string RequestPosition::ToString() const {
  return fmt::format("{}.{}", at.time_since_epoch().count(), sequence);
}

Result<RequestPosition> RequestPosition::Parse(std::string_view text) {
  const size_t dot = text.find('.');
  if (dot != std::string_view::npos) {
    const auto at = NumberFrom(text.substr(0, dot));
    const auto sequence = NumberFrom(text.substr(dot + 1));
    if (at && sequence && std::chrono::microseconds(*at) <= kLast) {
      return RequestPosition{TimePoint(std::chrono::microseconds(*at)), *sequence};
    }
  }
  return Error(StatusCode::kInvalidArgument,
               "page_token: '{}' is not one; give the next_page_token of the page before",
               Printable(text));
}

}  // namespace ca
