#pragma once

#include <map>
#include <memory>
#include <shared_mutex>
#include <string>
#include <vector>

#include "ca/ports/crl_store.h"

namespace crl {

// The newest complete CRL and delta CRL of each shard, in memory, ready to be served. Thread-safe.
// A reader waits only for a writer, which holds the lock while it swaps a pointer.
class CrlCache {
 public:
  struct Entry {
    ca::PublishedCrl crl;
    std::string etag;  // quoted; a digest of the DER
  };

  // Loads the CRLs that are newer than the cached ones. An error changes nothing.
  ca::Status Refresh(ca::CrlStore& store);

  // Null if there is none. The entry stays valid while the caller holds it.
  std::shared_ptr<const Entry> Find(ca::AuthorityId authority, ca::CrlShard shard) const;
  std::shared_ptr<const Entry> FindDelta(ca::AuthorityId authority, ca::CrlShard shard) const;
  // All entries, deltas included, by authority and shard.
  std::vector<std::shared_ptr<const Entry>> All() const;

 private:
  struct Key {
    ca::AuthorityId authority{};
    ca::CrlShard shard = 0;
    bool is_delta = false;
    friend auto operator<=>(const Key&, const Key&) = default;
  };

  static Key KeyOf(const ca::PublishedCrl& crl);
  std::shared_ptr<const Entry> Find(const Key& key) const;

  mutable std::shared_mutex mutex_;
  std::map<Key, std::shared_ptr<const Entry>> entries_;
};

}  // namespace crl
