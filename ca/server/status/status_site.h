#pragma once

#include <memory>
#include <string>

#include "ca/base/clock.h"
#include "ca/catalog/live_catalog.h"
#include "ca/model/status_urls.h"
#include "ca/server/http/http.h"
#include "ca/server/status/status_path.h"
#include "crl/crl_cache.h"
#include "ocsp/responder.h"

namespace server {

// Answers relying parties over HTTP: OCSP (RFC 6960 appendix A, RFC 5019), CRLs and CA certificates
// (RFC 5280 section 4.2.2.1). Thread-safe. Every answer is public and signed.
class StatusSite final : public HttpHandler {
 public:
  // Serves below the path of `urls`. Everything outlives it.
  StatusSite(const ca::StatusUrls& urls, ocsp::Responder& responder, const crl::CrlCache& crl_cache,
             const ca::LiveCatalog& catalogs, const ca::Clock& clock);

  std::optional<HttpResponse> HandleAtOnce(const HttpRequest& request) override;
  HttpResponse Handle(const HttpRequest& request) override;

 private:
  std::optional<HttpResponse> RecallOcsp(const HttpRequest& request, ca::AuthorityId authority,
                                         ca::BytesView ocsp_request);
  HttpResponse Ocsp(const HttpRequest& request, const std::shared_ptr<const ocsp::Answer>& answer);
  HttpResponse Crl(const HttpRequest& request, const CrlPath& path);
  HttpResponse CaCertificate(const HttpRequest& request, const CaPath& path);

  const std::string prefix_;
  ocsp::Responder& responder_;
  const crl::CrlCache& crl_cache_;
  const ca::LiveCatalog& catalogs_;
  const ca::Clock& clock_;
};

}  // namespace server
