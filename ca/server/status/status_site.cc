#include "ca/server/status/status_site.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "ca/server/http/http_caching.h"

namespace server {
namespace {

constexpr std::string_view kOcspRequest = "application/ocsp-request";
constexpr std::string_view kOcspResponse = "application/ocsp-response";
constexpr std::string_view kCrl = "application/pkix-crl";           // RFC 5280 section 4.2.1.13
constexpr std::string_view kCertificate = "application/pkix-cert";  // and 4.2.2.1

// A CRL is promised to list a revocation within ten seconds, also behind a cache: the next one may
// be out 5 s after the server has it, and whoever asks again is told 304. Its nextUpdate says until
// when it may be relied on, which is another thing.
constexpr std::string_view kCrlCaching = "public, max-age=5, no-transform, must-revalidate";
// An authority's certificate never changes; a day bounds what a mistake costs.
constexpr std::string_view kCertificateCaching = "public, max-age=86400, no-transform";
constexpr size_t kHeadersUsual = 256;

template <typename... Cases>
struct Overloaded : Cases... {
  using Cases::operator()...;
};

HttpResponse NotFound() {
  return HttpResponse::Line(404,
                            "nothing is served here; take the URL from a certificate's "
                            "authorityInfoAccess or cRLDistributionPoints");
}

HttpResponse OnlyGet() {
  HttpResponse response = HttpResponse::Line(405, "this is read with GET or HEAD");
  response.Add("Allow", "GET, HEAD");
  return response;
}

// "application/ocsp-request; charset=..." in any case; nothing at all is taken for it too.
bool IsOcspRequest(std::string_view content_type) {
  if (content_type.empty()) return true;
  std::string_view type = content_type.substr(0, content_type.find(';'));
  while (type.ends_with(' ') || type.ends_with('\t')) type.remove_suffix(1);
  return std::equal(type.begin(), type.end(), kOcspRequest.begin(), kOcspRequest.end(),
                    [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a + 32 : a) == b; });
}

// RFC 5019 section 6.2.
std::string OcspCaching(ca::TimePoint next_update, ca::TimePoint now) {
  const auto age = std::chrono::floor<std::chrono::seconds>(next_update - now).count();
  char digits[20];
  const auto end =
      std::to_chars(digits, digits + sizeof digits, std::max<std::int64_t>(age, 0)).ptr;
  std::string caching = "max-age=";
  caching.append(digits, end).append(", public, no-transform, must-revalidate");
  return caching;
}

// A cacheable answer with its tag and date; without a body when the peer has it already.
HttpResponse Cacheable(const HttpRequest& request, std::string_view content_type,
                       std::string_view caching, std::string_view etag,
                       ca::TimePoint last_modified) {
  HttpResponse response;
  response.headers.reserve(kHeadersUsual);
  response.Add("Cache-Control", caching);
  response.Add("ETag", etag);
  response.Add("Last-Modified", HttpDate(last_modified));
  if (IsNotModified(request, etag, last_modified)) {
    response.status = 304;
  } else {
    response.content_type = content_type;
  }
  return response;
}

void Carry(HttpResponse& response, std::shared_ptr<const void> owner, std::string_view body) {
  if (response.status == 304) return;
  response.owner = std::move(owner);
  response.body = body;
}

// Why a request for an OCSP answer is none, if so.
std::optional<HttpResponse> RefusedOcspRequest(const HttpRequest& request, const OcspPath&) {
  if (request.method != HttpMethod::kPost) {
    return HttpResponse::Line(400,
                              "an OCSP request is missing; POST one in DER, or append its base64 "
                              "to the path");
  }
  if (IsOcspRequest(request.content_type)) return std::nullopt;
  return HttpResponse::Line(415, "an OCSP request has the Content-Type application/ocsp-request");
}

}  // namespace

StatusSite::StatusSite(const ca::StatusUrls& urls, ocsp::Responder& responder,
                       const crl::CrlCache& crl_cache, const ca::LiveCatalog& catalogs,
                       const ca::Clock& clock)
    : prefix_(PathOfUrl(urls.base())),
      responder_(responder),
      crl_cache_(crl_cache),
      catalogs_(catalogs),
      clock_(clock) {}

std::optional<HttpResponse> StatusSite::HandleAtOnce(const HttpRequest& request) {
  using Response = std::optional<HttpResponse>;
  return std::visit(
      Overloaded{
          [](const UnknownPath&) -> Response { return NotFound(); },
          [&](const OcspPath& path) -> Response {
            if (auto refusal = RefusedOcspRequest(request, path)) return refusal;
            return RecallOcsp(request, path.authority, request.body);
          },
          [&](const OcspGetPath& path) -> Response {
            if (request.method != HttpMethod::kGet) return OnlyGet();
            return RecallOcsp(request, path.authority, path.request);
          },
          [&](const CrlPath& path) -> Response { return Crl(request, path); },
          [&](const CaPath& path) -> Response { return CaCertificate(request, path); },
      },
      ParseStatusPath(request.target, prefix_));
}

// The requests that HandleAtOnce() did not answer. A request that is not base64, or not DER, gets
// malformedRequest with status 200 in either method: RFC 6960 section 2.3 defines that answer,
// which clients understand.
HttpResponse StatusSite::Handle(const HttpRequest& request) {
  const StatusPath path = ParseStatusPath(request.target, prefix_);
  if (const auto* get = std::get_if<OcspGetPath>(&path)) {
    return Ocsp(request, responder_.Make(get->authority, get->request));
  }
  if (const auto* post = std::get_if<OcspPath>(&path)) {
    return Ocsp(request, responder_.Make(post->authority, request.body));
  }
  return NotFound();
}

std::optional<HttpResponse> StatusSite::RecallOcsp(const HttpRequest& request,
                                                   ca::AuthorityId authority,
                                                   ca::BytesView ocsp_request) {
  const auto answer = responder_.Recall(authority, ocsp_request);
  if (!answer) return std::nullopt;
  return Ocsp(request, answer);
}

HttpResponse StatusSite::Ocsp(const HttpRequest& request,
                              const std::shared_ptr<const ocsp::Answer>& answer) {
  HttpResponse response;
  if (answer->is_cacheable) {
    response = Cacheable(request, kOcspResponse, OcspCaching(answer->next_update, clock_.Now()),
                         answer->etag, answer->this_update);
    response.Add("Expires", HttpDate(answer->next_update));
  } else {
    response.content_type = kOcspResponse;
    response.Add("Cache-Control", "no-store");
  }
  Carry(response, answer, answer->der);
  return response;
}

HttpResponse StatusSite::Crl(const HttpRequest& request, const CrlPath& path) {
  if (request.method != HttpMethod::kGet) return OnlyGet();
  const auto entry = path.is_delta ? crl_cache_.FindDelta(path.authority, path.shard)
                                   : crl_cache_.Find(path.authority, path.shard);
  if (!entry) return NotFound();
  HttpResponse response =
      Cacheable(request, kCrl, kCrlCaching, entry->etag, entry->crl.this_update);
  response.Add("Expires", HttpDate(entry->crl.next_update));
  Carry(response, entry, entry->crl.der);
  return response;
}

HttpResponse StatusSite::CaCertificate(const HttpRequest& request, const CaPath& path) {
  if (request.method != HttpMethod::kGet) return OnlyGet();
  const auto authority = catalogs_.Snapshot()->FindAuthority(path.authority);
  if (!authority.ok()) return NotFound();
  const ca::Bytes& der = (*authority)->certificate();
  const std::string etag = '"' + ca::Hex(ca::Sha256(der)) + '"';
  HttpResponse response = Cacheable(request, kCertificate, kCertificateCaching, etag,
                                    (*authority)->validity().not_before);
  Carry(response, *authority, der);
  return response;
}

}  // namespace server
