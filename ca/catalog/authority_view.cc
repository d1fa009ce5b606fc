#include "ca/catalog/authority_view.h"

#include <algorithm>

namespace ca {
namespace {

// The last interval in which it was active, if ever; the end is none while it still is.
struct ActiveTime {
  TimePoint since;
  std::optional<TimePoint> until;
};

std::optional<ActiveTime> ActiveTimeOf(const std::vector<Activation>& activations,
                                       AuthorityId authority) {
  std::optional<ActiveTime> found;
  for (const Activation& activation : activations) {
    if (activation.authority == authority) {
      if (!found || found->until) found = ActiveTime{activation.at, std::nullopt};
    } else if (found && !found->until) {
      found->until = activation.at;
    }
  }
  return found;
}

std::optional<Validity> ValidityOf(const Catalog& catalog, AuthorityId id) {
  const auto authority = catalog.FindAuthority(id);
  return authority.ok() ? std::optional((*authority)->validity()) : std::nullopt;
}

void FillIssuing(AuthorityView& view, const Catalog& catalog, const Hierarchy& hierarchy,
                 const std::vector<Activation>& activations, TimePoint now) {
  const auto active = ActiveTimeOf(activations, view.record.id);
  if (!active) {
    view.state = AuthorityState::kPublished;
    return;
  }
  view.active_since = active->since;
  view.active_until = active->until.value_or(DueAt(catalog, hierarchy, view.record, active->since));
  view.retiring_until = std::min<TimePoint>(*view.active_until + hierarchy.LongestLifetime(),
                                            view.validity->not_after);
  if (!active->until) {
    view.state = AuthorityState::kActive;
  } else {
    view.state = now <= *view.retiring_until ? AuthorityState::kRetiring : AuthorityState::kRetired;
  }
}

bool IsOver(AuthorityState state) {
  return state == AuthorityState::kRetired || state == AuthorityState::kKeyDestroyed;
}

// A root is what its issuing authorities make of it.
void FillRoot(AuthorityView& view, const std::vector<AuthorityView>& issuing) {
  view.state = AuthorityState::kPublished;
  bool all_retired = true;
  bool has_issued = false;
  for (const AuthorityView& other : issuing) {
    if (other.record.kind != AuthorityKind::kIssuing || other.record.issuer != view.record.id) {
      continue;
    }
    if (other.state == AuthorityState::kActive) view.state = AuthorityState::kActive;
    if (!IsOver(other.state)) all_retired = false;
    if (other.active_since) has_issued = true;
    if (other.active_since && (!view.active_since || *other.active_since < *view.active_since)) {
      view.active_since = other.active_since;
    }
  }
  if (view.state == AuthorityState::kActive || !has_issued) return;
  view.state = all_retired ? AuthorityState::kRetired : AuthorityState::kRetiring;
}

}  // namespace

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

bool IsAskedAbout(const AuthorityView& view, TimePoint now) {
  return view.validity && now < view.validity->not_after && !IsOver(view.state);
}

bool NeedsStatusService(const AuthorityView& view, TimePoint now) {
  return IsAskedAbout(view, now) && !view.record.IsExternalRoot();
}

bool AwaitsCertificate(const Hierarchy& hierarchy, const AuthorityRecord& record) {
  return hierarchy.HasExternalRoot() && record.hierarchy == hierarchy.id &&
         record.kind == AuthorityKind::kIssuing && record.certificate.empty() && !record.taint &&
         !record.key_destruction;
}

std::vector<AuthorityView> AuthoritiesAt(const Catalog& catalog, const Hierarchy& hierarchy,
                                         TimePoint now) {
  const auto activations = catalog.ActivationsOf(hierarchy.id);
  std::vector<AuthorityView> views;
  for (const AuthorityRecord& record : catalog.records().authorities) {
    if (record.hierarchy != hierarchy.id) continue;
    if (record.kind != AuthorityKind::kRoot && record.kind != AuthorityKind::kIssuing) continue;
    AuthorityView view{.record = record,
                       .name = NameOf(hierarchy, record),
                       .hierarchy = hierarchy.Name(),
                       .state = AuthorityState::kPending,
                       .validity = ValidityOf(catalog, record.id)};
    if (view.validity && record.kind == AuthorityKind::kIssuing) {
      FillIssuing(view, catalog, hierarchy, activations, now);
    }
    views.push_back(std::move(view));
  }
  for (AuthorityView& view : views) {
    if (view.validity && view.record.kind == AuthorityKind::kRoot) FillRoot(view, views);
    if (view.record.key_destruction) view.state = AuthorityState::kKeyDestroyed;
  }
  return views;
}

// The schedule may have been lengthened since the authority was made, which still ends when it
// does.
TimePoint DueAt(const Catalog& catalog, const Hierarchy& hierarchy, const AuthorityRecord& active,
                TimePoint since) {
  TimePoint due = since + hierarchy.rotate_every;
  if (const auto validity = ValidityOf(catalog, active.id)) {
    due = std::min<TimePoint>(due, validity->not_after - hierarchy.LongestLifetime());
  }
  if (active.taint) due = std::min(due, active.taint->at);
  return due;
}

}  // namespace ca
