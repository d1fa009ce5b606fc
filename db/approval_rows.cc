#include "db/approval_rows.h"

#include "db/row.h"

namespace db {
namespace {

using ca::Approval;
using ca::ApprovalDecision;
using ca::ApprovalState;
using ca::Error;
using ca::HierarchyId;
using ca::StatusCode;
using ca::Verdict;

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

void InsertEnd(pqxx::transaction_base& transaction, const Approval& of, const std::string& outcome,
               const ca::AuditEvent& event) {
  transaction.exec_params(
      "INSERT INTO agentpki.approval_ends (approval, hierarchy, requested_by, outcome, verdict, "
      "ended_at, correlation_id) "
      "VALUES ($1, $2, $3, $4::text, CASE $4::text WHEN 'used' THEN 'approve' END, $5, $6)",
      of.id, static_cast<int>(of.hierarchy), of.requested_by.ToString(), outcome,
      TimeText(event.at), event.correlation_id);
}

}  // namespace

const char kSelectApprovals[] =
    "SELECT a.id, a.hierarchy, a.kind, a.digest, a.changes, a.requested_by, a.requested_at, "
    "       a.expires_at, d.verdict, d.decided_by, d.decided_at, d.reason, e.outcome, e.ended_at "
    "  FROM agentpki.approvals AS a "
    "  LEFT JOIN agentpki.approval_decisions AS d ON d.approval = a.id "
    "  LEFT JOIN agentpki.approval_ends AS e ON e.approval = a.id "
    " WHERE a.hierarchy = agentpki.current_hierarchy() AND ";

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

Result<Approval> SelectApproval(pqxx::transaction_base& transaction, const std::string& id) {
  const pqxx::result found =
      transaction.exec_params(fmt::format("{}a.id = $1", kSelectApprovals), id);
  if (found.empty()) return Error(StatusCode::kNotFound, "there is no approval {}", id);
  return ApprovalOf(found[0]);
}

void LockApprovals(pqxx::transaction_base& transaction, HierarchyId hierarchy) {
  transaction.exec_params("SELECT pg_advisory_xact_lock(4, $1)", static_cast<int>(hierarchy));
}

void InsertApproval(pqxx::transaction_base& transaction, const Approval& wanted) {
  transaction.exec_params(
      "INSERT INTO agentpki.approvals (id, hierarchy, kind, digest, changes, requested_by, "
      "requested_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
      wanted.id, static_cast<int>(wanted.hierarchy), std::string(ca::NameOf(wanted.kind)),
      pqxx::binarystring(wanted.digest), TextArray(wanted.changes), wanted.requested_by.ToString(),
      TimeText(wanted.requested_at), TimeText(wanted.expires_at));
}

void InsertDecision(pqxx::transaction_base& transaction, const Approval& on,
                    const ApprovalDecision& decision) {
  transaction.exec_params(
      "INSERT INTO agentpki.approval_decisions (approval, hierarchy, requested_by, verdict, "
      "decided_by, decided_at, reason) VALUES ($1, $2, $3, $4, $5, $6, $7)",
      on.id, static_cast<int>(on.hierarchy), on.requested_by.ToString(), NameOf(decision.verdict),
      decision.by.ToString(), TimeText(decision.at), decision.reason);
}

void InsertWithdrawal(pqxx::transaction_base& transaction, const Approval& of,
                      const ca::AuditEvent& event) {
  InsertEnd(transaction, of, kWithdrawn, event);
}

Result<bool> UseApproval(pqxx::transaction_base& transaction, const ca::AuditEvent& use) {
  const std::string& id = use.subject;
  LockApprovals(transaction, use.hierarchy);
  const pqxx::result used = transaction.exec_params(
      "SELECT correlation_id FROM agentpki.approval_ends "
      " WHERE approval = $1 AND outcome = 'used'",
      id);
  if (!used.empty()) {
    if (used[0][0].as<std::string>() == use.correlation_id) return false;
    return Error(StatusCode::kAborted, "approval {} was used by another call just now", id);
  }
  const Approval approval = TRY(SelectApproval(transaction, id));
  const ApprovalState state = approval.StateAt(use.at);
  if (state != ApprovalState::kApproved) {
    return Error(StatusCode::kFailedPrecondition, "approval {} is {}", id, ca::NameOf(state));
  }
  InsertEnd(transaction, approval, kUsed, use);
  return true;
}

}  // namespace db
