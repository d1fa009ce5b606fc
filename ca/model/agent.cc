#include "ca/model/agent.h"

#include "ca/base/openssl.h"

namespace ca {
namespace {

// These texts appear in lists and on terminals: UTF-8 without control characters (C0, DEL and C1).
bool IsPrintableUtf8(std::string_view text) {
  while (!text.empty()) {
    unsigned long character = 0;
    // Negative for octets that RFC 3629 does not allow, such as overlong forms and surrogates.
    const int size = UTF8_getc(Octets(text), static_cast<int>(text.size()), &character);
    if (size <= 0 || character < 0x20 || (character >= 0x7f && character < 0xa0)) return false;
    text.remove_prefix(static_cast<size_t>(size));
  }
  return true;
}

Status CheckText(std::string_view field, std::string_view text) {
  if (text.size() <= Agent::kTextMax && IsPrintableUtf8(text)) return Ok();
  return Error(StatusCode::kInvalidArgument,
               "{}: write at most {} octets of UTF-8 without control characters", field,
               Agent::kTextMax);
}

}  // namespace

Status Agent::Validate(const Hierarchy& in) const {
  if (id.trust_domain() != in.trust_domain) {
    return Error(StatusCode::kInvalidArgument,
                 "spiffe_id: {} is outside {}, whose trust domain is {}", id.ToString(), in.Name(),
                 in.trust_domain.name());
  }
  if (owner.empty()) {
    return Error(StatusCode::kInvalidArgument,
                 "owner: name the person or team that answers for it");
  }
  TRY(CheckText("owner", owner));
  TRY(CheckText("role", role));
  TRY(CheckText("version", version));
  const CertificateProfile* allowed = TRY(in.FindProfile(profile));
  if (dns_names.size() + ip_addresses.size() > kHostNamesMax) {
    return Error(StatusCode::kInvalidArgument, "dns_names, ip_addresses: write at most {} in all",
                 kHostNamesMax);
  }
  if (!allowed->host_names && !(dns_names.empty() && ip_addresses.empty())) {
    return Error(StatusCode::kInvalidArgument,
                 "dns_names, ip_addresses: profile '{}' allows none; use another profile", profile);
  }
  for (const std::string& name : dns_names) {
    if (!IsDnsName(name) || !in.CoversDnsName(name)) {
      return Error(StatusCode::kInvalidArgument,
                   "dns_names: '{}' is not a lower-case DNS name within what {} covers",
                   Printable(name), in.Name());
    }
  }
  for (const IpAddress& address : ip_addresses) {
    if (!in.CoversIpAddress(address)) {
      return Error(StatusCode::kInvalidArgument, "ip_addresses: {} is in no range of {}",
                   address.ToString(), in.Name());
    }
  }
  return Ok();
}

}  // namespace ca
