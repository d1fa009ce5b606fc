#pragma once

#include <memory>

#include "ca/ports/approval_store.h"

namespace db {

struct Endpoint;
class Pool;

class PostgresApprovalStore final : public ca::ApprovalStore {
 public:
  // Connects when first used.
  explicit PostgresApprovalStore(const Endpoint& endpoint);
  ~PostgresApprovalStore() override;

  ca::Result<ca::Approval> FindOrRequest(const ca::Approval& wanted,
                                         const std::set<std::string>& disregarded,
                                         const ca::AuditEvent& event) override;
  ca::Result<ca::Approval> Find(ca::HierarchyId hierarchy, const std::string& id) override;
  ca::Result<ca::Recorded<ca::Approval>> Decide(ca::HierarchyId hierarchy, const std::string& id,
                                                const ca::ApprovalDecision& decision,
                                                const ca::AuditEvent& event) override;
  ca::Result<ca::Recorded<ca::Approval>> Withdraw(ca::HierarchyId hierarchy, const std::string& id,
                                                  const ca::AuditEvent& event) override;
  ca::Result<std::vector<ca::Approval>> List(const ca::ApprovalQuery& query) override;

 private:
  std::unique_ptr<Pool> pool_;
};

}  // namespace db
