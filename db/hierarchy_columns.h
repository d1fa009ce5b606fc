#pragma once

#include <functional>
#include <pqxx/pqxx>
#include <string>
#include <vector>

#include "ca/model/hierarchy.h"

namespace db {

// One member of a hierarchy as a column of agentpki.hierarchies.
struct HierarchyColumn {
  std::string name;
  bool can_change = false;  // tests/db/privileges_test.cc: the server's role may update it
  std::string nullable_as;  // the SQL type of a column that is NULL for ''; "" if it is never NULL
  std::function<std::string(const ca::Hierarchy&)> write;  // as the text of a parameter
  std::function<void(const pqxx::field&, ca::Hierarchy&)> read;

  // $3, or nullif($3, '')::bigint.
  std::string Parameter(size_t number) const;
};

// All columns but id and the times. The only place that says which member is in which column.
const std::vector<HierarchyColumn>& HierarchyColumns();

// The hierarchy of a row, without its profiles and enrollment rules.
ca::Hierarchy HierarchyOf(const pqxx::row& row);

}  // namespace db
