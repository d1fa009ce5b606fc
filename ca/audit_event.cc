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

Status CheckNote(std::string_view field, const std::string& note) {
  if (note.empty()) {
    return Error(StatusCode::kInvalidArgument, "{}: say why, for whoever reads it later", field);
  }
  if (note.size() > kNoteMax) {
    return Error(StatusCode::kInvalidArgument, "{}: it has {} octets; at most {}", field,
                 note.size(), kNoteMax);
  }
  if (Printable(note) != note) {
    return Error(StatusCode::kInvalidArgument, "{}: write it in printable ASCII, on one line",
                 field);
  }
  return Ok();
}

}  // namespace ca
