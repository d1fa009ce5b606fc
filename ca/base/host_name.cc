#include "ca/base/host_name.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

namespace ca {
namespace {

constexpr size_t kDnsNameSizeMax = 253;
constexpr size_t kLabelSizeMax = 63;

bool IsLabel(std::string_view label) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  };
  return !label.empty() && label.size() <= kLabelSizeMax && label.front() != '-' &&
         label.back() != '-' && std::all_of(label.begin(), label.end(), allowed);
}

Bytes MaskOf(size_t size, int prefix_length) {
  Bytes mask(size, '\0');
  for (int bit = 0; bit < prefix_length; ++bit) mask[bit / 8] |= static_cast<char>(0x80 >> bit % 8);
  return mask;
}

}  // namespace

bool IsDnsName(std::string_view text) {
  if (text.size() > kDnsNameSizeMax) return false;
  for (;;) {
    const size_t end = text.find('.');
    if (!IsLabel(text.substr(0, end))) return false;
    if (end == std::string_view::npos) return true;
    text.remove_prefix(end + 1);
  }
}

Result<IpAddress> IpAddress::Parse(std::string_view text) {
  const std::string terminated(text.substr(0, INET6_ADDRSTRLEN));
  const bool is_v6 = terminated.find(':') != std::string::npos;
  Bytes bytes(is_v6 ? 16 : 4, '\0');
  if (terminated.find('\0') != std::string::npos ||
      inet_pton(is_v6 ? AF_INET6 : AF_INET, terminated.c_str(), bytes.data()) != 1) {
    return Error(StatusCode::kInvalidArgument,
                 "'{}' is not an IP address such as 192.0.2.7 or 2001:db8::7", Printable(text));
  }
  return IpAddress(std::move(bytes));
}

Result<IpAddress> IpAddress::FromBytes(BytesView bytes) {
  if (bytes.size() != 4 && bytes.size() != 16) {
    return Error(StatusCode::kInvalidArgument, "an IP address has 4 or 16 octets, not {}",
                 bytes.size());
  }
  return IpAddress(Bytes(bytes));
}

std::string IpAddress::ToString() const {
  char text[INET6_ADDRSTRLEN] = "";
  inet_ntop(bytes_.size() == 4 ? AF_INET : AF_INET6, bytes_.data(), text, sizeof text);
  return text;
}

Result<IpRange> IpRange::Parse(std::string_view text) {
  const size_t slash = text.find('/');
  IpAddress address = TRY(IpAddress::Parse(text.substr(0, slash)));
  const int bits = static_cast<int>(address.bytes().size()) * 8;
  int prefix_length = bits;
  if (slash != std::string_view::npos) {
    const char* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data() + slash + 1, end, prefix_length);
    if (error != std::errc() || stop != end || prefix_length < 0 || prefix_length > bits) {
      return Error(StatusCode::kInvalidArgument, "'{}' is not an IP range such as 192.0.2.0/24",
                   Printable(text));
    }
  }
  Bytes mask = MaskOf(address.bytes().size(), prefix_length);
  for (size_t i = 0; i < mask.size(); ++i) {
    if ((address.bytes()[i] & ~mask[i]) != 0) {
      return Error(
          StatusCode::kInvalidArgument,
          "'{}' has address bits beyond its prefix length; write the first address of the range",
          Printable(text));
    }
  }
  return IpRange(std::move(address), std::move(mask), prefix_length);
}

bool IpRange::Contains(const IpAddress& address) const {
  if (address.bytes().size() != mask_.size()) return false;
  for (size_t i = 0; i < mask_.size(); ++i) {
    if ((address.bytes()[i] & mask_[i]) != address_.bytes()[i]) return false;
  }
  return true;
}

std::string IpRange::ToString() const {
  return fmt::format("{}/{}", address_.ToString(), prefix_length_);
}

}  // namespace ca
