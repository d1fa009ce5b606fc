#include "ca/model/role.h"

#include <array>

namespace ca {
namespace {

constexpr std::array<std::string_view, 4> kRoleNames = {"admin", "registrar", "revoker", "auditor"};

}  // namespace

std::string_view NameOf(Role role) { return kRoleNames[static_cast<size_t>(role)]; }

Result<Role> RoleFrom(std::string_view name) {
  for (size_t i = 0; i < kRoleNames.size(); ++i) {
    if (kRoleNames[i] == name) return static_cast<Role>(i);
  }
  return Error(StatusCode::kInvalidArgument,
               "'{}' is not a role: write admin, registrar, revoker or auditor", Printable(name));
}

}  // namespace ca
