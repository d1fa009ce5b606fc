#pragma once

#include <set>
#include <string>
#include <vector>

#include "ca/model/hierarchy.h"
#include "ca/model/role.h"

namespace ca {

// The roles of one operator over one hierarchy.
struct OperatorRoles {
  static constexpr size_t kOperatorsMax = 100;

  std::string name;  // alice, for spiffe://SYSTEM/operator/alice; or a whole SPIFFE ID
  std::set<Role> roles;

  friend bool operator==(const OperatorRoles&, const OperatorRoles&) = default;
};

// The content of a hierarchy's file: the hierarchy and the roles over it.
struct HierarchyDeclaration {
  Hierarchy hierarchy;
  std::vector<OperatorRoles> operators;  // in the order of their names, each once; others have none

  // kInvalidArgument names the field that is out of its bounds.
  Status Validate() const;

  friend bool operator==(const HierarchyDeclaration&, const HierarchyDeclaration&) = default;
};

// Turn the name of an operator in a file into its SPIFFE ID, and back. kInvalidArgument if `name`
// is not a name.
Result<SpiffeId> OperatorIdOf(const Hierarchy& system, const std::string& name);
std::string OperatorNameOf(const Hierarchy& system, const SpiffeId& operator_id);

}  // namespace ca
