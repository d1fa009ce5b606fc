#include "ca/base/spiffe_id.h"

#include <algorithm>

#include "ca/base/host_name.h"

namespace ca {
namespace {

constexpr std::string_view kScheme = "spiffe://";

bool IsSegment(std::string_view segment) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  };
  return !segment.empty() && segment != "." && segment != ".." &&
         std::all_of(segment.begin(), segment.end(), allowed);
}

bool AreSegments(std::string_view path) {
  for (;;) {
    const size_t end = path.find('/');
    if (!IsSegment(path.substr(0, end))) return false;
    if (end == std::string_view::npos) return true;
    path.remove_prefix(end + 1);
  }
}

}  // namespace

Result<TrustDomain> TrustDomain::Parse(std::string_view text) {
  if (!IsDnsName(text) || text.find('.') == std::string_view::npos) {
    return Error(
        StatusCode::kInvalidArgument,
        "'{}' is not a trust domain: write a lower-case DNS name such as prod.acme.example",
        Printable(text));
  }
  return TrustDomain(std::string(text));
}

Result<SpiffeId> SpiffeId::Parse(std::string_view text) {
  const auto refuse = [&](std::string_view why) {
    return Error(StatusCode::kInvalidArgument,
                 "'{}' is not a SPIFFE ID ({}): write spiffe://TRUST-DOMAIN/PATH, such as "
                 "spiffe://prod.acme.example/billing/invoice-bot",
                 Printable(text), why);
  };
  if (text.size() > kSizeMax) return refuse("longer than 2048 octets");
  if (!text.starts_with(kScheme)) return refuse("it does not begin with spiffe://");
  const std::string_view rest = text.substr(kScheme.size());
  const size_t slash = rest.find('/');
  if (slash == std::string_view::npos) return refuse("it has no path");
  auto trust_domain = TrustDomain::Parse(rest.substr(0, slash));
  if (!trust_domain.ok()) return refuse("its trust domain is not a lower-case DNS name");
  if (!AreSegments(rest.substr(slash + 1))) {
    return refuse("a path segment is empty, '.', '..' or has a character outside [a-zA-Z0-9._-]");
  }
  return SpiffeId(std::string(text), *std::move(trust_domain));
}

SpiffeId SpiffeId::OfTrustDomain(const TrustDomain& trust_domain) {
  return SpiffeId(std::string(kScheme) + trust_domain.name(), trust_domain);
}

std::string_view SpiffeId::path() const {
  const size_t start = kScheme.size() + trust_domain_.name().size() + 1;
  return start < text_.size() ? std::string_view(text_).substr(start) : std::string_view();
}

}  // namespace ca
