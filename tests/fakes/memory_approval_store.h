#pragma once

#include <map>
#include <mutex>
#include <vector>

#include "ca/ports/approval_store.h"
#include "tests/fakes/event_log.h"

namespace ca::testing {

// The contract of ca/ports/approval_store.h in memory. tests/contract tests both implementations.
class MemoryApprovalStore final : public ApprovalStore {
 public:
  explicit MemoryApprovalStore(EventLog& events) : events_(events) {
    events.AskToUse([this](const AuditEvent& use) { return UseApproval(use); });
  }

  Result<Approval> FindOrRequest(const Approval& wanted, const std::set<std::string>& disregarded,
                                 const AuditEvent& event) override;
  Result<Approval> Find(HierarchyId hierarchy, const std::string& id) override;
  Result<Recorded<Approval>> Decide(HierarchyId hierarchy, const std::string& id,
                                    const ApprovalDecision& decision,
                                    const AuditEvent& event) override;
  Result<Recorded<Approval>> Withdraw(HierarchyId hierarchy, const std::string& id,
                                      const AuditEvent& event) override;
  Result<std::vector<Approval>> List(const ApprovalQuery& query) override;

 private:
  Status UseApproval(const AuditEvent& use);
  // nullptr when there is none. The caller holds the lock.
  Approval* FindLocked(HierarchyId hierarchy, const std::string& id);

  EventLog& events_;
  std::mutex mutex_;
  std::vector<Approval> approvals_;             // oldest first
  std::map<std::string, std::string> used_by_;  // correlation ids
};

}  // namespace ca::testing
