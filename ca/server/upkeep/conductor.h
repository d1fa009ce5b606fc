#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "ca/authorities/authority_publication.h"
#include "ca/authorities/key_retirement.h"
#include "ca/authorities/rotation.h"
#include "ca/catalog/live_catalog.h"
#include "ca/hierarchies/decommissioning.h"
#include "ca/server/status/status_feed.h"
#include "crl/publisher.h"
#include "db/advisory_lock.h"

namespace server {

// The work that one replica at a time does for all: it lets issuing authorities follow each other
// on schedule, publishes trust bundles and CRLs, renews OCSP responders, and ends spent keys and
// destroyed hierarchies. An advisory lock decides which replica conducts; everything is safe if two
// do it by accident. Thread-safe.
class Conductor {
 public:
  struct Parts {
    const ca::KeyStore& keys;
    const ca::AuthorityPublication& publication;
    ca::Rotation& rotation;
    ca::KeyRetirement& key_retirement;
    ca::Decommissioning& decommissioning;
    ca::TrustBundles& bundles;
    crl::Publisher& publisher;
    crl::CrlCache& crl_cache;
    ca::CrlStore& crls;
    StatusFeed& feed;
  };

  struct Observers {
    // Called for each CRL that it published.
    std::function<void(const ca::PublishedCrl&)> published;
    // Called for a failed round; once while each round fails with the same message.
    std::function<void(const ca::Status&)> failed;
  };

  // Everything outlives it.
  Conductor(db::Endpoint database, Parts parts, const ca::LiveCatalog& catalogs,
            const ca::Clock& clock, Observers observers);
  ~Conductor();

  // From now on, once a second.
  void Start();
  void Stop();

  // The failure of the last round, if this replica is the conductor. The failure of a hierarchy
  // with a dedicated token does not count, because the others are served all the same.
  ca::Status CheckHealth() const;

 private:
  void ConductForEver();
  bool Leads();
  // The hierarchies whose keys are on the common token, or those that have a dedicated token.
  struct Group {
    bool is_apart;
    std::chrono::seconds responder_patience;  // after a failure
    ca::TimePoint responders_due{};
    ca::Status last_round{};
  };
  using Hierarchies = std::vector<ca::HierarchySnapshotPtr>;

  void Round();
  ca::Status RoundOf(Group& group);
  Hierarchies Of(const Group& group, const ca::Catalog& catalog) const;
  ca::Status Rotate(const Hierarchies& hierarchies);
  void RetireKeys();
  ca::Status RetireKeysOf(const ca::HierarchySnapshot& hierarchy);
  ca::Status EnsureResponders(const Hierarchies& hierarchies);
  ca::Status PublishCrls(const Hierarchies& hierarchies);
  void Dismantle();
  ca::Status Dismantle(const ca::HierarchySnapshot& hierarchy);
  ca::Status Observe(const crl::Publisher::Round& round);

  const db::Endpoint database_;
  const Parts parts_;
  const ca::LiveCatalog& catalogs_;
  const ca::Clock& clock_;
  const Observers observers_;

  std::optional<db::AdvisoryLock> lock_;
  Group common_{.is_apart = false, .responder_patience = std::chrono::seconds(0)};
  Group apart_{.is_apart = true, .responder_patience = std::chrono::seconds(10)};
  ca::TimePoint keys_due_;
  ca::Status keys_retired_;
  ca::Status dismantled_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  ca::Status health_;
  bool is_stopping_ = false;
  std::thread thread_;
};

}  // namespace server
