#include "ca/base/serial_number.h"

#include <algorithm>

#include "ca/base/random.h"

namespace ca {
namespace {

constexpr char kForm = 0x01;
constexpr size_t kRandomSize = 16;

}  // namespace

SerialNumber SerialNumber::New(TimePoint not_after) {
  const auto day = std::chrono::floor<std::chrono::days>(not_after).time_since_epoch().count();
  Bytes bytes;
  bytes.reserve(kSize);
  bytes.push_back(kForm);
  bytes.push_back(static_cast<char>(day >> 16 & 0xff));
  bytes.push_back(static_cast<char>(day >> 8 & 0xff));
  bytes.push_back(static_cast<char>(day & 0xff));
  bytes += RandomBytes(kRandomSize);
  return SerialNumber(std::move(bytes));
}

Result<SerialNumber> SerialNumber::FromBytes(BytesView bytes) {
  if (bytes.size() != kSize || bytes[0] != kForm) {
    return Error(StatusCode::kInvalidArgument,
                 "serial is not one of agentpki's: 40 hex digits that begin with 01");
  }
  return SerialNumber(Bytes(bytes));
}

Result<SerialNumber> SerialNumber::FromHexText(std::string_view text) {
  std::string digits(text.substr(0, kSize * 3));
  std::erase(digits, ':');
  const auto bytes = FromHex(digits);
  if (!bytes.ok() || text.size() > kSize * 3) return FromBytes("");
  return FromBytes(*bytes);
}

std::chrono::sys_days SerialNumber::ExpiryDay() const {
  const auto octet = [this](size_t i) { return static_cast<unsigned char>(bytes_[i]); };
  return std::chrono::sys_days(std::chrono::days(octet(1) << 16 | octet(2) << 8 | octet(3)));
}

}  // namespace ca
