#include "ca/model/short_name.h"

#include <algorithm>

namespace ca {

Status CheckShortName(std::string_view field, std::string_view text, size_t size_max) {
  const bool is_name =
      !text.empty() && text.size() <= size_max && std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
      });
  if (is_name) return Ok();
  return Error(StatusCode::kInvalidArgument,
               "{}: '{}' is not a name: write 1 to {} of a-z, 0-9 and '-'", field, Printable(text),
               size_max);
}

}  // namespace ca
