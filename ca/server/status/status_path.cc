#include "ca/server/status/status_path.h"

#include <charconv>
#include <optional>

namespace server {
namespace {

bool TakePrefix(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

bool TakeSuffix(std::string_view& text, std::string_view suffix) {
  if (!text.ends_with(suffix)) return false;
  text.remove_suffix(suffix.size());
  return true;
}

template <typename Number>
std::optional<Number> TakeNumber(std::string_view& text) {
  Number number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const auto size = static_cast<size_t>(end - text.data());
  const bool is_plain = error == std::errc() && text[0] != '-' && (text[0] != '0' || size == 1);
  if (!is_plain) return std::nullopt;
  text.remove_prefix(size);
  return number;
}

std::optional<ca::AuthorityId> TakeAuthority(std::string_view& text) {
  const auto number = TakeNumber<std::int64_t>(text);
  if (!number || *number == 0) return std::nullopt;
  return static_cast<ca::AuthorityId>(*number);
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

int Base64Digit(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '+' || c == '-' || c == ' ') return 62;
  if (c == '/' || c == '_') return 63;
  return -1;
}

// The next character with its percent-encoding undone; -1 for an encoding that is none.
int TakeCharacter(std::string_view& text) {
  const char c = text.front();
  text.remove_prefix(1);
  if (c != '%') return static_cast<unsigned char>(c);
  if (text.size() < 2) return -1;
  const int high = HexDigit(text[0]);
  const int low = HexDigit(text[1]);
  text.remove_prefix(2);
  return high < 0 || low < 0 ? -1 : high << 4 | low;
}

// "" when it is not base64.
ca::Bytes DecodeRequest(std::string_view text) {
  ca::Bytes request;
  request.reserve(text.size() * 3 / 4);
  std::uint32_t bits = 0;
  int bit_count = 0;
  bool is_padding = false;
  while (!text.empty()) {
    const int c = TakeCharacter(text);
    if (c == '\r' || c == '\n') continue;
    if (c == '=') {
      is_padding = true;
      continue;
    }
    const int digit = c < 0 || c > 0x7f ? -1 : Base64Digit(static_cast<char>(c));
    if (digit < 0 || is_padding) return {};
    bits = bits << 6 | static_cast<std::uint32_t>(digit);
    bit_count += 6;
    if (bit_count < 8) continue;
    bit_count -= 8;
    request.push_back(static_cast<char>(bits >> bit_count & 0xff));
  }
  if (bit_count >= 6) return {};  // a digit that is too few for an octet
  return request;
}

// A DER request begins with 0x30, and its base64 with an M, so slashes before it are no digits.
std::string_view WithoutSlashes(std::string_view text) {
  while (TakePrefix(text, "/") || TakePrefix(text, "%2F") || TakePrefix(text, "%2f")) {
  }
  return text;
}

StatusPath ParseOcsp(std::string_view rest) {
  const auto authority = TakeAuthority(rest);
  if (!authority || (!rest.empty() && rest.front() != '/')) return UnknownPath{};
  const std::string_view encoded = WithoutSlashes(rest);
  if (encoded.empty()) return OcspPath{*authority};
  return OcspGetPath{*authority, DecodeRequest(encoded)};
}

StatusPath ParseCrl(std::string_view rest) {
  const auto authority = TakeAuthority(rest);
  if (!authority || !TakePrefix(rest, "/")) return UnknownPath{};
  const auto shard = TakeNumber<ca::CrlShard>(rest);
  if (!shard || !TakeSuffix(rest, ".crl")) return UnknownPath{};
  const bool is_delta = TakePrefix(rest, "-delta");
  if (!rest.empty()) return UnknownPath{};
  return CrlPath{*authority, *shard, is_delta};
}

StatusPath ParseCa(std::string_view rest) {
  const auto authority = TakeAuthority(rest);
  if (!authority || rest != ".cer") return UnknownPath{};
  return CaPath{*authority};
}

}  // namespace

StatusPath ParseStatusPath(std::string_view target, std::string_view prefix) {
  std::string_view path = target.substr(0, target.find('?'));
  if (!TakePrefix(path, prefix)) return UnknownPath{};
  if (!path.starts_with('/')) return UnknownPath{};
  while (path.starts_with("//")) path.remove_prefix(1);  // of a base URL that ends with a slash
  if (TakePrefix(path, "/ocsp/")) return ParseOcsp(path);
  if (TakePrefix(path, "/crl/")) return ParseCrl(path);
  if (TakePrefix(path, "/ca/")) return ParseCa(path);
  return UnknownPath{};
}

std::string_view PathOfUrl(std::string_view url) {
  const size_t scheme = url.find("://");
  if (scheme != url.npos) url.remove_prefix(scheme + 3);
  const size_t slash = url.find('/');
  if (slash == url.npos) return {};
  url.remove_prefix(slash);
  while (url.ends_with('/')) url.remove_suffix(1);
  return url;
}

}  // namespace server
