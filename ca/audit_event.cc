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

Result<Decision> DecisionFrom(std::string_view name) {
  for (const auto decision : {Decision::kAllowed, Decision::kDenied, Decision::kFailed}) {
    if (NameOf(decision) == name) return decision;
  }
  return Error(StatusCode::kInvalidArgument, "'{}' is not a decision", Printable(name));
}

}  // namespace ca
