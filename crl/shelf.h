#pragma once

#include <memory>
#include <shared_mutex>
#include <string>
#include <vector>

#include "ca/crl_store.h"

namespace crl {

// The newest CRL of each shard, in memory, as it is served. Thread-safe.
class Shelf {
 public:
  struct Entry {
    ca::PublishedCrl crl;
    std::string etag;  // quoted
  };

  // Fetches what is newer than what it has.
  ca::Status Refresh(ca::CrlStore& store);

  // Null when there is none.
  std::shared_ptr<const Entry> Find(ca::AuthorityId authority, ca::CrlShard shard) const;
  std::shared_ptr<const Entry> FindDelta(ca::AuthorityId authority, ca::CrlShard shard) const;
  // All, deltas too.
  std::vector<std::shared_ptr<const Entry>> All() const;

 private:
  mutable std::shared_mutex mutex_;
  std::vector<std::shared_ptr<const Entry>> entries_;
};

}  // namespace crl
