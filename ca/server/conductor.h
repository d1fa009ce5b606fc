#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "ca/destroying.h"
#include "ca/key_retirement.h"
#include "ca/live_catalog.h"
#include "ca/provisioning.h"
#include "ca/rotation.h"
#include "ca/server/status_feed.h"
#include "crl/publisher.h"
#include "db/advisory_lock.h"

namespace server {

// What one replica at a time does for all: issuing authorities that follow each other on schedule,
// trust bundles that say so, OCSP responders with fresh certificates, CRLs, the end of keys that
// are spent, and of hierarchies that are destroyed. An advisory lock says which; everything it does
// is safe when two do it by accident. Thread-safe.
class Conductor {
 public:
  struct Parts {
    ca::Provisioning& provisioning;
    ca::Rotation& rotation;
    ca::KeyRetirement& key_retirement;
    ca::Destroying& destroying;
    ca::TrustBundles& bundles;
    crl::Publisher& publisher;
    crl::Shelf& shelf;
    ca::CrlStore& crls;
    StatusFeed& feed;
  };

  struct Observers {
    // Told of each CRL that it published.
    std::function<void(const ca::PublishedCrl&)> published;
    // Told of a failed round, once for as long as each fails with the same words.
    std::function<void(const ca::Status&)> failed;
  };

  // What is referred to outlives it.
  Conductor(db::Endpoint database, Parts parts, const ca::LiveCatalog& catalogs,
            const ca::Clock& clock, Observers observers);
  ~Conductor();

  // From now on, once a second.
  void Start();
  void Stop();

  // What failed in the last round, if this replica is the conductor.
  ca::Status CheckHealth() const;

 private:
  void ConductForEver();
  bool Leads();
  ca::Status Round();
  ca::Status Rotate();
  void RetireKeys();
  ca::Status EnsureResponders();
  ca::Status PublishCrls();
  void Dismantle();
  ca::Status Dismantle(const ca::Catalog& catalog, const ca::HierarchyDestruction& destruction);
  ca::Status Observe(const crl::Publisher::Round& round);

  const db::Endpoint database_;
  const Parts parts_;
  const ca::LiveCatalog& catalogs_;
  const ca::Clock& clock_;
  const Observers observers_;

  std::optional<db::AdvisoryLock> lock_;
  ca::TimePoint responders_due_;
  ca::TimePoint keys_due_;
  ca::Status keys_retired_;
  ca::Status dismantled_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  ca::Status last_round_;
  bool is_stopping_ = false;
  std::thread thread_;
};

}  // namespace server
