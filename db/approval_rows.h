#pragma once

#include <pqxx/pqxx>
#include <string>

#include "ca/ports/approval_store.h"

// Approvals as rows. Each function runs in a transaction that has named their hierarchy.
namespace db {

using ca::Result;
using ca::Status;

// Append a condition on a (the approval), d (its decision) and e (its end).
extern const char kSelectApprovals[];
ca::Approval ApprovalOf(const pqxx::row& row);

// kNotFound.
Result<ca::Approval> SelectApproval(pqxx::transaction_base& transaction, const std::string& id);

// Held until the transaction ends, by each transaction that requests, decides or ends an approval
// in the hierarchy: concurrent identical requests get the same approval, and the number of pending
// approvals stays within its bound.
void LockApprovals(pqxx::transaction_base& transaction, ca::HierarchyId hierarchy);

void InsertApproval(pqxx::transaction_base& transaction, const ca::Approval& wanted);
void InsertDecision(pqxx::transaction_base& transaction, const ca::Approval& on,
                    const ca::ApprovalDecision& decision);
// Records the withdrawal by `event`; the caller inserts the event.
void InsertWithdrawal(pqxx::transaction_base& transaction, const ca::Approval& of,
                      const ca::AuditEvent& event);

// Ends the approval that `use` names (AuditEvent::approval_use), as ca/ports/approval_store.h
// promises. True: the caller inserts the event `use` as well. False: the call that `use` describes
// has used the approval already, and its event is there.
Result<bool> UseApproval(pqxx::transaction_base& transaction, const ca::AuditEvent& use);

}  // namespace db
