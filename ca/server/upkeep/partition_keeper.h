#pragma once

#include <chrono>

#include "ca/base/clock.h"
#include "db/postgres_ledger.h"

namespace server {

// Creates and drops the ledger's partitions, at most once an hour. Not thread-safe: one thread at a
// time calls Keep().
class PartitionKeeper {
 public:
  // Both outlive it.
  PartitionKeeper(db::PostgresLedger& ledger, const ca::Clock& clock)
      : ledger_(ledger), clock_(clock) {}

  // Does nothing until an hour has passed since it last succeeded.
  ca::Status Keep() {
    if (clock_.Now() < due_) return ca::Ok();
    TRY(ledger_.MaintainPartitions());
    due_ = clock_.Now() + kInterval;
    return ca::Ok();
  }

 private:
  static constexpr std::chrono::hours kInterval{1};

  db::PostgresLedger& ledger_;
  const ca::Clock& clock_;
  ca::TimePoint due_;
};

}  // namespace server
