#pragma once

#include <atomic>
#include <map>
#include <utility>
#include <vector>

#include "ca/ports/crl_store.h"
#include "tests/fakes/memory_hierarchy_tables.h"
#include "tests/fakes/memory_ledger.h"

namespace ca::testing {

// The contract of ca/ports/crl_store.h in memory. tests/contract tests both implementations.
class MemoryCrlStore final : public CrlStore {
 public:
  MemoryCrlStore(MemoryLedger& ledger, MemoryHierarchyTables& tables)
      : ledger_(ledger), tables_(tables) {}

  Result<std::vector<CrlShardRecord>> LoadShards(TimePoint now) override;
  Status OpenShard(AuthorityId authority, CrlShard newest, TimePoint now) override;
  Result<std::int64_t> LastNumber(AuthorityId authority, CrlShard shard) override;
  Status Publish(HierarchyId hierarchy, const PublishedCrl& crl) override;
  Result<std::vector<PublishedCrl>> LoadNewerThan(const std::vector<PublishedCrl>& known) override;

  // From now on every call fails, as while the database is unavailable, until it is undone.
  void TakeAway() { is_away_ = true; }
  void BringBack() { is_away_ = false; }

 private:
  using Shard = std::pair<AuthorityId, CrlShard>;

  Status CheckThere() const;

  // The caller holds the ledger's lock.
  std::map<Shard, CrlShardRecord> CountShards(TimePoint now);
  CrlShard NewestOf(AuthorityId authority) const;
  std::int64_t LastNumberLocked(Shard shard) const;
  void TellNews();

  MemoryLedger& ledger_;
  MemoryHierarchyTables& tables_;
  std::atomic<bool> is_away_ = false;
  // Under the ledger's lock.
  std::map<Shard, TimePoint> opened_;  // shard 0 needs no opening
  std::vector<PublishedCrl> crls_;
};

}  // namespace ca::testing
