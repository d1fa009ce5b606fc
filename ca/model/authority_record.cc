#include "ca/model/authority_record.h"

namespace ca {

std::string_view NameOf(AuthorityKind kind) {
  switch (kind) {
    case AuthorityKind::kRoot:
      return "root";
    case AuthorityKind::kIssuing:
      return "issuing";
    case AuthorityKind::kResponder:
      return "responder";
    case AuthorityKind::kLink:
      return "link";
    case AuthorityKind::kRecorder:
      return "recorder";
  }
  return "";
}

std::string NameOf(const Hierarchy& hierarchy, AuthorityKind kind, int generation) {
  return fmt::format("{}/{}/{}", hierarchy.Name(), NameOf(kind), generation);
}

std::string NameOf(const Hierarchy& hierarchy, const AuthorityRecord& record) {
  return NameOf(hierarchy, record.kind, record.generation);
}

}  // namespace ca
