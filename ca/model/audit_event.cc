#include "ca/model/audit_event.h"

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

Status CheckNote(std::string_view field, const std::string& note) {
  if (note.empty()) {
    return Error(StatusCode::kInvalidArgument, "{}: say why, for whoever reads it later", field);
  }
  if (note.size() > kNoteMax) {
    return Error(StatusCode::kInvalidArgument, "{}: it has {} octets; at most {}", field,
                 note.size(), kNoteMax);
  }
  if (!IsPrintable(note)) {
    return Error(StatusCode::kInvalidArgument, "{}: write it in printable ASCII, on one line",
                 field);
  }
  return Ok();
}

Result<Decision> DecisionFrom(std::string_view name) {
  for (const auto decision : {Decision::kAllowed, Decision::kDenied, Decision::kFailed}) {
    if (NameOf(decision) == name) return decision;
  }
  return Error(StatusCode::kInvalidArgument, "'{}' is not a decision", Printable(name));
}

}  // namespace ca
