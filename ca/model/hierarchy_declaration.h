#pragma once

#include <set>
#include <string>
#include <vector>

#include "ca/model/hierarchy.h"
#include "ca/model/role.h"

namespace ca {

// What an operator may do in one hierarchy.
struct OperatorRoles {
  static constexpr size_t kOperatorsMax = 100;

  std::string name;  // alice, for spiffe://SYSTEM/operator/alice; or a whole SPIFFE ID
  std::set<Role> roles;

  friend bool operator==(const OperatorRoles&, const OperatorRoles&) = default;
};

// What people say of a hierarchy, in a file: what it is, and who may do what in it.
struct HierarchyDeclaration {
  Hierarchy hierarchy;
  std::vector<OperatorRoles> operators;  // by name, each once; whoever is not here has no role

  // kInvalidArgument with the field that breaks a rule.
  Status Validate() const;

  friend bool operator==(const HierarchyDeclaration&, const HierarchyDeclaration&) = default;
};

// The operator of that name, and its name. kInvalidArgument when it is none.
Result<SpiffeId> OperatorIdOf(const Hierarchy& system, const std::string& name);
std::string OperatorNameOf(const Hierarchy& system, const SpiffeId& operator_id);

}  // namespace ca
