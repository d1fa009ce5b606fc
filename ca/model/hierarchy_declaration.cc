#include "ca/model/hierarchy_declaration.h"

namespace ca {
namespace {

constexpr std::string_view kOperatorFolder = "operator/";

}  // namespace

Status HierarchyDeclaration::Validate() const {
  TRY(hierarchy.Validate());
  if (operators.size() > OperatorRoles::kOperatorsMax) {
    return Error(StatusCode::kInvalidArgument, "operators: write at most {}",
                 OperatorRoles::kOperatorsMax);
  }
  std::set<std::string> names;
  for (const OperatorRoles& of : operators) {
    if (of.roles.empty()) {
      return Error(StatusCode::kInvalidArgument,
                   "operators: {}: roles: name at least one, such as registrar",
                   Printable(of.name));
    }
    if (!names.insert(of.name).second) {
      return Error(StatusCode::kInvalidArgument, "operators: '{}' is there twice",
                   Printable(of.name));
    }
  }
  return Ok();
}

Result<SpiffeId> OperatorIdOf(const Hierarchy& system, const std::string& name) {
  if (name.starts_with("spiffe://")) return SpiffeId::Parse(name);
  return SpiffeId::Parse(
      fmt::format("spiffe://{}/{}{}", system.trust_domain.name(), kOperatorFolder, name));
}

std::string OperatorNameOf(const Hierarchy& system, const SpiffeId& operator_id) {
  const std::string_view path = operator_id.path();
  if (operator_id.trust_domain() != system.trust_domain || !path.starts_with(kOperatorFolder)) {
    return operator_id.ToString();
  }
  return std::string(path.substr(kOperatorFolder.size()));
}

}  // namespace ca
