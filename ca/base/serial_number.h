#pragma once

#include <chrono>
#include <compare>

#include "ca/base/bytes.h"
#include "ca/base/clock.h"

namespace ca {

// A certificate's serial number: 20 octets, positive, unique (RFC 5280 section 4.1.2.2).
//
//   octet  0       the form, 0x01
//   octets 1..3    the day of expiry, days since 1970-01-01 UTC, big endian: it names the ledger's
//                  partition
//   octets 4..19   128 bits from the CSPRNG
class SerialNumber {
 public:
  static constexpr size_t kSize = 20;

  static SerialNumber New(TimePoint not_after);

  // kInvalidArgument unless 20 octets of the form above.
  static Result<SerialNumber> FromBytes(BytesView bytes);
  // 40 hex digits, upper or lower case, with or without colons between octets (as OpenSSL prints).
  static Result<SerialNumber> FromHexText(std::string_view text);

  const Bytes& bytes() const { return bytes_; }
  std::string ToString() const { return Hex(bytes_); }
  std::chrono::sys_days ExpiryDay() const;

  friend bool operator==(const SerialNumber&, const SerialNumber&) = default;
  friend auto operator<=>(const SerialNumber&, const SerialNumber&) = default;

 private:
  explicit SerialNumber(Bytes bytes) : bytes_(std::move(bytes)) {}
  Bytes bytes_;
};

}  // namespace ca
