#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include "ca/catalog/live_catalog.h"
#include "ca/catalog/revocation_index.h"
#include "ca/catalog/status_directory.h"
#include "ca/ports/crl_store.h"
#include "crl/crl_cache.h"
#include "ocsp/responder.h"

namespace server {

// Keeps this replica's knowledge of the status of certificates up with the commits of every
// replica: revocations, the newest CRLs, the OCSP responders and the shards. A notification wakes
// it; without one it runs twice a second. Thread-safe.
class StatusFeed {
 public:
  struct Sources {
    ca::RevocationStore& revocations;
    ca::CrlStore& crls;
    ca::KeyStore& keys;
  };
  struct Sinks {
    ca::RevocationIndex& index;
    crl::CrlCache& crl_cache;
    ocsp::Responder& responder;
    ca::StatusDirectory& directory;
  };

  // Called for each revocation that is new on this replica.
  struct Observers {
    std::function<void(const ca::Revocation&)> revocation;
  };

  // Everything outlives it.
  StatusFeed(Sources sources, Sinks sinks, ca::LiveCatalog& catalogs, const ca::Clock& clock,
             Observers observers)
      : sources_(sources),
        sinks_(sinks),
        catalogs_(catalogs),
        clock_(clock),
        observers_(std::move(observers)) {}
  ~StatusFeed() { Stop(); }

  // Everything, once: before anything is served. kUnavailable while the database is away.
  ca::Status Load();
  // From then on, on a thread of its own.
  void Start();
  void Stop();

  // Brings the index up to what is committed now.
  ca::Status CatchUp();
  // The hierarchies, authorities, responders and shards as they are now.
  ca::Status Refresh();

  // kUnavailable when it has not succeeded for ten seconds: revocations since then are not known
  // here.
  ca::Status CheckHealth() const;

 private:
  void FollowForEver();
  ca::Status Follow();

  const Sources sources_;
  const Sinks sinks_;
  ca::LiveCatalog& catalogs_;
  const ca::Clock& clock_;
  const Observers observers_;

  std::mutex catching_up_;
  ca::RevocationCursor cursor_;
  bool is_loaded_ = false;
  std::mutex refreshing_;
  std::atomic<bool> lacks_responder_ = false;

  std::atomic<ca::TimePoint> followed_at_ = ca::TimePoint{};
  ca::TimePoint refresh_due_;
  ca::TimePoint prune_due_;
  std::atomic<bool> is_stopping_ = false;
  std::thread thread_;
};

}  // namespace server
