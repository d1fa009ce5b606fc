// ParseStatusPath must read any target without a fault, decode the base64 of a request in each of
// its forms, and accept one form of each number.

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>

#include "ca/server/status/status_path.h"

namespace {

constexpr std::string_view kPrefix = "/pki";

[[noreturn]] void Disagree(std::string_view what, std::string_view target) {
  fmt::print(stderr, "{}: {}\n", what, ca::Hex(target));
  std::abort();
}

// The form of the path in certificates; "" for an OCSP request and for other targets.
std::string Written(const server::StatusPath& path) {
  const auto number = [](ca::AuthorityId id) { return static_cast<std::int64_t>(id); };
  if (const auto* crl = std::get_if<server::CrlPath>(&path)) {
    return fmt::format("/crl/{}/{}{}.crl", number(crl->authority), crl->shard,
                       crl->is_delta ? "-delta" : "");
  }
  if (const auto* ca_path = std::get_if<server::CaPath>(&path)) {
    return fmt::format("/ca/{}.cer", number(ca_path->authority));
  }
  if (const auto* ocsp = std::get_if<server::OcspPath>(&path)) {
    return fmt::format("/ocsp/{}", number(ocsp->authority));
  }
  return "";
}

void CheckAnyTarget(std::string_view target) {
  const server::StatusPath path = server::ParseStatusPath(target, "");
  const std::string written = Written(path);
  if (!written.empty()) {
    if (Written(server::ParseStatusPath(written, "")) != written) Disagree("not stable", target);
    if (target.find(written.substr(1)) == target.npos) Disagree("another spelling", target);
  }
  const std::string below = std::string(kPrefix) + std::string(target);
  const server::StatusPath same = server::ParseStatusPath(below, kPrefix);
  if (same.index() != path.index()) Disagree("the prefix changes it", target);
}

// Any octets, unless their base64 begins with slashes.
void CheckAnyRequest(std::string_view octets) {
  const ca::Bytes request = "0" + std::string(octets);
  std::string escaped;
  for (const char c : ca::Base64Url(request)) {
    escaped += c == '-' ? "%2B" : c == '_' ? "%2f" : std::string(1, c);
  }
  for (const std::string& encoded : {ca::Base64Url(request), escaped + "%3D", "/" + escaped}) {
    const auto path = server::ParseStatusPath("/ocsp/7/" + encoded, "");
    const auto* get = std::get_if<server::OcspGetPath>(&path);
    if (get == nullptr || get->request != request) Disagree("another request", encoded);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  CheckAnyTarget(input);
  CheckAnyRequest(input);
  return 0;
}
