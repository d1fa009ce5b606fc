#include "ca/server/run/status_plane.h"

#include <spdlog/spdlog.h>

#include <algorithm>

namespace server {
namespace {

constexpr int kMetricsThreads = 1;
constexpr int kMetricsConnectionsMax = 16;

}  // namespace

ca::Result<std::unique_ptr<StatusPlane>> StatusPlane::Create(const Config& config,
                                                             const Backends& backends,
                                                             ca::LiveCatalog& catalogs,
                                                             const ca::Clock& clock) {
  std::unique_ptr<StatusPlane> plane(new StatusPlane(config, backends, catalogs, clock));
  TRY(plane->feed_.Load());
  return plane;
}

StatusPlane::StatusPlane(const Config& config, const Backends& backends, ca::LiveCatalog& catalogs,
                         const ca::Clock& clock)
    : config_(config),
      clock_(clock),
      directory_(config.status.urls),
      responder_(index_, *backends.revocations, clock,
                 {.lifetime = config.status.settings.ocsp_lifetime}),
      feed_({*backends.revocations, *backends.crls, *backends.keys},
            {index_, crl_cache_, responder_, directory_}, catalogs, clock,
            // OCSP looks at the index first, so a revocation in the index is visible in OCSP.
            {.revocation =
                 [this](const ca::Revocation& revocation) {
                   metrics_.ObserveRevocationVisibleInOcsp(
                       std::max(revocation.revoked_at, clock_.Now()) - revocation.revoked_at);
                 }}),
      consistency_(*backends.ledger, *backends.revocations, index_, responder_, crl_cache_, clock),
      site_(config.status.urls, responder_, crl_cache_, catalogs, clock),
      metrics_site_(metrics_) {
  ReadMetrics(catalogs);
}

void StatusPlane::ReadMetrics(const ca::LiveCatalog& catalogs) {
  metrics_.ReadOcsp([this] { return responder_.counts(); });
  metrics_.ReadHttpConnections([this] { return http_ ? http_->connection_count() : 0; });
  metrics_.ReadRevocations([this] { return index_.size(); });
  metrics_.ReadCrls(crl_cache_, [&catalogs](ca::AuthorityId id) {
    const auto authority = catalogs.Snapshot()->FindAuthority(id);
    return authority.ok() && !(*authority)->is_key_destroyed();
  });
}

StatusPlane::~StatusPlane() {
  StopListening();
  feed_.Stop();
}

void StatusPlane::Follow() { feed_.Start(); }

ca::Status StatusPlane::Listen() {
  if (!config_.listen_http.empty()) {
    HttpOptions options;
    options.limits.connections_per_address = config_.status.connections_per_address;
    http_ = TRY(HttpListener::Start(config_.listen_http, options, site_, clock_));
    spdlog::info("OCSP and CRLs are on port {}; certificates point to {}", http_->port(),
                 config_.status.urls.base());
  }
  if (!config_.listen_metrics.empty()) {
    HttpOptions options{.io_threads = kMetricsThreads, .workers = 1};
    options.limits.connections = kMetricsConnectionsMax;
    metrics_http_ =
        TRY(HttpListener::Start(config_.listen_metrics, options, metrics_site_, clock_));
    spdlog::info("metrics are on port {}", metrics_http_->port());
  }
  return ca::Ok();
}

void StatusPlane::StopListening() {
  if (http_) http_->Stop();
  if (metrics_http_) metrics_http_->Stop();
}

std::vector<std::string> StatusPlane::MissingFor(const ca::Authority& authority) {
  std::vector<std::string> missing;
  if (!crl_cache_.Find(authority.id(), 0)) missing.emplace_back("the first CRL");
  if (!responder_.CanSignFor(authority.id())) missing.emplace_back("the OCSP responder");
  return missing;
}

}  // namespace server
