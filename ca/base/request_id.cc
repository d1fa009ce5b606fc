#include "ca/base/request_id.h"

#include <charconv>

#include "ca/base/bytes.h"
#include "ca/base/random.h"

namespace ca {
namespace {

constexpr size_t kTextSize = 36;

// The first 48 bits: milliseconds since 1970-01-01 UTC.
TimePoint TimeOf(std::string_view text) {
  const std::string digits = std::string(text.substr(0, 8)) + std::string(text.substr(9, 4));
  long long milliseconds = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), milliseconds, 16);
  return TimePoint(std::chrono::milliseconds(milliseconds));
}

bool HasUuid7Form(std::string_view text) {
  if (text.size() != kTextSize) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    const bool digit = (text[i] >= '0' && text[i] <= '9') || (text[i] >= 'a' && text[i] <= 'f');
    if (dash ? text[i] != '-' : !digit) return false;
  }
  return text[14] == '7' && std::string_view("89ab").find(text[19]) != std::string_view::npos;
}

}  // namespace

RequestId RequestId::New(TimePoint now) {
  const auto milliseconds =
      std::chrono::floor<std::chrono::milliseconds>(now).time_since_epoch().count();
  Bytes octets;
  for (int shift = 40; shift >= 0; shift -= 8) {
    octets.push_back(static_cast<char>(milliseconds >> shift & 0xff));
  }
  octets += RandomBytes(10);
  octets[6] = static_cast<char>((octets[6] & 0x0f) | 0x70);  // version 7
  octets[8] = static_cast<char>((octets[8] & 0x3f) | 0x80);  // variant 10
  std::string text = Hex(octets);
  for (const size_t dash : {8, 13, 18, 23}) text.insert(dash, 1, '-');
  return RequestId(std::move(text));
}

Result<RequestId> RequestId::Parse(std::string_view text, TimePoint now) {
  std::string lower(text.substr(0, kTextSize + 1));
  for (char& c : lower) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  if (!HasUuid7Form(lower)) {
    return Error(StatusCode::kInvalidArgument,
                 "request_id: write a UUIDv7 (RFC 9562), one per request, the same on each retry");
  }
  const TimePoint made = TimeOf(lower);
  if (made < now - kLifetime || made > now + kSkew) {
    return Error(StatusCode::kInvalidArgument,
                 "request_id: its time, {}, is more than 24 hours ago or 5 minutes ahead of the "
                 "server's, {}; make a new one, or set the clock",
                 Rfc3339(made), Rfc3339(now));
  }
  return RequestId(std::move(lower));
}

std::chrono::sys_days RequestId::Day() const {
  return std::chrono::floor<std::chrono::days>(TimeOf(text_));
}

}  // namespace ca
