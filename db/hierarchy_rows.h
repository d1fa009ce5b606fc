#pragma once

#include <pqxx/pqxx>
#include <string>
#include <vector>

#include "ca/ports/hierarchy_store.h"

// Hierarchies with their profiles and enrollment rules, and their destructions, as rows.
namespace db {

// The hierarchies that satisfy `condition`, an SQL expression over hierarchies AS h, ordered by id.
// It reads several tables: use a transaction with one snapshot if others may change them meanwhile.
std::vector<ca::Hierarchy> SelectHierarchies(pqxx::transaction_base& transaction,
                                             const std::string& condition);
inline constexpr char kStandingHierarchies[] = "h.destroyed_at IS NULL";
// Rows of a settled hierarchy are not read: nothing of it needs attention any more.
inline constexpr char kUnsettledHierarchies[] = "(h.settled_at IS NULL OR h.settled_at > now())";

// The destructions that satisfy `condition`, over hierarchies AS h and hierarchy_destructions AS d.
// `order` is the SQL after the condition.
std::vector<ca::HierarchyDestruction> SelectDestructions(pqxx::transaction_base& transaction,
                                                         const std::string& condition,
                                                         const std::string& order);

// Returns its id.
ca::HierarchyId InsertHierarchy(pqxx::work& transaction, const ca::Hierarchy& hierarchy,
                                ca::TimePoint now);

// Sets the changeable fields of `standing` to those of `wanted`. kAborted when the stored hierarchy
// differs from `standing`; kFailedPrecondition, rule profile.in-use.
ca::Status UpdateHierarchy(pqxx::work& transaction, const ca::Hierarchy& standing,
                           const ca::Hierarchy& wanted);

}  // namespace db
