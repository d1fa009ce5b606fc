#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "ca/server/http/http.h"
#include "crl/crl_cache.h"
#include "ocsp/responder.h"

namespace server {

// The metrics for an operator's Prometheus. Thread-safe. Each scrape calls the functions that were
// given to the Read...() functions, on any thread. Give them before the first scrape; they outlive
// this object.
class Metrics {
 public:
  Metrics();
  ~Metrics();

  // agentpki_requests_total{method,code}, agentpki_request_seconds{method}: a gRPC call. `method`
  // is one of a fixed set, because each new pair of labels is a new time series.
  void CountRequest(std::string_view method, ca::StatusCode code,
                    std::chrono::duration<double> took);
  // agentpki_lint_errors_total{rule}: a certificate that was not signed because the linter refused
  // it. Ignores a rule that is not one of ca/issuance/lint.h.
  void CountLintError(std::string_view rule);
  // agentpki_revocation_visible_seconds{service}: the time from the date of a revocation until
  //   ocsp  this replica's OCSP says so; each replica observes it
  //   crl   a CRL that lists it is published; only the conductor observes it
  // The replica that took the revocation set the date by its own clock just before the commit. So
  // the time includes the commit and the difference between the clocks. Revocations that were
  // committed before this process started are not observed.
  void ObserveRevocationVisibleInOcsp(std::chrono::duration<double> took);
  void ObserveRevocationVisibleInCrl(std::chrono::duration<double> took);
  // agentpki_status_discrepancies{hierarchy}: differences between ledger, OCSP and CRL that the
  // last check of the hierarchy on this replica found. agentpki_status_checked_seconds{hierarchy}:
  // when that check ended, in seconds since 1970. Neither exists before the first check.
  void SetStatusChecked(std::string_view hierarchy, std::int64_t discrepancy_count,
                        ca::TimePoint at);

  // agentpki_ocsp_responses_total{kind}
  void ReadOcsp(std::function<ocsp::Responder::Counts()> counts);
  // agentpki_http_connections
  void ReadHttpConnections(std::function<int()> count);
  // agentpki_revocations: revocations in memory
  void ReadRevocations(std::function<size_t()> count);
  // agentpki_crl_number{authority,shard}; agentpki_crl_next_update_seconds{authority,shard}, in
  // seconds since 1970, so subtract time(). For the complete CRLs of those authorities that will
  // sign another CRL, as `goes_on` says.
  void ReadCrls(const crl::CrlCache& crl_cache, std::function<bool(ca::AuthorityId)> goes_on);

  // Prometheus' text format, version 0.0.4.
  std::string Scrape() const;

 private:
  class Families;

  std::unique_ptr<Families> families_;
};

// Serves GET /metrics and nothing else.
class MetricsSite final : public HttpHandler {
 public:
  explicit MetricsSite(const Metrics& metrics) : metrics_(metrics) {}

  std::optional<HttpResponse> HandleAtOnce(const HttpRequest& request) override;
  HttpResponse Handle(const HttpRequest& request) override;

 private:
  const Metrics& metrics_;
};

}  // namespace server
