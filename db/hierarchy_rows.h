#pragma once

#include <pqxx/pqxx>
#include <vector>

#include "ca/hierarchy.h"

// Hierarchies with their profiles and enrollment rules, as rows.
namespace db {

// All, by id. A transaction that others may change them beside has to have one snapshot.
std::vector<ca::Hierarchy> SelectHierarchies(pqxx::transaction_base& transaction);

// Returns its id.
ca::HierarchyId InsertHierarchy(pqxx::work& transaction, const ca::Hierarchy& hierarchy,
                                ca::TimePoint now);

// What may change of `standing` becomes that of `wanted`. kAborted when it does not stand so any
// more; kFailedPrecondition, rule profile.in-use.
ca::Status UpdateHierarchy(pqxx::work& transaction, const ca::Hierarchy& standing,
                           const ca::Hierarchy& wanted);

}  // namespace db
