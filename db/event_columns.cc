#include "db/event_columns.h"

#include "db/approval_rows.h"
#include "db/connection.h"
#include "db/request_rows.h"
#include "db/row.h"

namespace db {
namespace {

// PostgreSQL's text holds no NUL, and only valid UTF-8. The bytes of a caller must not make its
// event fail.
std::string Text(const std::string& text) {
  const bool is_plain =
      std::all_of(text.begin(), text.end(), [](unsigned char c) { return c >= 0x20 && c < 0x7f; });
  return is_plain ? text : ca::Printable(text);
}

void InsertRow(pqxx::transaction_base& transaction, const ca::AuditEvent& event) {
  constexpr char kInsert[] =
      "INSERT INTO agentpki.audit_events (at, actor, action, decision, rule, reason, hierarchy, "
      "subject, serial, from_address, correlation_id, request_id) "
      "VALUES ($1, $2, $3, $4, $5, $6, nullif($7::integer, 0), $8, $9, $10, $11, $12)";
  transaction.exec_params(kInsert, TimeText(event.at), Text(event.actor), event.action,
                          std::string(ca::NameOf(event.decision)), event.rule, Text(event.reason),
                          static_cast<int>(event.hierarchy), Text(event.subject), event.serial,
                          Text(event.from), Text(event.correlation_id), Text(event.request_id));
}

void RecordUse(pqxx::transaction_base& transaction, const ca::AuditEvent& use) {
  NameHierarchy(transaction, use.hierarchy);
  const Result<bool> is_used_now = UseApproval(transaction, use);
  if (!is_used_now.ok()) throw Stopped(is_used_now.status());
  if (*is_used_now) InsertRow(transaction, use);
}

}  // namespace

void EventColumns::Add(const ca::AuditEvent& event) {
  at.AddTime(event.at);
  actor.AddBytes(Text(event.actor));
  action.AddBytes(event.action);
  decision.AddBytes(ca::NameOf(event.decision));
  rule.AddBytes(event.rule);
  reason.AddBytes(Text(event.reason));
  subject.AddBytes(Text(event.subject));
  serial.AddBytes(event.serial);
  from_address.AddBytes(Text(event.from));
  correlation_id.AddBytes(Text(event.correlation_id));
  request_id.AddBytes(Text(event.request_id));
  if (event.request) {
    request.AddBytes(RequestText(*event.request));
  } else {
    request.AddNull();
  }
}

void NameHierarchy(pqxx::transaction_base& transaction, ca::HierarchyId hierarchy) {
  transaction.exec_params("SELECT set_config('agentpki.hierarchy', $1, true)",
                          std::to_string(static_cast<int>(hierarchy)));
}

void InsertEvent(pqxx::transaction_base& transaction, const ca::AuditEvent& event) {
  if (event.approval_use) {
    RecordUse(transaction, *event.approval_use);
    NameHierarchy(transaction, event.hierarchy);
  }
  InsertRow(transaction, event);
}

void InsertEventIn(pqxx::transaction_base& transaction, ca::HierarchyId hierarchy,
                   ca::AuditEvent event) {
  event.hierarchy = hierarchy;
  NameHierarchy(transaction, hierarchy);
  InsertEvent(transaction, event);
}

}  // namespace db
