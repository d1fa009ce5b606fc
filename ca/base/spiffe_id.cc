#include "ca/base/spiffe_id.h"

#include <algorithm>

namespace ca {
namespace {

constexpr std::string_view kScheme = "spiffe://";

bool IsLowerOrDigit(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

bool IsLabel(std::string_view label) {
  return !label.empty() && label.size() <= 63 && label.front() != '-' && label.back() != '-' &&
         std::all_of(label.begin(), label.end(), [](char c) { return IsLowerOrDigit(c) || c == '-'; });
}

bool IsSegment(std::string_view segment) {
  const auto allowed = [](char c) {
    return IsLowerOrDigit(c) || (c >= 'A' && c <= 'Z') || c == '.' || c == '_' || c == '-';
  };
  return !segment.empty() && segment != "." && segment != ".." &&
         std::all_of(segment.begin(), segment.end(), allowed);
}

template <typename Predicate>
bool AllParts(std::string_view text, char separator, Predicate predicate) {
  for (;;) {
    const size_t end = text.find(separator);
    if (!predicate(text.substr(0, end))) return false;
    if (end == std::string_view::npos) return true;
    text.remove_prefix(end + 1);
  }
}

}  // namespace

bool IsDnsName(std::string_view text) {
  return text.size() <= TrustDomain::kSizeMax && AllParts(text, '.', IsLabel);
}

Result<TrustDomain> TrustDomain::Parse(std::string_view text) {
  if (!IsDnsName(text) || text.find('.') == std::string_view::npos) {
    return Error(absl::StatusCode::kInvalidArgument,
                 "'{}' is not a trust domain: write a lower-case DNS name such as prod.acme.example",
                 text.substr(0, kSizeMax));
  }
  return TrustDomain(std::string(text));
}

Result<SpiffeId> SpiffeId::Parse(std::string_view text) {
  const auto refuse = [&](std::string_view why) {
    return Error(absl::StatusCode::kInvalidArgument,
                 "'{}' is not a SPIFFE ID ({}): write spiffe://TRUST-DOMAIN/PATH, such as "
                 "spiffe://prod.acme.example/billing/invoice-bot",
                 text.substr(0, 128), why);
  };
  if (text.size() > kSizeMax) return refuse("longer than 2048 octets");
  if (!text.starts_with(kScheme)) return refuse("it does not begin with spiffe://");
  const std::string_view rest = text.substr(kScheme.size());
  const size_t slash = rest.find('/');
  if (slash == std::string_view::npos) return refuse("it has no path");
  auto trust_domain = TrustDomain::Parse(rest.substr(0, slash));
  if (!trust_domain.ok()) return refuse("its trust domain is not a lower-case DNS name");
  if (!AllParts(rest.substr(slash + 1), '/', IsSegment)) {
    return refuse("a path segment is empty, '.', '..' or has a character outside [a-zA-Z0-9._-]");
  }
  return SpiffeId(std::string(text), *std::move(trust_domain));
}

std::string_view SpiffeId::path() const {
  return std::string_view(text_).substr(kScheme.size() + trust_domain_.name().size() + 1);
}

}  // namespace ca
