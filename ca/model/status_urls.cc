#include "ca/model/status_urls.h"

#include <algorithm>

namespace ca {
namespace {

std::int64_t Number(AuthorityId id) { return static_cast<std::int64_t>(id); }

}  // namespace

Result<StatusUrls> StatusUrls::At(std::string base) {
  while (base.ends_with('/')) base.pop_back();
  const bool is_printable =
      std::all_of(base.begin(), base.end(), [](char c) { return c > ' ' && c < 0x7f; });
  if (!base.starts_with("http://") || base.size() <= std::string_view("http://").size() ||
      base.size() > kBaseMax || !is_printable || base.find_first_of("?#\"<>") != base.npos) {
    return Error(StatusCode::kInvalidArgument,
                 "'{}' is not a URL such as http://pki.acme.example:8080, of at most {} characters",
                 Printable(base), kBaseMax);
  }
  StatusUrls urls;
  urls.base_ = std::move(base);
  return urls;
}

std::string StatusUrls::Ocsp(AuthorityId authority) const {
  return fmt::format("{}/ocsp/{}", base_, Number(authority));
}
std::string StatusUrls::Crl(AuthorityId authority, CrlShard shard) const {
  return fmt::format("{}/crl/{}/{}.crl", base_, Number(authority), shard);
}
std::string StatusUrls::DeltaCrl(AuthorityId authority, CrlShard shard) const {
  return fmt::format("{}/crl/{}/{}-delta.crl", base_, Number(authority), shard);
}
std::string StatusUrls::CaIssuers(AuthorityId authority) const {
  return fmt::format("{}/ca/{}.cer", base_, Number(authority));
}

}  // namespace ca
