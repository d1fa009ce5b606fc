#include "tests/fakes/memory_approval_store.h"

#include <algorithm>

#include "ca/base/rules.h"

namespace ca::testing {

Approval* MemoryApprovalStore::FindLocked(HierarchyId hierarchy, const std::string& id) {
  const auto found =
      std::find_if(approvals_.begin(), approvals_.end(), [&](const Approval& approval) {
        return approval.hierarchy == hierarchy && approval.id == id;
      });
  return found == approvals_.end() ? nullptr : &*found;
}

Result<Approval> MemoryApprovalStore::FindOrRequest(const Approval& wanted,
                                                    const std::set<std::string>& disregarded,
                                                    const AuditEvent& event) {
  const std::lock_guard lock(mutex_);
  int pending = 0;
  const Approval* found = nullptr;
  for (const Approval& approval : approvals_) {
    if (approval.hierarchy != wanted.hierarchy || approval.expires_at <= wanted.requested_at) {
      continue;
    }
    if (approval.used_at || approval.withdrawn_at) continue;
    if (!approval.decision) ++pending;
    if (approval.kind == wanted.kind && approval.digest == wanted.digest &&
        approval.requested_by == wanted.requested_by && !disregarded.contains(approval.id)) {
      found = &approval;
    }
  }
  if (found) return *found;
  if (pending >= Approval::kPendingMax) {
    return Refusal<kApprovalTooMany>(pending);
  }
  approvals_.push_back(wanted);
  events_.Add(event);
  return wanted;
}

Result<Approval> MemoryApprovalStore::Find(HierarchyId hierarchy, const std::string& id) {
  const std::lock_guard lock(mutex_);
  const Approval* const found = FindLocked(hierarchy, id);
  if (!found) return Error(StatusCode::kNotFound, "there is no approval {}", id);
  return *found;
}

Result<Recorded<Approval>> MemoryApprovalStore::Decide(HierarchyId hierarchy, const std::string& id,
                                                       const ApprovalDecision& decision,
                                                       const AuditEvent& event) {
  const std::lock_guard lock(mutex_);
  Approval* const found = FindLocked(hierarchy, id);
  if (!found) return Error(StatusCode::kNotFound, "there is no approval {}", id);
  if (!found->decision || !found->decision->IsRepeatedBy(decision)) {
    TRY(found->CheckDecidable(decision.at));
    found->decision = decision;
  }
  events_.Add(event);
  return OnRecord(Result<Approval>(*found));
}

Result<Recorded<Approval>> MemoryApprovalStore::Withdraw(HierarchyId hierarchy,
                                                         const std::string& id,
                                                         const AuditEvent& event) {
  const std::lock_guard lock(mutex_);
  Approval* const found = FindLocked(hierarchy, id);
  if (!found) return Error(StatusCode::kNotFound, "there is no approval {}", id);
  if (!found->withdrawn_at) {
    TRY(found->CheckWithdrawable(event.at));
    found->withdrawn_at = event.at;
  }
  events_.Add(event);
  return OnRecord(Result<Approval>(*found));
}

Status MemoryApprovalStore::UseApproval(const AuditEvent& use) {
  const std::lock_guard lock(mutex_);
  const std::string& id = use.subject;
  Approval* const found = FindLocked(use.hierarchy, id);
  if (!found) return Error(StatusCode::kNotFound, "there is no approval {}", id);
  if (found->used_at) {
    if (used_by_[id] == use.correlation_id) return Ok();
    return Error(StatusCode::kAborted, "approval {} was used by another call", id);
  }
  if (found->StateAt(use.at) != ApprovalState::kApproved) {
    return Error(StatusCode::kFailedPrecondition, "approval {} is {}", id,
                 NameOf(found->StateAt(use.at)));
  }
  found->used_at = use.at;
  used_by_[id] = use.correlation_id;
  events_.Add(use);
  return Ok();
}

Result<std::vector<Approval>> MemoryApprovalStore::List(const ApprovalQuery& query) {
  const std::lock_guard lock(mutex_);
  std::vector<Approval> listed;
  for (const Approval& approval : approvals_) {
    if (approval.hierarchy != query.hierarchy) continue;
    if (query.pending_at && approval.StateAt(*query.pending_at) != ApprovalState::kPending) {
      continue;
    }
    listed.push_back(approval);
  }
  const auto key = [](const Approval& approval) {
    return std::pair(approval.requested_at, approval.id);
  };
  std::sort(listed.begin(), listed.end(),
            [&](const Approval& a, const Approval& b) { return key(a) > key(b); });
  if (!query.page_token.empty()) {
    const Approval* const last = FindLocked(query.hierarchy, query.page_token);
    std::erase_if(listed,
                  [&](const Approval& approval) { return !last || key(approval) >= key(*last); });
  }
  if (static_cast<int>(listed.size()) > query.page_size) {
    listed.erase(listed.begin() + query.page_size, listed.end());
  }
  return listed;
}

}  // namespace ca::testing
