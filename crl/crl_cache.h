#pragma once

#include <map>
#include <memory>
#include <shared_mutex>
#include <string>
#include <vector>

#include "ca/ports/crl_store.h"

namespace crl {

// The newest CRL of each shard, in memory, as it is served. Thread-safe; a reader waits for nobody
// but for a writer, which holds the lock for a swap of pointers.
class CrlCache {
 public:
  struct Entry {
    ca::PublishedCrl crl;
    std::string etag;  // quoted; of its octets
  };

  // Fetches what is newer than what it has. On an error everything stays as it is.
  ca::Status Refresh(ca::CrlStore& store);

  // Null when there is none. What was found stays good while it is held.
  std::shared_ptr<const Entry> Find(ca::AuthorityId authority, ca::CrlShard shard) const;
  std::shared_ptr<const Entry> FindDelta(ca::AuthorityId authority, ca::CrlShard shard) const;
  // All, deltas too; by authority and shard.
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
