#pragma once

#include <string>
#include <vector>

#include "tests/fakes/memory_hierarchy_tables.h"

namespace ca::testing {

// The contract of ca/ports/activation_store.h in memory. tests/contract tests both implementations.
class MemoryActivationStore final : public ActivationStore {
 public:
  MemoryActivationStore(MemoryHierarchyTables& tables, EventLog& events)
      : tables_(tables), events_(events) {}

  Result<std::vector<Activation>> LoadActivations() override;
  Result<RecordedDecision> Activate(const Activation& activation, const AuditEvent& event) override;
  Result<std::vector<TrustBundleRecord>> LoadTrustBundles() override;
  Status PublishTrustBundle(const TrustBundleRecord& bundle, const AuditEvent& event) override;

 private:
  MemoryHierarchyTables& tables_;
  EventLog& events_;
};

}  // namespace ca::testing
