#pragma once

#include <string_view>

#include "ca/base/result.h"

namespace ca {

// Checks a name that people choose in a file, such as a tenant's, an environment's, a profile's or
// a rule's: 1 to `size_max` of a-z, 0-9 and '-'. kInvalidArgument names `field`.
Status CheckShortName(std::string_view field, std::string_view text, size_t size_max);

}  // namespace ca
