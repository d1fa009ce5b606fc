#pragma once

#include <string_view>

#include "ca/base/result.h"

namespace ca {

// Of what people name in a file: tenants, environments, profiles, rules. kInvalidArgument naming
// `field` unless `text` is 1 to `size_max` of a-z, 0-9 and '-'.
Status CheckShortName(std::string_view field, std::string_view text, size_t size_max);

}  // namespace ca
