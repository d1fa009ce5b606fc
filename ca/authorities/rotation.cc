#include "ca/authorities/rotation.h"

#include <algorithm>

#include "ca/base/rules.h"

namespace ca {
namespace {

constexpr char kConductor[] = "conductor";
// Counting a million agents takes a second.
constexpr std::chrono::seconds kGateInterval(10);
constexpr int kStragglersNamedMax = 3;

}  // namespace

// ---- by hand ------------------------------------------------------------------------------------

Result<const Hierarchy*> Rotation::FindPermitted(Call& call, const Catalog& catalog, Action action,
                                                 const std::string& name) const {
  call.event().subject = Printable(name);
  const Hierarchy* hierarchy = TRY(catalog.FindByName(name));
  call.event().hierarchy = hierarchy->id;
  TRY(authorization_.Require(call.caller(), action, hierarchy->id));
  return hierarchy;
}

Result<Recorded<AuthorityView>> Rotation::Prepare(Call& call, const std::string& name) {
  const auto catalog = catalogs_.Snapshot();
  const Hierarchy* hierarchy = TRY(FindPermitted(call, *catalog, Action::kPrepareAuthority, name));
  const AuthorityRecord successor = TRY(EnsurePublished(*hierarchy, call.caller().Name()));
  call.event().subject = NameOf(*hierarchy, successor);
  AuthorityView view = TRY(ViewOf(*catalogs_.Snapshot(), *hierarchy, successor.id));
  auto recorded = TRY(ledger_.RecordEvent(call.event()));
  return Recorded(std::move(recorded), std::move(view));
}

Result<Recorded<AuthorityView>> Rotation::PrepareRoot(Call& call, const std::string& name) {
  const auto catalog = catalogs_.Snapshot();
  const Hierarchy* hierarchy = TRY(FindPermitted(call, *catalog, Action::kPrepareAuthority, name));
  Provisioning provisioning(stores_, keys_, registry_, directory_, clock_, call.caller().Name());
  // What is planned already goes on: it was approved, or is a new hierarchy's first.
  const std::optional<int> generation = TRY(provisioning.NextRootToPlan(*hierarchy));
  if (generation) TRY(RequireApproval(call, *catalog, *hierarchy, *generation));
  const AuthorityRecord root =
      TRY(provisioning.EnsureNextRoot(*hierarchy, generation, call.event().approval_use));
  TRY(EnsureKnown(provisioning, *hierarchy, root.id, call.caller().Name()));
  call.event().subject = NameOf(*hierarchy, root);
  AuthorityView view = TRY(ViewOf(*catalogs_.Snapshot(), *hierarchy, root.id));
  auto recorded = TRY(ledger_.RecordEvent(call.event()));
  return Recorded(std::move(recorded), std::move(view));
}

Status Rotation::RequireApproval(Call& call, const Catalog& catalog, const Hierarchy& hierarchy,
                                 int generation) {
  const std::vector<Bytes> roots = catalog.Roots(hierarchy.id);
  const std::string name =
      fmt::format("{}/{}/{}", hierarchy.Name(), NameOf(AuthorityKind::kRoot), generation);
  const std::string lifetime = DurationText(hierarchy.root_lifetime);
  const std::string before = roots.empty() ? "" : Hex(Sha256(roots.back()));
  return approvals_.Require(
      call, hierarchy.id,
      {.kind = ApprovalKind::kRootRotation,
       .digest = DigestOf(ApprovalKind::kRootRotation, {name, lifetime, before}),
       .changes = {fmt::format("make the root {}, for {}", name, lifetime),
                   fmt::format("to follow the root with the SHA-256 {}", before)}});
}

Result<Recorded<AuthorityView>> Rotation::Activate(Call& call, const std::string& name,
                                                   StragglerPolicy policy) {
  const auto catalog = catalogs_.Snapshot();
  const NamedAuthority found =
      TRY(FindIssuing(call, *catalog, authorization_, Action::kActivateAuthority, name));
  if (found.view.state != AuthorityState::kActive) {
    TRY(CheckActivation(*catalog, *found.hierarchy, found.view));
    TRY(PassGate(call, *found.hierarchy, found.view, policy));
  }
  return ActivateFound(call, *catalog, *found.hierarchy, found.view);
}

Result<Recorded<AuthorityView>> Rotation::RollBack(Call& call, const std::string& name) {
  const auto catalog = catalogs_.Snapshot();
  const Hierarchy* hierarchy = TRY(FindPermitted(call, *catalog, Action::kRollBackAuthority, name));
  const auto activations = catalog->ActivationsOf(hierarchy->id);
  const auto before =
      std::find_if(activations.rbegin(), activations.rend(), [&](const Activation& activation) {
        return activation.authority != activations.back().authority;
      });
  if (before == activations.rend()) {
    return Refusal<kAuthorityNoneBefore>(name);
  }
  const AuthorityView view = TRY(ViewOf(*catalog, *hierarchy, before->authority));
  call.event().subject = view.name;
  return ActivateFound(call, *catalog, *hierarchy, view);
}

// ---- before its time ----------------------------------------------------------------------------

Result<Recorded<AuthorityView>> Rotation::Taint(Call& call, const std::string& name,
                                                const std::string& reason) {
  const auto catalog = catalogs_.Snapshot();
  const NamedAuthority found =
      TRY(FindIssuing(call, *catalog, authorization_, Action::kTaintAuthority, name));
  TRY(CheckNote("reason", reason));
  call.event().reason = reason;
  auto recorded =
      TRY(stores_.authorities.TaintAuthority(found.view.record.id, reason, call.event()));
  TRY(catalogs_.Reload());
  if (found.view.state == AuthorityState::kActive) {
    TRY(EnsurePublished(*found.hierarchy, call.caller().Name()).status());
  }
  AuthorityView view = TRY(ViewOf(*catalogs_.Snapshot(), *found.hierarchy, found.view.record.id));
  return Recorded(std::move(recorded), std::move(view));
}

// Its successor is published first, because nothing is issued from the revocation on until that
// takes over.
Result<Recorded<Rotation::RevokedAuthority>> Rotation::Revoke(Call& call, const std::string& name,
                                                              RevocationReason reason,
                                                              const std::string& note) {
  const auto catalog = catalogs_.Snapshot();
  const NamedAuthority found =
      TRY(FindIssuing(call, *catalog, authorization_, Action::kRevokeAuthority, name));
  if (reason == RevocationReason::kKeyCompromise) {
    return Error(StatusCode::kInvalidArgument,
                 "reason: keyCompromise would block the keys of all its agents; write "
                 "cACompromise");
  }
  TRY(CheckNote("note", note));
  const Hierarchy& hierarchy = *found.hierarchy;
  const auto& taint = found.view.record.taint;
  if (!taint || !taint->is_revoked) {
    const std::string reason_text(NameOf(reason));
    TRY(approvals_.Require(call, hierarchy.id,
                           {.kind = ApprovalKind::kAuthorityRevocation,
                            .digest = DigestOf(ApprovalKind::kAuthorityRevocation,
                                               {"authority", name, reason_text, note}),
                            .changes = {fmt::format("revoke {} and all that it has issued", name),
                                        "reason: " + reason_text, "note: " + note}}));
  }
  const bool is_active = found.view.state == AuthorityState::kActive;
  std::optional<AuthorityRecord> successor;
  if (is_active) successor = TRY(EnsurePublished(hierarchy, call.caller().Name()));
  call.event().reason = fmt::format("{}: {}", NameOf(reason), note);
  auto revoked =
      TRY(stores_.authorities.RevokeAuthority(found.view.record.id, reason, note, call.event()));
  TRY(catalogs_.Reload());
  if (successor) {
    const auto after = catalogs_.Snapshot();
    // If it may already; else the conductor lets it, within seconds.
    Call activation = call.As(Action::kActivateAuthority);
    activation.event().rule = kAuthorityTainted.name;
    const AuthorityView next = TRY(ViewOf(*after, hierarchy, successor->id));
    activation.event().subject = next.name;
    if (CheckActivation(*after, hierarchy, next).ok()) {
      ActivateFound(activation, *after, hierarchy, next).status().IgnoreError();
    }
  }
  AuthorityView view = TRY(ViewOf(*catalogs_.Snapshot(), hierarchy, found.view.record.id));
  const std::int64_t count = *revoked;
  return Recorded(std::move(revoked).decision(), RevokedAuthority{std::move(view), count});
}

// ---- on schedule --------------------------------------------------------------------------------

std::optional<TimePoint> Rotation::DueAt(const Catalog& catalog, const Hierarchy& hierarchy) const {
  const auto activations = catalog.ActivationsOf(hierarchy.id);
  if (activations.empty()) return std::nullopt;  // not whole yet: its provisioning goes on
  const AuthorityRecord* const active = catalog.FindRecord(activations.back().authority);
  return active ? std::optional(ca::DueAt(catalog, hierarchy, *active, activations.back().at))
                : std::nullopt;
}

std::optional<Taint> Rotation::TaintOfActive(const Catalog& catalog, const Hierarchy& hierarchy) {
  const auto activations = catalog.ActivationsOf(hierarchy.id);
  if (activations.empty()) return std::nullopt;
  const AuthorityRecord* const active = catalog.FindRecord(activations.back().authority);
  return active ? active->taint : std::nullopt;
}

Status Rotation::Advance(const Hierarchy& hierarchy) {
  const TimePoint now = clock_.Now();
  std::optional<TimePoint> due = DueAt(*catalogs_.Snapshot(), hierarchy);
  if (!due || now < *due - hierarchy.publish_ahead) return Ok();
  // It may have been done already, here or elsewhere.
  if (!MayLookAtGate(hierarchy.id)) return Ok();
  TRY(catalogs_.Reload());
  due = DueAt(*catalogs_.Snapshot(), hierarchy);
  if (now < *due - hierarchy.publish_ahead) return Ok();

  const AuthorityRecord successor = TRY(EnsurePublished(hierarchy, kConductor));
  if (successor.certificate.empty()) {  // somebody else is to sign it, which takes days
    LookAtGateLater(hierarchy.id);
    return Ok();
  }
  if (now < *due || now < successor.published_at + Hierarchy::kPublishAheadMin) return Ok();
  const auto catalog = catalogs_.Snapshot();
  const AuthorityView view = TRY(ViewOf(*catalog, hierarchy, successor.id));
  Call call = Call::Local(kConductor, Action::kActivateAuthority, now);
  call.Concerns(hierarchy.id, view.name);
  if (const auto taint = TaintOfActive(*catalog, hierarchy)) {
    call.event().rule = kAuthorityTainted.name;
    call.event().reason = taint->reason;
  } else {
    const Gate gate = TRY(GateOf(hierarchy, view));
    if (!gate.is_open) {
      LookAtGateLater(hierarchy.id);
      return Ok();
    }
    call.event().rule = gate.rule;
    if (gate.progress) call.event().reason = gate.progress->ToString();
  }
  const Status activated = ActivateFound(call, *catalog, hierarchy, view).status();
  return activated.code() == StatusCode::kAborted ? Ok() : activated;  // an operator was faster
}

// ---- both ---------------------------------------------------------------------------------------

Result<AuthorityRecord> Rotation::EnsurePublished(const Hierarchy& hierarchy,
                                                  const std::string& actor) {
  Provisioning provisioning(stores_, keys_, registry_, directory_, clock_, actor);
  AuthorityRecord successor = TRY(provisioning.EnsureSuccessor(hierarchy));
  if (successor.certificate.empty()) {  // until ca/authorities/external_issuing.h has it imported
    TRY(catalogs_.Reload());
  } else {
    TRY(EnsureKnown(provisioning, hierarchy, successor.id, actor));
  }
  return successor;
}

// The responder is there before its first certificate can be asked about.
Status Rotation::EnsureKnown(Provisioning& provisioning, const Hierarchy& hierarchy, AuthorityId id,
                             const std::string& actor) {
  TRY(catalogs_.Reload());
  const auto authority = TRY(catalogs_.Snapshot()->FindAuthority(id));
  TRY(provisioning.EnsureResponder(hierarchy, *authority).status());
  return bundles_.Publish(hierarchy, actor);
}

// ---- the gate -----------------------------------------------------------------------------------

Result<Rotation::Gate> Rotation::GateOf(const Hierarchy& hierarchy,
                                        const AuthorityView& view) const {
  if (hierarchy.acknowledged_share == 0 || view.active_since) return Gate{};
  Gate gate{.is_open = false};
  gate.progress = TRY(bundles_.ProgressOf(hierarchy, view.record.id));
  if (!gate.progress) return gate;
  if (gate.progress->Percent() >= hierarchy.acknowledged_share) {
    gate.rule = kAuthorityAcknowledged.name;
  } else if (clock_.Now() >= gate.progress->published_at + hierarchy.acknowledge_within) {
    gate.rule = kAuthorityAcknowledgeDeadline.name;
  }
  gate.is_open = !gate.rule.empty();
  return gate;
}

Status Rotation::PassGate(Call& call, const Hierarchy& hierarchy, const AuthorityView& view,
                          StragglerPolicy policy) const {
  const Gate gate = TRY(GateOf(hierarchy, view));
  if (gate.progress) call.event().reason = gate.progress->ToString();
  call.event().rule = gate.rule;
  if (gate.is_open) return Ok();
  if (policy == StragglerPolicy::kLeaveBehind) {
    call.event().rule = kAuthorityDespiteStragglers.name;
    return Ok();
  }
  if (!gate.progress) {
    return Refusal<kAuthorityNotAcknowledged>(view.name,
                                              "is in no trust bundle yet; retry in a few seconds");
  }
  std::string named;
  const auto first =
      TRY(bundles_.FirstStragglers(hierarchy.id, gate.progress->version, kStragglersNamedMax));
  for (const LiveAgent& agent : first) named += (named.empty() ? "" : ", ") + agent.id.ToString();
  const std::int64_t more = gate.progress->stragglers() - static_cast<std::int64_t>(first.size());
  if (more > 0) named += fmt::format(" and {} more", more);
  return Refusal<kAuthorityNotAcknowledged>(
      view.name,
      fmt::format("waits for {}%: {}: {}; see: agentpki authority stragglers {}; or leave "
                  "them behind with --despite-stragglers",
                  hierarchy.acknowledged_share, gate.progress->ToString(), named,
                  hierarchy.Name()));
}

bool Rotation::MayLookAtGate(HierarchyId hierarchy) {
  const std::lock_guard lock(mutex_);
  const auto due = gate_due_.find(hierarchy);
  return due == gate_due_.end() || clock_.Now() >= due->second;
}

void Rotation::LookAtGateLater(HierarchyId hierarchy) {
  const std::lock_guard lock(mutex_);
  gate_due_[hierarchy] = clock_.Now() + kGateInterval;
}

// ---- what is activated --------------------------------------------------------------------------

Status Rotation::CheckActivation(const Catalog& catalog, const Hierarchy& hierarchy,
                                 const AuthorityView& view) const {
  if (!view.validity) {
    return Error(StatusCode::kFailedPrecondition,
                 "authority: {} has no certificate yet; run: agentpki authority prepare {}",
                 view.name, hierarchy.Name());
  }
  if (view.record.key_destruction) {
    return Refusal<kAuthorityKeyDestroyed>(view.name, view.record.key_destruction->reason,
                                           hierarchy.Name());
  }
  if (const auto& taint = view.record.taint) {
    const std::string at = Rfc3339(taint->at);
    if (!taint->is_revoked) {
      return Refusal<kAuthorityTainted>(view.name, at, taint->reason, hierarchy.Name());
    }
    return Refusal<kAuthorityRevoked>(
        view.name, fmt::format("{}, at {}; run: agentpki authority prepare {}", taint->reason, at,
                               hierarchy.Name()));
  }
  const TimePoint now = clock_.Now();
  TRY(CheckNotRevoked(catalog, view));
  const TimePoint known_at = view.record.published_at + Hierarchy::kPublishAheadMin;
  if (now < known_at) {
    return Refusal<kAuthorityJustPublished>(view.name, HumanDuration(known_at - now));
  }
  const TrustBundleRecord* const bundle = catalog.NewestTrustBundle(hierarchy.id);
  if (bundle && !bundle->Has(view.record.issuer)) {
    return Refusal<kAuthorityRootNotTrusted>(view.name, bundle->version, hierarchy.Name());
  }
  if (now + hierarchy.LongestLifetime() > view.validity->not_after) {
    return Refusal<kAuthorityEnding>(view.name, Rfc3339(view.validity->not_after),
                                     hierarchy.Name());
  }
  return Ok();
}

// Of what was imported, whoever issued it says so; Revoke() taints it.
Status Rotation::CheckNotRevoked(const Catalog& catalog, const AuthorityView& view) const {
  const auto authority = TRY(catalog.FindAuthority(view.record.id));
  if (!authority->serial()) return Ok();
  const auto revocation = revocations_.Find(*authority->serial());
  if (!revocation) return Ok();
  return Refusal<kAuthorityRevoked>(view.name, fmt::format("{}, at {}", NameOf(revocation->reason),
                                                           Rfc3339(revocation->revoked_at)));
}

Result<Recorded<AuthorityView>> Rotation::ActivateFound(Call& call, const Catalog& catalog,
                                                        const Hierarchy& hierarchy,
                                                        const AuthorityView& view) {
  if (view.state == AuthorityState::kActive) {
    auto recorded = TRY(ledger_.RecordEvent(call.event()));
    return Recorded(std::move(recorded), view);
  }
  TRY(CheckActivation(catalog, hierarchy, view));
  auto recorded = TRY(stores_.activations.Activate(
      {.hierarchy = hierarchy.id,
       .sequence = static_cast<int>(catalog.ActivationsOf(hierarchy.id).size()) + 1,
       .authority = view.record.id,
       .at = clock_.Now()},
      call.event()));
  TRY(catalogs_.Reload());
  AuthorityView activated = TRY(ViewOf(*catalogs_.Snapshot(), hierarchy, view.record.id));
  return Recorded(std::move(recorded), std::move(activated));
}

Result<AuthorityView> Rotation::ViewOf(const Catalog& catalog, const Hierarchy& hierarchy,
                                       AuthorityId authority) const {
  for (AuthorityView& view : AuthoritiesAt(catalog, hierarchy, clock_.Now())) {
    if (view.record.id == authority) return std::move(view);
  }
  return Error(StatusCode::kInternal, "an authority of {} went away", hierarchy.Name());
}

}  // namespace ca
