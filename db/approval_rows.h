#pragma once

#include <pqxx/pqxx>
#include <string>

#include "ca/ports/approval_store.h"

// Approvals as rows, in a transaction that has named their hierarchy.
namespace db {

using ca::Result;
using ca::Status;

// What follows is a condition on a, the approval, d, the decision on it, and e, its end.
extern const char kSelectApprovals[];
ca::Approval ApprovalOf(const pqxx::row& row);

// kNotFound.
Result<ca::Approval> SelectApproval(pqxx::transaction_base& transaction, const std::string& id);

// Whoever asks for something, decides on it or ends it in the hierarchy has this to itself until it
// commits, so that two who ask at once get the same, and no more are pending than may be.
void LockApprovals(pqxx::transaction_base& transaction, ca::HierarchyId hierarchy);

void InsertApproval(pqxx::transaction_base& transaction, const ca::Approval& wanted);
void InsertDecision(pqxx::transaction_base& transaction, const ca::Approval& on,
                    const ca::ApprovalDecision& decision);
// By `event`, which is still to be inserted.
void InsertWithdrawal(pqxx::transaction_base& transaction, const ca::Approval& of,
                      const ca::AuditEvent& event);

// Ends the approval that `use` names (AuditEvent::approval_use), as ca/ports/approval_store.h
// promises. True: the caller inserts the event `use` as well. False: the call that `use` describes
// has used the approval already, and its event is there.
Result<bool> UseApproval(pqxx::transaction_base& transaction, const ca::AuditEvent& use);

}  // namespace db
