#pragma once

#include "ca/model/audit_event.h"
#include "db/binary_array.h"

namespace db {

// Audit events as parallel arrays: one parameter a column.
struct EventColumns {
  using Element = BinaryArray::Element;

  BinaryArray at{Element::kTimestamptz};
  BinaryArray actor{Element::kText};
  BinaryArray action{Element::kText};
  BinaryArray decision{Element::kText};
  BinaryArray rule{Element::kText};
  BinaryArray reason{Element::kText};
  BinaryArray subject{Element::kText};
  BinaryArray serial{Element::kText};
  BinaryArray from_address{Element::kText};
  BinaryArray correlation_id{Element::kText};
  BinaryArray request_id{Element::kText};
  BinaryArray request{Element::kText};  // JSON, or NULL

  void Add(const ca::AuditEvent& event);
};

// From then on the transaction works in that hierarchy: row-level security hides all others.
void NameHierarchy(pqxx::transaction_base& transaction, ca::HierarchyId hierarchy);

// Inserts the event of a change, in a transaction that has named its hierarchy. If the change takes
// an approval, uses it here; throws Stopped if that fails.
void InsertEvent(pqxx::transaction_base& transaction, const ca::AuditEvent& event);

// Names `hierarchy`, then inserts `event` as an event of that hierarchy.
void InsertEventIn(pqxx::transaction_base& transaction, ca::HierarchyId hierarchy,
                   ca::AuditEvent event);

}  // namespace db
