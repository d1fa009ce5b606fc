#pragma once

#include <map>
#include <mutex>
#include <vector>

#include "ca/ports/acknowledgement_store.h"
#include "tests/fakes/event_log.h"
#include "tests/fakes/memory_hierarchy_tables.h"
#include "tests/fakes/memory_ledger.h"
#include "tests/fakes/memory_registry.h"

namespace ca::testing {

// The contract of ca/ports/acknowledgement_store.h in memory. tests/contract tests both
// implementations.
class MemoryAcknowledgementStore final : public AcknowledgementStore {
 public:
  MemoryAcknowledgementStore(MemoryHierarchyTables& tables, MemoryRegistry& registry,
                             MemoryLedger& ledger, EventLog& events)
      : tables_(tables), registry_(registry), ledger_(ledger), events_(events) {}

  Result<RecordedDecision> Acknowledge(const Acknowledgement& acknowledgement,
                                       const AuditEvent& event) override;
  Result<AcknowledgedCount> Count(HierarchyId hierarchy, int version, TimePoint now) override;
  Result<std::vector<LiveAgent>> ListStragglers(const StragglerQuery& query) override;

  // How often agents were counted.
  int count_count() const { return count_count_; }

 private:
  // By SPIFFE ID.
  Result<std::vector<LiveAgent>> LiveAgents(HierarchyId hierarchy, TimePoint now);

  MemoryHierarchyTables& tables_;
  MemoryRegistry& registry_;
  MemoryLedger& ledger_;
  EventLog& events_;
  std::mutex mutex_;
  std::map<AgentNumber, int> newest_;
  int count_count_ = 0;
};

}  // namespace ca::testing
