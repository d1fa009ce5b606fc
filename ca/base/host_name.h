#pragma once

#include <compare>
#include <string>
#include <string_view>

#include "ca/base/bytes.h"
#include "ca/base/result.h"

namespace ca {

// A lower-case host name of one label or more, each of [a-z0-9-] and at most 63 (RFC 1123 section
// 2.1), 253 in all; no wildcard, no trailing dot.
bool IsDnsName(std::string_view text);

// An IPv4 or IPv6 address: 4 or 16 octets, as in an iPAddress name (RFC 5280 section 4.2.1.6).
class IpAddress {
 public:
  // 192.0.2.7 or 2001:db8::7. kInvalidArgument otherwise.
  static Result<IpAddress> Parse(std::string_view text);
  // kInvalidArgument unless 4 or 16 octets.
  static Result<IpAddress> FromBytes(BytesView bytes);

  const Bytes& bytes() const { return bytes_; }
  std::string ToString() const;
  friend auto operator<=>(const IpAddress&, const IpAddress&) = default;

 private:
  explicit IpAddress(Bytes bytes) : bytes_(std::move(bytes)) {}
  Bytes bytes_;
};

// A range of addresses: 192.0.2.0/24. As a name constraint it is address and mask in one octet
// string (RFC 5280 section 4.2.1.10).
class IpRange {
 public:
  // Address and prefix length; an address alone is a range of one. kInvalidArgument otherwise, and
  // if bits beyond the prefix are set, which is more often a typo than intended.
  static Result<IpRange> Parse(std::string_view text);

  bool Contains(const IpAddress& address) const;
  Bytes AddressAndMask() const { return address_.bytes() + mask_; }
  std::string ToString() const;
  friend bool operator==(const IpRange&, const IpRange&) = default;

 private:
  IpRange(IpAddress address, Bytes mask, int prefix_length)
      : address_(std::move(address)), mask_(std::move(mask)), prefix_length_(prefix_length) {}
  IpAddress address_;
  Bytes mask_;
  int prefix_length_;
};

}  // namespace ca
