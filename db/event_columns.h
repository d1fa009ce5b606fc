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

// From now on the transaction works in that hierarchy: row-level security shows it no other.
void NameHierarchy(pqxx::transaction_base& transaction, ca::HierarchyId hierarchy);

// Inserts one event in a transaction that has named its hierarchy: what changes something calls it.
// If that takes an approval, it is used here, and if it cannot be, Stopped is thrown.
void InsertEvent(pqxx::transaction_base& transaction, const ca::AuditEvent& event);

// Names `hierarchy`, then inserts `event` as an event of that hierarchy.
void InsertEventIn(pqxx::transaction_base& transaction, ca::HierarchyId hierarchy,
                   ca::AuditEvent event);

}  // namespace db
