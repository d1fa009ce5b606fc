#include "db/postgres_approval_store.h"

#include "db/connection.h"
#include "db/event_columns.h"
#include "db/row.h"

namespace db {
namespace {

using ca::Approval;
using ca::ApprovalDecision;
using ca::Error;
using ca::HierarchyId;
using ca::StatusCode;
using ca::Verdict;

constexpr size_t kConnectionsMax = 2;

// Of the hierarchy that the transaction has named. What follows is a condition on a, d and e.
constexpr char kSelect[] =
    "SELECT a.id, a.hierarchy, a.kind, a.digest, a.changes, a.requested_by, a.requested_at, "
    "       a.expires_at, d.verdict, d.decided_by, d.decided_at, d.reason, e.outcome, e.ended_at "
    "  FROM agentpki.approvals AS a "
    "  LEFT JOIN agentpki.approval_decisions AS d ON d.approval = a.id "
    "  LEFT JOIN agentpki.approval_ends AS e ON e.approval = a.id "
    " WHERE a.hierarchy = agentpki.current_hierarchy() AND ";

constexpr char kUsed[] = "used";
constexpr char kWithdrawn[] = "withdrawn";

std::string NameOf(Verdict verdict) { return verdict == Verdict::kApprove ? "approve" : "deny"; }

std::optional<ApprovalDecision> DecisionOf(const pqxx::row& row) {
  if (row["verdict"].is_null()) return std::nullopt;
  return ApprovalDecision{
      .verdict = row["verdict"].as<std::string>() == NameOf(Verdict::kApprove) ? Verdict::kApprove
                                                                               : Verdict::kDeny,
      .by = SpiffeIdOf(row["decided_by"]),
      .at = TimeOf(row["decided_at"]),
      .reason = row["reason"].as<std::string>(),
  };
}

Approval ApprovalOf(const pqxx::row& row) {
  Approval approval{
      .id = row["id"].as<std::string>(),
      .hierarchy = static_cast<HierarchyId>(row["hierarchy"].as<int>()),
      .kind = Expect(ca::ApprovalKindFrom(row["kind"].c_str()), row["kind"]),
      .digest = BytesOf(row["digest"]),
      .changes = TextsOf(row["changes"]),
      .requested_by = SpiffeIdOf(row["requested_by"]),
      .requested_at = TimeOf(row["requested_at"]),
      .expires_at = TimeOf(row["expires_at"]),
      .decision = DecisionOf(row),
      .used_at = std::nullopt,
      .withdrawn_at = std::nullopt,
  };
  if (row["outcome"].is_null()) return approval;
  auto& ended_at =
      row["outcome"].as<std::string>() == kUsed ? approval.used_at : approval.withdrawn_at;
  ended_at = TimeOf(row["ended_at"]);
  return approval;
}

// Whoever asks for something, decides on it or ends it in the hierarchy has this to itself until it
// commits, so that two who ask at once get the same, and no more are pending than may be.
void Lock(pqxx::work& transaction, HierarchyId hierarchy) {
  transaction.exec_params("SELECT pg_advisory_xact_lock(4, $1)", static_cast<int>(hierarchy));
}

Result<Approval> Select(pqxx::work& transaction, const std::string& id) {
  const pqxx::result found = transaction.exec_params(std::string(kSelect) + "a.id = $1", id);
  if (found.empty()) return Error(StatusCode::kNotFound, "there is no approval {}", id);
  return ApprovalOf(found[0]);
}

Status Insert(pqxx::work& transaction, const Approval& wanted) {
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
    return ca::Refusal(StatusCode::kFailedPrecondition, "approval.too-many",
                       "{} approvals are pending in the hierarchy; decide on some first: agentpki "
                       "approval list",
                       pending);
  }
  transaction.exec_params(
      "INSERT INTO agentpki.approvals (id, hierarchy, kind, digest, changes, requested_by, "
      "requested_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
      wanted.id, static_cast<int>(wanted.hierarchy), std::string(ca::NameOf(wanted.kind)),
      pqxx::binarystring(wanted.digest), TextArray(wanted.changes), wanted.requested_by.ToString(),
      TimeText(wanted.requested_at), TimeText(wanted.expires_at));
  return ca::Ok();
}

void End(pqxx::work& transaction, const Approval& approval, const std::string& outcome,
         const ca::AuditEvent& event) {
  transaction.exec_params(
      "INSERT INTO agentpki.approval_ends (approval, hierarchy, requested_by, outcome, verdict, "
      "ended_at, correlation_id) "
      "VALUES ($1, $2, $3, $4::text, CASE $4::text WHEN 'used' THEN 'approve' END, $5, $6)",
      approval.id, static_cast<int>(approval.hierarchy), approval.requested_by.ToString(), outcome,
      TimeText(event.at), event.correlation_id);
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
    Lock(transaction, wanted.hierarchy);
    const pqxx::result found = transaction.exec_params(
        std::string(kSelect) +
            "a.kind = $1 AND a.digest = $2 AND a.requested_by = $3 AND a.expires_at > $4 "
            "AND e.approval IS NULL AND a.id <> ALL ($5) "
            "ORDER BY a.requested_at DESC, a.id DESC LIMIT 1",
        std::string(ca::NameOf(wanted.kind)), pqxx::binarystring(wanted.digest),
        wanted.requested_by.ToString(), TimeText(wanted.requested_at),
        TextArray({disregarded.begin(), disregarded.end()}));
    if (!found.empty()) return ApprovalOf(found[0]);
    TRY(Insert(transaction, wanted));
    InsertEvent(transaction, event);
    transaction.commit();
    return wanted;
  });
}

Result<Approval> PostgresApprovalStore::Find(HierarchyId hierarchy, const std::string& id) {
  return pool_->RunRepeatable([&](pqxx::connection& connection) -> Result<Approval> {
    pqxx::work transaction(connection);
    NameHierarchy(transaction, hierarchy);
    return Select(transaction, id);
  });
}

Result<Approval> PostgresApprovalStore::Decide(HierarchyId hierarchy, const std::string& id,
                                               const ApprovalDecision& decision,
                                               const ca::AuditEvent& event) {
  return pool_->RunRepeatable([&](pqxx::connection& connection) -> Result<Approval> {
    pqxx::work transaction(connection);
    NameHierarchy(transaction, hierarchy);
    Lock(transaction, hierarchy);
    Approval approval = TRY(Select(transaction, id));
    if (approval.decision == decision) return approval;  // by this call, whose answer was lost
    if (!approval.decision || !approval.decision->IsRepeatedBy(decision)) {
      TRY(approval.CheckDecidable(decision.at));
      transaction.exec_params(
          "INSERT INTO agentpki.approval_decisions (approval, hierarchy, requested_by, verdict, "
          "decided_by, decided_at, reason) VALUES ($1, $2, $3, $4, $5, $6, $7)",
          id, static_cast<int>(hierarchy), approval.requested_by.ToString(),
          NameOf(decision.verdict), decision.by.ToString(), TimeText(decision.at), decision.reason);
      approval.decision = decision;
    }
    InsertEvent(transaction, event);
    transaction.commit();
    return approval;
  });
}

Result<Approval> PostgresApprovalStore::Withdraw(HierarchyId hierarchy, const std::string& id,
                                                 const ca::AuditEvent& event) {
  return pool_->RunRepeatable([&](pqxx::connection& connection) -> Result<Approval> {
    pqxx::work transaction(connection);
    NameHierarchy(transaction, hierarchy);
    Lock(transaction, hierarchy);
    Approval approval = TRY(Select(transaction, id));
    if (approval.withdrawn_at == event.at) return approval;  // by this call, whose answer was lost
    if (!approval.withdrawn_at) {
      TRY(approval.CheckWithdrawable(event.at));
      End(transaction, approval, kWithdrawn, event);
      approval.withdrawn_at = event.at;
    }
    InsertEvent(transaction, event);
    transaction.commit();
    return approval;
  });
}

Status PostgresApprovalStore::Use(HierarchyId hierarchy, const std::string& id,
                                  const ca::AuditEvent& event) {
  return pool_->RunRepeatable([&](pqxx::connection& connection) -> Status {
    pqxx::work transaction(connection);
    NameHierarchy(transaction, hierarchy);
    Lock(transaction, hierarchy);
    const pqxx::result used = transaction.exec_params(
        "SELECT correlation_id FROM agentpki.approval_ends "
        " WHERE approval = $1 AND outcome = 'used'",
        id);
    if (!used.empty()) {
      if (used[0][0].as<std::string>() == event.correlation_id) return ca::Ok();
      return Error(StatusCode::kAborted, "approval {} was used by another call just now", id);
    }
    const Approval approval = TRY(Select(transaction, id));
    if (approval.StateAt(event.at) != ca::ApprovalState::kApproved) {
      return Error(StatusCode::kFailedPrecondition, "approval {} is {}", id,
                   ca::NameOf(approval.StateAt(event.at)));
    }
    End(transaction, approval, kUsed, event);
    InsertEvent(transaction, event);
    transaction.commit();
    return ca::Ok();
  });
}

Result<std::vector<Approval>> PostgresApprovalStore::List(const ca::ApprovalQuery& query) {
  using Approvals = std::vector<Approval>;
  return pool_->RunRepeatable([&](pqxx::connection& connection) -> Result<Approvals> {
    pqxx::work transaction(connection);
    NameHierarchy(transaction, query.hierarchy);
    Approvals approvals;
    for (const pqxx::row& row : transaction.exec_params(
             std::string(kSelect) +
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
