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

// What an operator's Prometheus reads. Thread-safe. Values that somebody else keeps are read at
// each scrape: what is given to a Read...() has to outlive this, may be called on any thread, and
// is given before the first scrape.
class Metrics {
 public:
  Metrics();
  ~Metrics();

  // agentpki_requests_total{method,code}, agentpki_request_seconds{method}: a call over gRPC.
  // `method` is of a closed set: every new pair is a new time series.
  void CountRequest(std::string_view method, ca::StatusCode code,
                    std::chrono::duration<double> took);
  // agentpki_lint_errors_total{rule}: a certificate that was not signed, because it was not as it
  // should be. `rule` is one of ca/issuance/lint.h's, or it is not counted.
  void CountLintError(std::string_view rule);
  // agentpki_revocation_visible_seconds{service}: of each real revocation, taken by whichever
  // replica, from its date, which that replica's clock gave it just before the commit, so that the
  // commit counts and so does what the clocks differ.
  //   ocsp  until this replica's OCSP says so; on every replica
  //   crl   until a CRL that lists it is published; on the conductor alone
  // Neither is observed of what was revoked before this process could see it come.
  void ObserveRevocationVisibleInOcsp(std::chrono::duration<double> took);
  void ObserveRevocationVisibleInCrl(std::chrono::duration<double> took);
  // agentpki_status_discrepancies{hierarchy}: of ledger, OCSP and CRL, as found by the last check
  // of that hierarchy on this replica; agentpki_status_checked_seconds{hierarchy}: when it ended
  // (since 1970). Not shown before the first.
  void SetStatusChecked(std::string_view hierarchy, std::int64_t discrepancy_count,
                        ca::TimePoint at);

  // agentpki_ocsp_responses_total{kind}
  void ReadOcsp(std::function<ocsp::Responder::Counts()> counts);
  // agentpki_http_connections
  void ReadHttpConnections(std::function<int()> count);
  // agentpki_revocations: in memory, of certificates that have not ended
  void ReadRevocations(std::function<size_t()> count);
  // agentpki_crl_number{authority,shard}, agentpki_crl_next_update_seconds{authority,shard} (since
  // 1970: subtract time()), of the complete CRLs of those authorities that sign another in time
  void ReadCrls(const crl::CrlCache& crl_cache, std::function<bool(ca::AuthorityId)> goes_on);

  // Prometheus' text format, version 0.0.4.
  std::string Scrape() const;

 private:
  class Families;

  std::unique_ptr<Families> families_;
};

// GET /metrics, and nothing else.
class MetricsSite final : public HttpHandler {
 public:
  explicit MetricsSite(const Metrics& metrics) : metrics_(metrics) {}

  std::optional<HttpResponse> HandleAtOnce(const HttpRequest& request) override;
  HttpResponse Handle(const HttpRequest& request) override;

 private:
  const Metrics& metrics_;
};

}  // namespace server
