#include "ca/server/run/status_plane.h"

#include <spdlog/spdlog.h>

#include "ca/base/rules.h"
#include "ca/files/destruction_statement.h"
#include "ca/issuance/lint.h"

namespace server {
namespace {

using ca::Status;

constexpr int kMetricsThreads = 1;
constexpr int kMetricsConnectionsMax = 16;

std::chrono::duration<double> Since(ca::TimePoint then, ca::TimePoint now) {
  return std::max(now, then) - then;
}

// As its file says, and where that says nothing, as configured.
crl::PublisherOptions CrlOptionsOf(const ca::Hierarchy* hierarchy,
                                   const ca::StatusSettings& configured) {
  const auto settings = hierarchy ? hierarchy->status.Over(configured) : configured;
  return {.lifetime = settings.crl_lifetime,
          .shard_size = settings.crl_shard_size,
          .deltas = settings.delta_crls};
}

}  // namespace

ca::Result<std::unique_ptr<StatusPlane>> StatusPlane::Create(
    const Config& config, const Backends& backends, ca::LiveCatalog& catalogs,
    const ca::Authorization& authorization, ca::StatusDirectory& directory,
    const ca::Approvals& approvals, const ca::Clock& clock) {
  std::unique_ptr<StatusPlane> side(
      new StatusPlane(config, backends, catalogs, authorization, directory, approvals, clock));
  TRY(side->feed_.Load());
  return side;
}

StatusPlane::StatusPlane(const Config& config, const Backends& backends, ca::LiveCatalog& catalogs,
                         const ca::Authorization& authorization, ca::StatusDirectory& directory,
                         const ca::Approvals& approvals, const ca::Clock& clock)
    : config_(config),
      ledger_(*backends.ledger),
      clock_(clock),
      responder_(index_, *backends.revocations, clock,
                 {.lifetime = config.status.settings.ocsp_lifetime}),
      feed_({*backends.revocations, *backends.crls, *backends.hierarchies, *backends.keys},
            {index_, crl_cache_, responder_, directory}, catalogs, clock,
            {.revocation = [this](const ca::Revocation& r) { ObserveRevocation(r); }}),
      provisioning_(*backends.hierarchies, *backends.keys, *backends.registry, directory, clock,
                    "conductor"),
      bundles_(catalogs, authorization, *backends.hierarchies, *backends.acknowledgements,
               *backends.registry, index_, clock),
      rotation_(catalogs, authorization, *backends.hierarchies, *backends.keys, *backends.registry,
                *backends.ledger, index_, directory, bundles_, approvals, clock),
      key_retirement_(catalogs, *backends.hierarchies, *backends.keys, clock),
      decommissioning_(catalogs, authorization, *backends.hierarchies, key_retirement_,
                       provisioning_, approvals, clock, files::WriteStatement),
      publisher_(
          *backends.crls, index_, [this] { return feed_.CatchUp(); }, config.status.urls, clock,
          [&catalogs, configured = config.status.settings](ca::HierarchyId id) {
            return CrlOptionsOf(catalogs.Snapshot()->Find(id), configured);
          }),
      conductor_({config.database_server},
                 {*backends.keys, provisioning_, rotation_, key_retirement_, decommissioning_,
                  bundles_, publisher_, crl_cache_, *backends.crls, feed_},
                 catalogs, clock,
                 {[this](const ca::PublishedCrl& crl) { ObserveCrl(crl); },
                  [this](const ca::Status& status) { ObserveFailedRound(status); }}),
      consistency_(catalogs, *backends.ledger, *backends.revocations, index_, responder_,
                   crl_cache_, clock),
      watch_(
          catalogs,
          [this](const ca::Hierarchy& hierarchy, const std::function<bool()>& is_given_up) {
            return consistency_.Check(hierarchy, is_given_up);
          },
          metrics_, clock),
      site_(config.status.urls, responder_, crl_cache_, catalogs, clock),
      metrics_site_(metrics_) {
  metrics_.ReadOcsp([this] { return responder_.counts(); });
  metrics_.ReadHttpConnections([this] { return http_ ? http_->connection_count() : 0; });
  metrics_.ReadRevocations([this] { return index_.size(); });
  metrics_.ReadCrls(crl_cache_, [&catalogs](ca::AuthorityId id) {
    const auto authority = catalogs.Snapshot()->FindAuthority(id);
    return authority.ok() && !(*authority)->is_key_destroyed();
  });
}

StatusPlane::~StatusPlane() {
  // Whoever still asks is answered first.
  if (http_) http_->Stop();
  if (metrics_http_) metrics_http_->Stop();
  watch_.Stop();
  conductor_.Stop();
  feed_.Stop();
}

Status StatusPlane::Start() {
  feed_.Start();
  conductor_.Start();
  watch_.Start();
  if (!config_.listen_http.empty()) {
    HttpOptions options;
    options.limits.connections_per_address = config_.status.connections_per_address;
    http_ = TRY(HttpListener::Start(config_.listen_http, options, site_, clock_));
    spdlog::info("OCSP and CRLs on port {}, known as {}", http_->port(),
                 config_.status.urls.base());
  }
  if (!config_.listen_metrics.empty()) {
    HttpOptions options{.io_threads = kMetricsThreads, .workers = 1};
    options.limits.connections = kMetricsConnectionsMax;
    metrics_http_ =
        TRY(HttpListener::Start(config_.listen_metrics, options, metrics_site_, clock_));
    spdlog::info("metrics on port {}", metrics_http_->port());
  }
  return ca::Ok();
}

Status StatusPlane::CheckHealth() const {
  TRY(feed_.CheckHealth());
  return conductor_.CheckHealth();
}

std::vector<std::string> StatusPlane::MissingFor(const ca::Authority& authority) {
  std::vector<std::string> missing;
  if (!crl_cache_.Find(authority.id(), 0)) missing.emplace_back("the first CRL");
  if (!responder_.CanSignFor(authority.id())) missing.emplace_back("the OCSP responder");
  return missing;
}

// OCSP looks at the index first, so what is in it is what OCSP says.
void StatusPlane::ObserveRevocation(const ca::Revocation& revocation) {
  metrics_.ObserveRevocationVisibleInOcsp(Since(revocation.revoked_at, clock_.Now()));
}

// A certificate of an authority or a responder that is not signed for what the linter found is on
// record as one of an agent is.
void StatusPlane::ObserveFailedRound(const Status& status) {
  const std::string rule = ca::RuleOf(status);
  if (!ca::kLintRules.Has(rule)) return;
  metrics_.CountLintError(rule);
  const Status recorded = ledger_.RecordEvent({
      .at = clock_.Now(),
      .actor = "conductor",
      .action = "PrepareCertificate",
      .decision = ca::Decision::kFailed,
      .rule = rule,
      .reason = ca::MessageOf(status),
      .from = "local",
  });
  if (!recorded.ok()) spdlog::error("a lint error was not recorded: {}", recorded.ToString());
}

void StatusPlane::ObserveCrl(const ca::PublishedCrl& crl) {
  const ca::TimePoint now = clock_.Now();
  ca::TimePoint& until = seen_in_crl_until_[{crl.authority, crl.shard}];
  for (const ca::Revocation& revocation : index_.Listed(crl.authority, crl.shard)) {
    if (until != ca::TimePoint{} && revocation.revoked_at > until) {
      metrics_.ObserveRevocationVisibleInCrl(Since(revocation.revoked_at, now));
    }
  }
  until = crl.this_update;
}

}  // namespace server
