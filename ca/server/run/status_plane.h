#pragma once

#include <memory>

#include "ca/authorities/provisioning.h"
#include "ca/hierarchies/decommissioning.h"
#include "ca/server/http/http_listener.h"
#include "ca/server/run/backends.h"
#include "ca/server/status/status_feed.h"
#include "ca/server/status/status_site.h"
#include "ca/server/telemetry/metrics.h"
#include "ca/server/upkeep/conductor.h"
#include "ca/server/upkeep/consistency_watch.h"

namespace server {

// The half of a server that says which certificates still stand: what it knows, what it publishes
// as the conductor, and what it serves over HTTP. Built after the backends and before whatever asks
// it; ends in the opposite order.
class StatusPlane {
 public:
  // Knows every revocation that is committed by now. kUnavailable while the database is away.
  static ca::Result<std::unique_ptr<StatusPlane>> Create(
      const Config& config, const Backends& backends, ca::LiveCatalog& catalogs,
      const ca::Authorization& authorization, ca::StatusDirectory& directory,
      const ca::Approvals& approvals, const ca::Clock& clock);
  ~StatusPlane();

  // Begins to follow, to conduct, to check and to listen. kFailedPrecondition when a port is taken.
  ca::Status Start();

  const ca::RevocationIndex& index() const { return index_; }
  const crl::CrlCache& crl_cache() const { return crl_cache_; }
  const Consistency& consistency() const { return consistency_; }
  ca::TrustBundles& bundles() { return bundles_; }
  ca::Rotation& rotation() { return rotation_; }
  ca::Decommissioning& decommissioning() { return decommissioning_; }
  Metrics& metrics() { return metrics_; }
  ca::Status CheckHealth() const;

  // What keeps this replica from saying which certificates of `authority` stand.
  std::vector<std::string> MissingFor(const ca::Authority& authority);

 private:
  StatusPlane(const Config& config, const Backends& backends, ca::LiveCatalog& catalogs,
              const ca::Authorization& authorization, ca::StatusDirectory& directory,
              const ca::Approvals& approvals, const ca::Clock& clock);

  void ObserveRevocation(const ca::Revocation& revocation);
  void ObserveFailedRound(const ca::Status& status);
  void ObserveCrl(const ca::PublishedCrl& crl);

  const Config& config_;
  ca::Ledger& ledger_;
  const ca::Clock& clock_;

  ca::RevocationIndex index_;
  crl::CrlCache crl_cache_;
  Metrics metrics_;
  ocsp::Responder responder_;
  StatusFeed feed_;
  ca::Provisioning provisioning_;
  ca::TrustBundles bundles_;
  ca::Rotation rotation_;
  ca::KeyRetirement key_retirement_;
  ca::Decommissioning decommissioning_;
  crl::Publisher publisher_;
  std::map<std::pair<ca::AuthorityId, ca::CrlShard>, ca::TimePoint> seen_in_crl_until_;
  Conductor conductor_;
  Consistency consistency_;
  ConsistencyWatch watch_;
  StatusSite site_;
  MetricsSite metrics_site_;
  std::unique_ptr<HttpListener> http_;
  std::unique_ptr<HttpListener> metrics_http_;
};

}  // namespace server
