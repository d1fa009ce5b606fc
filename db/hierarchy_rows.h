#pragma once

#include <pqxx/pqxx>
#include <string>
#include <vector>

#include "ca/ports/hierarchy_store.h"

// Hierarchies with their profiles and enrollment rules, and their ends, as rows.
namespace db {

// Those of which `condition` is true, an expression in SQL over hierarchies AS h, by id. A
// transaction that others may change them beside has to have one snapshot.
std::vector<ca::Hierarchy> SelectHierarchies(pqxx::transaction_base& transaction,
                                             const std::string& condition);
inline constexpr char kStandingHierarchies[] = "h.destroyed_at IS NULL";
// What one of which nobody has to know any more has left is not read.
inline constexpr char kUnsettledHierarchies[] = "(h.settled_at IS NULL OR h.settled_at > now())";

// Those of which `condition` is true, over hierarchies AS h and hierarchy_destructions AS d;
// `order` is what follows it in SQL.
std::vector<ca::HierarchyDestruction> SelectDestructions(pqxx::transaction_base& transaction,
                                                         const std::string& condition,
                                                         const std::string& order);

// Returns its id.
ca::HierarchyId InsertHierarchy(pqxx::work& transaction, const ca::Hierarchy& hierarchy,
                                ca::TimePoint now);

// What may change of `standing` becomes that of `wanted`. kAborted when it does not stand so any
// more; kFailedPrecondition, rule profile.in-use.
ca::Status UpdateHierarchy(pqxx::work& transaction, const ca::Hierarchy& standing,
                           const ca::Hierarchy& wanted);

}  // namespace db
