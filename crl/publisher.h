#pragma once

#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "ca/authority.h"
#include "ca/base/clock.h"
#include "ca/crl_store.h"
#include "ca/revocation_index.h"
#include "ca/status_directory.h"

namespace crl {

struct PublisherOptions {
  std::chrono::seconds lifetime = std::chrono::hours(1);  // nextUpdate - thisUpdate
  std::int64_t shard_size = 1'000'000;  // certificates in a shard, after which the next is opened
  bool deltas = false;
};

// The story of a CRL: what is due, its number, its entries, its signature, its publication. Run by
// the conductor, one thread; two that run it at once by accident publish nothing wrong: of two CRLs
// with one number one is dropped, and a higher number never lists less.
class Publisher {
 public:
  // `catch_up` brings `index` up to what is committed when it is called.
  Publisher(ca::CrlStore& store, const ca::RevocationIndex& index,
            std::function<ca::Status()> catch_up, const ca::StatusUrls& urls,
            const ca::Clock& clock, PublisherOptions options);

  // One round over `authorities` (roots and issuing ones): opens the shards that are due, publishes
  // a CRL for each shard that lists something new, that has passed half its life, or that this
  // publisher has not yet published; and with deltas, a delta CRL between two complete ones.
  // Returns the new CRLs. What fails for one authority does not keep the others waiting: the first
  // error is returned after all were tried, in `error`.
  struct Round {
    std::vector<ca::PublishedCrl> published;
    std::vector<ca::CrlShardRecord> shards;  // as they stand, to tell ca::StatusDirectory
    ca::Status error;
  };
  Round PublishDue(const std::vector<std::shared_ptr<const ca::Authority>>& authorities);

 private:
  struct Key {
    ca::AuthorityId authority;
    ca::CrlShard shard;
    friend auto operator<=>(const Key&, const Key&) = default;
  };
  struct LastPublished {
    std::uint64_t generation = 0;
    ca::TimePoint this_update;
    std::int64_t complete_number = 0;
  };

  ca::CrlStore& store_;
  const ca::RevocationIndex& index_;
  const std::function<ca::Status()> catch_up_;
  const ca::StatusUrls urls_;
  const ca::Clock& clock_;
  const PublisherOptions options_;
  std::map<Key, LastPublished> last_;
};

}  // namespace crl
