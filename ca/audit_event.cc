#include "ca/audit_event.h"

namespace ca {

std::string_view NameOf(Decision decision) {
  switch (decision) {
    case Decision::kAllowed:
      return "allowed";
    case Decision::kDenied:
      return "denied";
    case Decision::kFailed:
      return "failed";
  }
  return "";
}

}  // namespace ca
