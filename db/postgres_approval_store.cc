#include "db/postgres_approval_store.h"

#include "ca/base/rules.h"
#include "db/approval_rows.h"
#include "db/connection.h"
#include "db/event_columns.h"
#include "db/row.h"

namespace db {
namespace {

using ca::Approval;
using ca::ApprovalDecision;
using ca::HierarchyId;
using ca::StatusCode;

constexpr size_t kConnectionsMax = 2;

Status CheckPending(pqxx::work& transaction, const Approval& wanted) {
  const int pending = transaction
                          .exec_params1(
                              "SELECT count(*) FROM agentpki.approvals AS a "
                              " WHERE a.hierarchy = $1 AND a.expires_at > $2 "
                              "   AND NOT EXISTS (SELECT FROM agentpki.approval_decisions AS d "
                              "                    WHERE d.approval = a.id) "
                              "   AND NOT EXISTS (SELECT FROM agentpki.approval_ends AS e "
                              "                    WHERE e.approval = a.id)",
                              static_cast<int>(wanted.hierarchy), TimeText(wanted.requested_at))[0]
                          .as<int>();
  if (pending >= Approval::kPendingMax) {
    return ca::Refusal<ca::kApprovalTooMany>(pending);
  }
  return ca::Ok();
}

}  // namespace

PostgresApprovalStore::PostgresApprovalStore(const Endpoint& endpoint)
    : pool_(std::make_unique<Pool>(endpoint, kConnectionsMax, [](pqxx::connection&) {})) {}
PostgresApprovalStore::~PostgresApprovalStore() = default;

Result<Approval> PostgresApprovalStore::FindOrRequest(const Approval& wanted,
                                                      const std::set<std::string>& disregarded,
                                                      const ca::AuditEvent& event) {
  return pool_->RunRepeatable([&](pqxx::connection& connection) -> Result<Approval> {
    pqxx::work transaction(connection);
    NameHierarchy(transaction, wanted.hierarchy);
    LockApprovals(transaction, wanted.hierarchy);
    const pqxx::result found = transaction.exec_params(
        std::string(kSelectApprovals) +
            "a.kind = $1 AND a.digest = $2 AND a.requested_by = $3 AND a.expires_at > $4 "
            "AND e.approval IS NULL AND a.id <> ALL ($5) "
            "ORDER BY a.requested_at DESC, a.id DESC LIMIT 1",
        std::string(ca::NameOf(wanted.kind)), pqxx::binarystring(wanted.digest),
        wanted.requested_by.ToString(), TimeText(wanted.requested_at),
        TextArray({disregarded.begin(), disregarded.end()}));
    if (!found.empty()) return ApprovalOf(found[0]);
    TRY(CheckPending(transaction, wanted));
    InsertApproval(transaction, wanted);
    InsertEvent(transaction, event);
    transaction.commit();
    return wanted;
  });
}

Result<Approval> PostgresApprovalStore::Find(HierarchyId hierarchy, const std::string& id) {
  return pool_->RunRepeatable([&](pqxx::connection& connection) -> Result<Approval> {
    pqxx::work transaction(connection);
    NameHierarchy(transaction, hierarchy);
    return SelectApproval(transaction, id);
  });
}

Result<ca::Recorded<Approval>> PostgresApprovalStore::Decide(HierarchyId hierarchy,
                                                             const std::string& id,
                                                             const ApprovalDecision& decision,
                                                             const ca::AuditEvent& event) {
  return OnRecord(pool_->RunRepeatable([&](pqxx::connection& connection) -> Result<Approval> {
    pqxx::work transaction(connection);
    NameHierarchy(transaction, hierarchy);
    LockApprovals(transaction, hierarchy);
    Approval approval = TRY(SelectApproval(transaction, id));
    if (approval.decision == decision) return approval;  // by this call, whose answer was lost
    if (!approval.decision || !approval.decision->IsRepeatedBy(decision)) {
      TRY(approval.CheckDecidable(decision.at));
      InsertDecision(transaction, approval, decision);
      approval.decision = decision;
    }
    InsertEvent(transaction, event);
    transaction.commit();
    return approval;
  }));
}

Result<ca::Recorded<Approval>> PostgresApprovalStore::Withdraw(HierarchyId hierarchy,
                                                               const std::string& id,
                                                               const ca::AuditEvent& event) {
  return OnRecord(pool_->RunRepeatable([&](pqxx::connection& connection) -> Result<Approval> {
    pqxx::work transaction(connection);
    NameHierarchy(transaction, hierarchy);
    LockApprovals(transaction, hierarchy);
    Approval approval = TRY(SelectApproval(transaction, id));
    if (approval.withdrawn_at == event.at) return approval;  // by this call, whose answer was lost
    if (!approval.withdrawn_at) {
      TRY(approval.CheckWithdrawable(event.at));
      InsertWithdrawal(transaction, approval, event);
      approval.withdrawn_at = event.at;
    }
    InsertEvent(transaction, event);
    transaction.commit();
    return approval;
  }));
}

Result<std::vector<Approval>> PostgresApprovalStore::List(const ca::ApprovalQuery& query) {
  using Approvals = std::vector<Approval>;
  return pool_->RunRepeatable([&](pqxx::connection& connection) -> Result<Approvals> {
    pqxx::work transaction(connection);
    NameHierarchy(transaction, query.hierarchy);
    Approvals approvals;
    for (const pqxx::row& row : transaction.exec_params(
             std::string(kSelectApprovals) +
                 "($1 = '' OR (d.approval IS NULL AND e.approval IS NULL "
                 "             AND a.expires_at > nullif($1, '')::timestamptz)) "
                 "AND ($2 = '' OR (a.requested_at, a.id) < "
                 "                (SELECT b.requested_at, b.id FROM agentpki.approvals AS b "
                 "                  WHERE b.id = $2)) "
                 "ORDER BY a.requested_at DESC, a.id DESC LIMIT $3",
             query.pending_at ? TimeText(*query.pending_at) : "", query.page_token,
             query.page_size)) {
      approvals.push_back(ApprovalOf(row));
    }
    return approvals;
  });
}

}  // namespace db
