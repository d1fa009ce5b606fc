#include "ca/authorities/trust_bundles.h"

#include <algorithm>

#include "ca/base/rules.h"

namespace ca {
namespace {

std::string NameOfVersion(const HierarchySnapshot& hierarchy, int version) {
  return fmt::format("{}/bundle/{}", hierarchy.name(), version);
}

// An agent that has acknowledged this version, or a later one, knows the authority.
const TrustBundleRecord* FirstWith(const HierarchySnapshot& hierarchy, AuthorityId authority) {
  const auto& bundles = hierarchy.trust_bundles();
  const auto first =
      std::find_if(bundles.begin(), bundles.end(),
                   [&](const TrustBundleRecord& bundle) { return bundle.Has(authority); });
  return first == bundles.end() ? nullptr : &*first;
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
  HierarchySnapshotPtr hierarchy = catalog->Find(call.caller().hierarchy);
  if (!name.empty()) {
    call.event().subject = Printable(name);
    hierarchy = TRY(catalog->FindByName(name));
  }
  if (!hierarchy) {
    return Error(StatusCode::kUnavailable, "this server has not heard of the hierarchy of {} yet",
                 call.caller().Name());
  }
  call.event().hierarchy = hierarchy->id();
  call.event().subject = hierarchy->name();
  if (hierarchy->id() == call.caller().hierarchy) {
    TRY(FindOwn(call).status());
  } else {
    TRY(authorization_.Require(call.caller(), action, hierarchy->id()));
  }
  return hierarchy->id();
}

std::optional<TrustBundle> TrustBundles::Newest(HierarchyId id) const {
  const auto hierarchy = catalogs_.Snapshot()->Find(id);
  const TrustBundleRecord* const record = hierarchy ? hierarchy->NewestTrustBundle() : nullptr;
  if (!record) return std::nullopt;
  TrustBundle bundle{
      .hierarchy = hierarchy->name(),
      .trust_domain = hierarchy->hierarchy().trust_domain,
      .version = record->version,
      .published_at = record->published_at,
  };
  for (const auto& authority : hierarchy->authorities()) {
    if (!record->Has(authority->id())) continue;
    auto& part = authority->kind() == AuthorityKind::kRoot ? bundle.roots : bundle.issuing;
    part.push_back(authority->certificate());
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
  if (const auto hierarchy = catalog->Find(agent.hierarchy)) {
    call.event().subject = NameOfVersion(*hierarchy, version);
  }
  return acknowledgements_.Acknowledge(
      {.hierarchy = agent.hierarchy, .agent = agent.number, .version = version, .at = call.now()},
      call.event());
}

Result<std::optional<BundleProgress>> TrustBundles::ProgressOf(const HierarchySnapshot& hierarchy,
                                                               AuthorityId authority) const {
  using Progress = std::optional<BundleProgress>;
  const TrustBundleRecord* const bundle = FirstWith(hierarchy, authority);
  if (!bundle) return Progress();
  const AcknowledgedCount count =
      TRY(acknowledgements_.Count(hierarchy.id(), bundle->version, clock_.Now()));
  return Progress(BundleProgress{bundle->version, bundle->published_at, count});
}

Result<Stragglers> TrustBundles::ListStragglers(Call& call, const std::string& name, int page_size,
                                                const std::string& page_token) const {
  call.event().subject = Printable(name);
  const auto hierarchy = TRY(catalogs_.Snapshot()->FindByName(name));
  call.event().hierarchy = hierarchy->id();
  TRY(authorization_.Require(call.caller(), Action::kListStragglers, hierarchy->id()));

  const TrustBundleRecord* const newest = hierarchy->NewestTrustBundle();
  if (!newest) {
    return Error(StatusCode::kUnavailable, "its first trust bundle is not published yet; retry");
  }
  Stragglers found{.progress = {.version = newest->version, .published_at = newest->published_at}};
  for (const AuthorityView& view : hierarchy->ViewsAt(clock_.Now())) {
    if (view.record.kind != AuthorityKind::kIssuing || view.state != AuthorityState::kPublished) {
      continue;
    }
    const TrustBundleRecord* const bundle = FirstWith(*hierarchy, view.record.id);
    if (!bundle || bundle->version >= found.progress.version) continue;
    found.progress.version = bundle->version;
    found.progress.published_at = bundle->published_at;
  }
  found.progress.count =
      TRY(acknowledgements_.Count(hierarchy->id(), found.progress.version, clock_.Now()));
  found.agents = TRY(acknowledgements_.ListStragglers({.hierarchy = hierarchy->id(),
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

// The bundle has each authority whose certificates may still have to be verified. It does not have
// an authority that has ended, was revoked or is retired, nor an external root that the hierarchy's
// file no longer names.
bool TrustBundles::IsRevoked(const Authority& authority, const AuthorityRecord& record) const {
  if (record.taint && record.taint->is_revoked) return true;
  return authority.serial() && revocations_.Find(*authority.serial());
}

std::vector<AuthorityId> TrustBundles::WantedNow(const HierarchySnapshot& hierarchy) const {
  std::vector<AuthorityId> wanted;
  const TimePoint now = clock_.Now();
  for (const auto& authority : hierarchy.authorities()) {
    const AuthorityRecord& record = *hierarchy.FindRecord(authority->id());
    if (!IsAskedAbout(hierarchy.TimesOf(record, now), now)) continue;
    if (record.IsExternalRoot() && !hierarchy.hierarchy().TrustsExternalRoot(record.certificate)) {
      continue;
    }
    if (!IsRevoked(*authority, record)) wanted.push_back(record.id);
  }
  return wanted;
}

bool TrustBundles::IsPublished(const HierarchySnapshot& hierarchy) const {
  const std::vector<AuthorityId> wanted = WantedNow(hierarchy);
  // A relying party that took a bundle without a root would trust nobody any more.
  const bool has_root = std::any_of(wanted.begin(), wanted.end(), [&](AuthorityId id) {
    return hierarchy.FindRecord(id)->kind == AuthorityKind::kRoot;
  });
  const TrustBundleRecord* const newest = hierarchy.NewestTrustBundle();
  return !has_root || (newest && newest->authorities == wanted);
}

Status TrustBundles::Publish(const HierarchySnapshot& seen, const std::string& actor) {
  if (IsPublished(seen)) return Ok();
  const auto hierarchy = TRY(catalogs_.ReloadHierarchy(seen.id()));  // perhaps done elsewhere
  if (IsPublished(*hierarchy)) return Ok();

  const TrustBundleRecord* const newest = hierarchy->NewestTrustBundle();
  const TrustBundleRecord next{.hierarchy = hierarchy->id(),
                               .version = newest ? newest->version + 1 : 1,
                               .authorities = WantedNow(*hierarchy),
                               .published_at = clock_.Now()};
  AuditEvent event = LocalEvent(actor, "PublishTrustBundle", clock_.Now());
  event.hierarchy = hierarchy->id();
  event.subject = NameOfVersion(*hierarchy, next.version);
  const Status published = store_.PublishTrustBundle(next, event);
  if (!published.ok() && published.code() != StatusCode::kAborted) return published;
  return catalogs_.Reload();
}

}  // namespace ca
