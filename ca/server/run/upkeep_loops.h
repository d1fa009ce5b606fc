#pragma once

#include <functional>
#include <map>
#include <utility>

#include "ca/server/run/backends.h"
#include "ca/server/run/server_identity.h"
#include "ca/server/run/status_plane.h"
#include "ca/server/run/use_cases.h"
#include "ca/server/upkeep/conductor.h"
#include "ca/server/upkeep/consistency_watch.h"
#include "ca/server/upkeep/health_monitor.h"
#include "ca/server/upkeep/partition_keeper.h"

namespace server {

// The threads that keep a deployment going without being asked: the conductor, the consistency
// watch and the health monitor.
class UpkeepLoops {
 public:
  // The health monitor runs from now on; `tell_health` hears whether everything that all callers
  // need is healthy. Everything outlives it.
  UpkeepLoops(const Config& config, const Backends& backends, PartitionKeeper& partitions,
              const ca::LiveCatalog& catalogs, UseCases& use_cases, StatusPlane& status,
              const ServerIdentity& identity, std::function<void(bool)> tell_health,
              const ca::Clock& clock);
  // Stops the loops, each of them after the step that it is in.
  ~UpkeepLoops();

  // Starts the conductor and the consistency watch.
  void Start();

  const HealthMonitor& health() const { return health_; }

 private:
  void ObserveCrl(const ca::PublishedCrl& crl);
  void RecordLintError(const ca::Status& failed_round);

  ca::Ledger& ledger_;
  StatusPlane& status_;
  const ca::Clock& clock_;

  crl::Publisher publisher_;
  std::map<std::pair<ca::AuthorityId, ca::CrlShard>, ca::TimePoint> seen_in_crl_until_;
  Conductor conductor_;
  ConsistencyWatch consistency_watch_;
  HealthMonitor health_;
};

}  // namespace server
