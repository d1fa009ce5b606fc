#include "ca/model/field_table.h"

#include <fmt/ranges.h>

namespace ca {

std::string TextOf(const FieldItems& items) { return fmt::format("{}", fmt::join(items, ", ")); }

}  // namespace ca
