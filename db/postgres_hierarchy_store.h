#pragma once

#include <memory>

#include "ca/ports/hierarchy_store.h"

namespace db {

class Pool;

class PostgresHierarchyStore final : public ca::HierarchyStore {
 public:
  explicit PostgresHierarchyStore(std::shared_ptr<Pool> pool) : pool_(std::move(pool)) {}

  ca::Result<ca::Hierarchy> CreateHierarchy(const ca::Hierarchy& hierarchy,
                                            const ca::AuditEvent& event) override;
  ca::Result<std::vector<ca::Hierarchy>> LoadHierarchies() override;
  ca::Status ChangeHierarchy(const ca::Hierarchy& standing, const ca::Hierarchy& wanted,
                             const ca::AuditEvent& event) override;
  ca::Result<ca::Recorded<ca::HierarchyDestruction>> DestroyHierarchy(
      ca::HierarchyId hierarchy, const std::string& reason, const ca::AuditEvent& event) override;
  ca::Result<std::vector<ca::HierarchyDestruction>> LoadDestructions() override;
  ca::Result<std::vector<ca::HierarchyDestruction>> FindDestructions(const std::string& name,
                                                                     int limit) override;
  ca::Status RecordHierarchyDestroyed(ca::HierarchyId hierarchy, const ca::Bytes& record,
                                      const ca::AuditEvent& event) override;

 private:
  const std::shared_ptr<Pool> pool_;
};

}  // namespace db
