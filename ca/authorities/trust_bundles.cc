#include "ca/authorities/trust_bundles.h"

#include <algorithm>

#include "ca/base/rules.h"
#include "ca/catalog/authority_view.h"

namespace ca {
namespace {

std::string NameOfVersion(const Hierarchy& hierarchy, int version) {
  return fmt::format("{}/bundle/{}", hierarchy.Name(), version);
}

// Whoever has acknowledged it, or a later one, has heard of the authority.
std::optional<TrustBundleRecord> FirstWith(const Catalog& catalog, const Hierarchy& hierarchy,
                                           AuthorityId authority) {
  for (const TrustBundleRecord& bundle : catalog.TrustBundlesOf(hierarchy.id)) {
    if (bundle.Has(authority)) return bundle;
  }
  return std::nullopt;
}

}  // namespace

int BundleProgress::Percent() const {
  return count.live == 0 ? 100 : static_cast<int>(100 * count.acknowledged / count.live);
}

std::string BundleProgress::ToString() const {
  return fmt::format("{}% of {} live agents have acknowledged trust bundle {}; {} have not",
                     Percent(), count.live, version, stragglers());
}

// ---- reading ------------------------------------------------------------------------------------

Result<Agent> TrustBundles::FindOwn(const Call& call) const {
  if (!call.caller().id) {
    return Refusal<kCallerAnonymous>("an agent's or an operator's");
  }
  auto agent = registry_.FindAgent(call.caller().hierarchy, *call.caller().id);
  if (agent.status().code() == StatusCode::kNotFound) {
    return WithCode(StatusCode::kPermissionDenied, Refusal<kAgentUnknown>(call.caller().Name()));
  }
  if (agent.ok() && agent->disabled) {
    return Refusal<kAgentDisabled>(call.caller().Name());
  }
  return agent;
}

Result<HierarchyId> TrustBundles::Permit(Call& call, Action action, const std::string& name) const {
  const auto catalog = catalogs_.Snapshot();
  const Hierarchy* hierarchy = catalog->Find(call.caller().hierarchy);
  if (!name.empty()) {
    call.event().subject = Printable(name);
    hierarchy = TRY(catalog->FindByName(name));
  }
  if (!hierarchy) {
    return Error(StatusCode::kUnavailable, "this server has not heard of the hierarchy of {} yet",
                 call.caller().Name());
  }
  call.event().hierarchy = hierarchy->id;
  call.event().subject = hierarchy->Name();
  if (hierarchy->id == call.caller().hierarchy) {
    TRY(FindOwn(call).status());
  } else {
    TRY(authorization_.Require(call.caller(), action, hierarchy->id));
  }
  return hierarchy->id;
}

std::optional<TrustBundle> TrustBundles::Newest(HierarchyId id) const {
  const auto catalog = catalogs_.Snapshot();
  const Hierarchy* const hierarchy = catalog->Find(id);
  const TrustBundleRecord* const record = catalog->NewestTrustBundle(id);
  if (!hierarchy || !record) return std::nullopt;
  TrustBundle bundle{
      .hierarchy = hierarchy->Name(),
      .trust_domain = hierarchy->trust_domain,
      .version = record->version,
      .published_at = record->published_at,
  };
  for (const AuthorityRecord& authority : catalog->records().authorities) {
    if (!record->Has(authority.id)) continue;
    auto& part = authority.kind == AuthorityKind::kRoot ? bundle.roots : bundle.issuing;
    part.push_back(authority.certificate);
  }
  return bundle;
}

Result<TrustBundle> TrustBundles::Get(Call& call, const std::string& name) const {
  const HierarchyId hierarchy = TRY(Permit(call, Action::kGetTrustBundle, name));
  auto bundle = Newest(hierarchy);
  if (bundle) return *std::move(bundle);
  return Error(StatusCode::kUnavailable, "its first trust bundle is not published yet; retry");
}

// ---- acknowledging ------------------------------------------------------------------------------

Result<RecordedDecision> TrustBundles::Acknowledge(Call& call, int version) const {
  const auto catalog = catalogs_.Snapshot();
  const Agent agent = TRY(FindOwn(call));
  call.event().hierarchy = agent.hierarchy;
  if (const Hierarchy* const hierarchy = catalog->Find(agent.hierarchy)) {
    call.event().subject = NameOfVersion(*hierarchy, version);
  }
  return acknowledgements_.Acknowledge(
      {.hierarchy = agent.hierarchy, .agent = agent.number, .version = version, .at = call.now()},
      call.event());
}

Result<std::optional<BundleProgress>> TrustBundles::ProgressOf(const Hierarchy& hierarchy,
                                                               AuthorityId authority) const {
  using Progress = std::optional<BundleProgress>;
  const auto catalog = catalogs_.Snapshot();
  const auto bundle = FirstWith(*catalog, hierarchy, authority);
  if (!bundle) return Progress();
  const AcknowledgedCount count =
      TRY(acknowledgements_.Count(hierarchy.id, bundle->version, clock_.Now()));
  return Progress(BundleProgress{bundle->version, bundle->published_at, count});
}

Result<Stragglers> TrustBundles::ListStragglers(Call& call, const std::string& name, int page_size,
                                                const std::string& page_token) const {
  const auto catalog = catalogs_.Snapshot();
  call.event().subject = Printable(name);
  const Hierarchy* hierarchy = TRY(catalog->FindByName(name));
  call.event().hierarchy = hierarchy->id;
  TRY(authorization_.Require(call.caller(), Action::kListStragglers, hierarchy->id));

  const TrustBundleRecord* const newest = catalog->NewestTrustBundle(hierarchy->id);
  if (!newest) {
    return Error(StatusCode::kUnavailable, "its first trust bundle is not published yet; retry");
  }
  Stragglers found{.progress = {.version = newest->version, .published_at = newest->published_at}};
  for (const AuthorityView& view : AuthoritiesAt(*catalog, *hierarchy, clock_.Now())) {
    if (view.record.kind != AuthorityKind::kIssuing || view.state != AuthorityState::kPublished) {
      continue;
    }
    const auto bundle = FirstWith(*catalog, *hierarchy, view.record.id);
    if (!bundle || bundle->version >= found.progress.version) continue;
    found.progress.version = bundle->version;
    found.progress.published_at = bundle->published_at;
  }
  found.progress.count =
      TRY(acknowledgements_.Count(hierarchy->id, found.progress.version, clock_.Now()));
  found.agents = TRY(acknowledgements_.ListStragglers({.hierarchy = hierarchy->id,
                                                       .version = found.progress.version,
                                                       .now = clock_.Now(),
                                                       .page_size = page_size,
                                                       .page_token = page_token}));
  return found;
}

Result<std::vector<LiveAgent>> TrustBundles::FirstStragglers(HierarchyId hierarchy, int version,
                                                             int count) const {
  return acknowledgements_.ListStragglers(
      {.hierarchy = hierarchy, .version = version, .now = clock_.Now(), .page_size = count});
}

// ---- publishing ---------------------------------------------------------------------------------

// Whatever may still have to be verified: what has ended, was revoked or is retired has not, nor
// has an external root that the hierarchy's file names no more.
bool TrustBundles::IsRevoked(const Authority& authority, const AuthorityRecord& record) const {
  if (record.taint && record.taint->is_revoked) return true;
  return authority.serial() && revocations_.Find(*authority.serial());
}

std::vector<AuthorityId> TrustBundles::WantedNow(const Catalog& catalog,
                                                 const Hierarchy& hierarchy) const {
  std::vector<AuthorityId> wanted;
  const TimePoint now = clock_.Now();
  for (const AuthorityView& view : AuthoritiesAt(catalog, hierarchy, now)) {
    if (!IsAskedAbout(view, now)) continue;
    if (view.record.IsExternalRoot() && !hierarchy.TrustsExternalRoot(view.record.certificate)) {
      continue;
    }
    const auto authority = catalog.FindAuthority(view.record.id);
    if (authority.ok() && !IsRevoked(**authority, view.record)) wanted.push_back(view.record.id);
  }
  return wanted;
}

Status TrustBundles::Publish(const Hierarchy& hierarchy, const std::string& actor) {
  const auto is_published = [&](const Catalog& catalog) {
    const TrustBundleRecord* const newest = catalog.NewestTrustBundle(hierarchy.id);
    const std::vector<AuthorityId> wanted = WantedNow(catalog, hierarchy);
    // One without a root would be believed: whoever takes it trusts nobody any more.
    const bool has_root = std::any_of(wanted.begin(), wanted.end(), [&](AuthorityId id) {
      const auto authority = catalog.FindAuthority(id);
      return authority.ok() && (*authority)->kind() == AuthorityKind::kRoot;
    });
    return !has_root || (newest && newest->authorities == wanted);
  };
  if (is_published(*catalogs_.Snapshot())) return Ok();
  TRY(catalogs_.Reload());  // it may have been done elsewhere
  const auto catalog = catalogs_.Snapshot();
  if (is_published(*catalog)) return Ok();

  const TrustBundleRecord* const newest = catalog->NewestTrustBundle(hierarchy.id);
  const TrustBundleRecord next{.hierarchy = hierarchy.id,
                               .version = newest ? newest->version + 1 : 1,
                               .authorities = WantedNow(*catalog, hierarchy),
                               .published_at = clock_.Now()};
  AuditEvent event = LocalEvent(actor, "PublishTrustBundle", clock_.Now());
  event.hierarchy = hierarchy.id;
  event.subject = NameOfVersion(hierarchy, next.version);
  const Status published = store_.PublishTrustBundle(next, event);
  if (!published.ok() && published.code() != StatusCode::kAborted) return published;
  return catalogs_.Reload();
}

}  // namespace ca
