#pragma once

#include <memory>
#include <string>
#include <vector>

#include "ca/catalog/status_directory.h"
#include "ca/server/http/http_listener.h"
#include "ca/server/run/backends.h"
#include "ca/server/status/consistency.h"
#include "ca/server/status/status_feed.h"
#include "ca/server/status/status_site.h"
#include "ca/server/telemetry/metrics.h"

namespace server {

// Everything by which this replica says whether a certificate is valid: the revocations, CRLs and
// OCSP responders in memory, the feed that keeps them up to date, and the sites that serve them,
// and the metrics, over HTTP.
class StatusPlane {
 public:
  // Reads every revocation that is committed by now. Everything outlives it. kUnavailable while the
  // database is unavailable.
  static ca::Result<std::unique_ptr<StatusPlane>> Create(const Config& config,
                                                         const Backends& backends,
                                                         ca::LiveCatalog& catalogs,
                                                         const ca::Clock& clock);
  // Stops listening, then following.
  ~StatusPlane();

  // Starts the feed.
  void Follow();
  // Serves over HTTP on the addresses of the configuration. kFailedPrecondition if a port is taken.
  ca::Status Listen();
  // Answers the requests that have begun, and closes the ports.
  void StopListening();

  const ca::RevocationIndex& index() const { return index_; }
  ca::StatusDirectory& directory() { return directory_; }
  crl::CrlCache& crl_cache() { return crl_cache_; }
  StatusFeed& feed() { return feed_; }
  const Consistency& consistency() const { return consistency_; }
  Metrics& metrics() { return metrics_; }

  // kUnavailable if the feed has not succeeded for some seconds.
  ca::Status CheckHealth() const { return feed_.CheckHealth(); }

  // Names what this replica still needs before it can answer for `authority`: "the first CRL", "the
  // OCSP responder". Empty if it can answer.
  std::vector<std::string> MissingFor(const ca::Authority& authority);

 private:
  StatusPlane(const Config& config, const Backends& backends, ca::LiveCatalog& catalogs,
              const ca::Clock& clock);

  void ReadMetrics(const ca::LiveCatalog& catalogs);

  const Config& config_;
  const ca::Clock& clock_;

  ca::StatusDirectory directory_;
  ca::RevocationIndex index_;
  crl::CrlCache crl_cache_;
  Metrics metrics_;
  ocsp::Responder responder_;
  StatusFeed feed_;
  Consistency consistency_;
  StatusSite site_;
  MetricsSite metrics_site_;
  std::unique_ptr<HttpListener> http_;
  std::unique_ptr<HttpListener> metrics_http_;
};

}  // namespace server
