#pragma once

#include <string>
#include <vector>

#include "tests/fakes/memory_hierarchy_tables.h"

namespace ca::testing {

// The contract of ca/ports/hierarchy_store.h in memory. tests/contract tests both implementations.
class MemoryHierarchyStore final : public HierarchyStore {
 public:
  MemoryHierarchyStore(MemoryHierarchyTables& tables, EventLog& events)
      : tables_(tables), events_(events) {}

  Result<Hierarchy> CreateHierarchy(const Hierarchy& hierarchy, const AuditEvent& event) override;
  Result<std::vector<Hierarchy>> LoadHierarchies() override;
  Status ChangeHierarchy(const Hierarchy& standing, const Hierarchy& wanted,
                         const AuditEvent& event) override;
  Result<Recorded<HierarchyDestruction>> DestroyHierarchy(HierarchyId hierarchy,
                                                          const std::string& reason,
                                                          const AuditEvent& event) override;
  Result<std::vector<HierarchyDestruction>> LoadDestructions() override;
  Result<std::vector<HierarchyDestruction>> FindDestructions(const std::string& name,
                                                             int limit) override;
  Status RecordHierarchyDestroyed(HierarchyId hierarchy, const Bytes& record,
                                  const AuditEvent& event) override;

 private:
  MemoryHierarchyTables& tables_;
  EventLog& events_;
};

}  // namespace ca::testing
