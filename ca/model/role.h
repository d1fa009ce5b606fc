#pragma once

#include <string_view>

#include "ca/base/result.h"

namespace ca {

// The roles of operators. ca/access/authorization.cc says which actions each role allows.
enum class Role { kAdmin, kRegistrar, kRevoker, kAuditor };

std::string_view NameOf(Role role);  // admin, registrar, revoker, auditor
// kInvalidArgument for any other name.
Result<Role> RoleFrom(std::string_view name);

}  // namespace ca
