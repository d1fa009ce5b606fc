#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "ca/base/bytes.h"
#include "ca/model/hierarchy.h"

// The meaning of the paths of the status site (ca/model/status_urls.h writes them). Pure.
namespace server {

struct OcspPath {  // {prefix}/ocsp/7: a POST, whose body is the request
  ca::AuthorityId authority{};
};
struct OcspGetPath {  // {prefix}/ocsp/7/{base64 of the request}
  ca::AuthorityId authority{};
  ca::Bytes request;  // "" when what stands there is not base64
};
struct CrlPath {  // {prefix}/crl/7/0.crl or {prefix}/crl/7/0-delta.crl
  ca::AuthorityId authority{};
  ca::CrlShard shard = 0;
  bool is_delta = false;
};
struct CaPath {  // {prefix}/ca/7.cer
  ca::AuthorityId authority{};
};
struct UnknownPath {};

using StatusPath = std::variant<UnknownPath, OcspPath, OcspGetPath, CrlPath, CaPath>;

// Parses a request's target, whatever it is. `prefix` is the path of the site's base URL, such as
// /pki, or "". Numbers are written in one way: without sign or leading zero.
//
// The request of a GET (RFC 6960 appendix A.1: url-encoding of base64) is taken as real clients
// send it, which all mean the same: with or without percent-encoding, in either case; padded or
// not; of the usual alphabet or of base64url; with slashes before it, from clients that join URLs
// without looking; with `+` made a space by what stands between; and in lines.
StatusPath ParseStatusPath(std::string_view target, std::string_view prefix);

// The path of a base URL, without a slash at its end: http://pki.acme.example/pki gives /pki.
std::string_view PathOfUrl(std::string_view url);

}  // namespace server
