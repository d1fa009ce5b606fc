#include "ca/authorities/authority_publication.h"

namespace ca {

Result<HierarchySnapshotPtr> AuthorityPublication::EnsureResponders(
    HierarchySnapshotPtr hierarchy, const std::vector<AuthorityId>& authorities,
    const std::string& actor) const {
  for (const AuthorityId id : authorities) {
    const auto authority = hierarchy->FindAuthority(id);
    if (!authority || authority->IsExternalRoot()) continue;
    auto responder = delegates_.EnsureResponder(*hierarchy, *authority, actor);
    if (responder.status().code() == StatusCode::kAborted) {  // the snapshot was old
      hierarchy = TRY(catalogs_.ReloadHierarchy(hierarchy->id()));
      responder = delegates_.EnsureResponder(*hierarchy, *authority, actor);
      if (responder.status().code() == StatusCode::kAborted) continue;
    }
    if (!responder.ok()) {
      return Annotate(responder.status(), fmt::format("OCSP responder of {}: ",
                                                      NameOf(hierarchy->hierarchy(), *authority)));
    }
    const AuthorityRecord* const known = hierarchy->FindRecord((*responder)->id());
    const bool is_new = !known || known->certificate.empty();
    // The next responder gets the generation after this one.
    if (is_new) hierarchy = TRY(catalogs_.ReloadHierarchy(hierarchy->id()));
  }
  return hierarchy;
}

Result<HierarchySnapshotPtr> AuthorityPublication::Publish(HierarchyId id, AuthorityId authority,
                                                           const std::string& actor) const {
  auto hierarchy = TRY(catalogs_.ReloadHierarchy(id));
  hierarchy = TRY(EnsureResponders(std::move(hierarchy), {authority}, actor));
  TRY(bundles_.Publish(*hierarchy, actor));
  return catalogs_.Find(id);
}

bool IsPublished(const HierarchySnapshot& hierarchy, AuthorityId authority) {
  const AuthorityRecord* const responder =
      hierarchy.NewestDelegate(AuthorityKind::kResponder, authority);
  const TrustBundleRecord* const bundle = hierarchy.NewestTrustBundle();
  return responder && !responder->certificate.empty() && bundle && bundle->Has(authority);
}

std::vector<AuthorityId> AuthoritiesToAnswerFor(const HierarchySnapshot& hierarchy, TimePoint now) {
  std::vector<AuthorityId> found;
  for (const auto& authority : hierarchy.authorities()) {
    const AuthorityRecord& record = *hierarchy.FindRecord(authority->id());
    if (NeedsStatusService(record, hierarchy.TimesOf(record, now), now)) found.push_back(record.id);
  }
  return found;
}

}  // namespace ca
