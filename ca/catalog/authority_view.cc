#include "ca/catalog/authority_view.h"

namespace ca {

std::string_view NameOf(AuthorityState state) {
  switch (state) {
    case AuthorityState::kPending:
      return "pending";
    case AuthorityState::kPublished:
      return "published";
    case AuthorityState::kActive:
      return "active";
    case AuthorityState::kRetiring:
      return "retiring";
    case AuthorityState::kRetired:
      return "retired";
    case AuthorityState::kKeyDestroyed:
      return "key destroyed";
  }
  return "?";
}

bool IsOver(AuthorityState state) {
  return state == AuthorityState::kRetired || state == AuthorityState::kKeyDestroyed;
}

bool IsAskedAbout(const AuthorityTimes& times, TimePoint now) {
  return times.validity && now < times.validity->not_after && !IsOver(times.state);
}

bool NeedsStatusService(const AuthorityView& view, TimePoint now) {
  return NeedsStatusService(view.record, view, now);
}

bool NeedsStatusService(const AuthorityRecord& record, const AuthorityTimes& times, TimePoint now) {
  return IsAskedAbout(times, now) && !record.IsExternalRoot();
}

bool AwaitsCertificate(const Hierarchy& hierarchy, const AuthorityRecord& record) {
  return hierarchy.HasExternalRoot() && record.kind == AuthorityKind::kIssuing &&
         record.certificate.empty() && !record.taint && !record.key_destruction;
}

}  // namespace ca
