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

Result<HierarchySnapshotPtr> Rotation::FindPermitted(Call& call, Action action,
                                                     const std::string& name) const {
  call.event().subject = Printable(name);
  auto hierarchy = TRY(catalogs_.Snapshot()->FindByName(name));
  call.event().hierarchy = hierarchy->id();
  TRY(authorization_.Require(call.caller(), action, hierarchy->id()));
  return hierarchy;
}

Result<Recorded<AuthorityView>> Rotation::Prepare(Call& call, const std::string& name) {
  auto hierarchy = TRY(FindPermitted(call, Action::kPrepareAuthority, name));
  hierarchy = TRY(catalogs_.ReloadHierarchy(hierarchy->id()));
  const auto published = TRY(EnsurePublished(*hierarchy, call.caller().Name()));
  call.event().subject = NameOf(hierarchy->hierarchy(), published.successor);
  AuthorityView view = TRY(published.hierarchy->ViewOf(published.successor.id, clock_.Now()));
  auto recorded = TRY(ledger_.RecordEvent(call.event()));
  return Recorded(std::move(recorded), std::move(view));
}

Result<Recorded<AuthorityView>> Rotation::PrepareRoot(Call& call, const std::string& name) {
  auto hierarchy = TRY(FindPermitted(call, Action::kPrepareAuthority, name));
  hierarchy = TRY(catalogs_.ReloadHierarchy(hierarchy->id()));
  // A root that is planned already was approved, or is the first one of a new hierarchy.
  const std::optional<int> generation =
      TRY(provisioning_.next_roots.GenerationToPlan(hierarchy->records()));
  if (generation) TRY(RequireApproval(call, *hierarchy, *generation));
  const AuthorityRecord root = TRY(provisioning_.next_roots.EnsureNextRoot(
      hierarchy->records(), call.caller().Name(), call.event().approval_use));
  const auto after = TRY(publication_.Publish(hierarchy->id(), root.id, call.caller().Name()));
  call.event().subject = NameOf(hierarchy->hierarchy(), root);
  AuthorityView view = TRY(after->ViewOf(root.id, clock_.Now()));
  auto recorded = TRY(ledger_.RecordEvent(call.event()));
  return Recorded(std::move(recorded), std::move(view));
}

Status Rotation::RequireApproval(Call& call, const HierarchySnapshot& hierarchy, int generation) {
  const std::vector<Bytes>& roots = hierarchy.Roots();
  const std::string name = NameOf(hierarchy.hierarchy(), AuthorityKind::kRoot, generation);
  const std::string lifetime = DurationText(hierarchy.hierarchy().root_lifetime);
  const std::string before = roots.empty() ? "" : Hex(Sha256(roots.back()));
  return approvals_.Require(
      call, hierarchy.id(),
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
    TRY(CheckActivation(*found.hierarchy, found.view));
    TRY(PassGate(call, *found.hierarchy, found.view, policy));
  }
  return ActivateFound(call, *found.hierarchy, found.view);
}

Result<Recorded<AuthorityView>> Rotation::RollBack(Call& call, const std::string& name) {
  const auto hierarchy = TRY(FindPermitted(call, Action::kRollBackAuthority, name));
  const auto& activations = hierarchy->activations();
  const auto before =
      std::find_if(activations.rbegin(), activations.rend(), [&](const Activation& activation) {
        return activation.authority != activations.back().authority;
      });
  if (before == activations.rend()) {
    return Refusal<kAuthorityNoneBefore>(name);
  }
  const AuthorityView view = TRY(hierarchy->ViewOf(before->authority, clock_.Now()));
  call.event().subject = view.name;
  return ActivateFound(call, *hierarchy, view);
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
  auto after = TRY(catalogs_.ReloadHierarchy(found.hierarchy->id()));
  if (found.view.state == AuthorityState::kActive) {
    after = TRY(EnsurePublished(*after, call.caller().Name())).hierarchy;
  }
  AuthorityView view = TRY(after->ViewOf(found.view.record.id, clock_.Now()));
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
  const auto& taint = found.view.record.taint;
  if (!taint || !taint->is_revoked) {
    const std::string reason_text(NameOf(reason));
    TRY(approvals_.Require(call, found.hierarchy->id(),
                           {.kind = ApprovalKind::kAuthorityRevocation,
                            .digest = DigestOf(ApprovalKind::kAuthorityRevocation,
                                               {"authority", name, reason_text, note}),
                            .changes = {fmt::format("revoke {} and all that it has issued", name),
                                        "reason: " + reason_text, "note: " + note}}));
  }
  const bool is_active = found.view.state == AuthorityState::kActive;
  std::optional<AuthorityRecord> successor;
  if (is_active) {
    const auto loaded = TRY(catalogs_.ReloadHierarchy(found.hierarchy->id()));
    successor = TRY(EnsurePublished(*loaded, call.caller().Name())).successor;
  }
  call.event().reason = fmt::format("{}: {}", NameOf(reason), note);
  auto revoked =
      TRY(stores_.authorities.RevokeAuthority(found.view.record.id, reason, note, call.event()));
  auto after = TRY(catalogs_.ReloadHierarchy(found.hierarchy->id()));
  if (successor) {
    // If it may already; else the conductor lets it, within seconds.
    Call activation = call.As(Action::kActivateAuthority);
    activation.event().rule = kAuthorityTainted.name;
    const AuthorityView next = TRY(after->ViewOf(successor->id, clock_.Now()));
    activation.event().subject = next.name;
    if (CheckActivation(*after, next).ok()) {
      ActivateFound(activation, *after, next).status().IgnoreError();
      after = TRY(catalogs_.Find(after->id()));
    }
  }
  AuthorityView view = TRY(after->ViewOf(found.view.record.id, clock_.Now()));
  const std::int64_t count = *revoked;
  return Recorded(std::move(revoked).decision(), RevokedAuthority{std::move(view), count});
}

// ---- on schedule --------------------------------------------------------------------------------

std::optional<Taint> Rotation::TaintOfActive(const HierarchySnapshot& hierarchy) {
  const Activation* const last = hierarchy.LastActivation();
  const AuthorityRecord* const active = last ? hierarchy.FindRecord(last->authority) : nullptr;
  return active ? active->taint : std::nullopt;
}

Status Rotation::Advance(const HierarchySnapshot& seen) {
  const TimePoint now = clock_.Now();
  // None before the first activation: Provisioning still makes the hierarchy.
  std::optional<TimePoint> due = seen.DueAt();
  if (!due || now < *due - seen.hierarchy().publish_ahead) return Ok();
  // The successor waits for its turn, which may take weeks.
  const AuthorityRecord* const next = provisioning_.hierarchies.FindSuccessor(seen.records());
  if (now < *due && next && IsPublished(seen, next->id)) return Ok();
  if (!MayLookAtGate(seen.id())) return Ok();
  // Another replica or an operator may have done it already.
  auto hierarchy = TRY(catalogs_.ReloadHierarchy(seen.id()));
  due = hierarchy->DueAt();
  if (!due || now < *due - hierarchy->hierarchy().publish_ahead) return Ok();

  const auto published = TRY(EnsurePublished(*hierarchy, kConductor));
  hierarchy = published.hierarchy;
  const AuthorityRecord& successor = published.successor;
  if (successor.certificate.empty()) {  // somebody else is to sign it, which takes days
    LookAtGateLater(hierarchy->id());
    return Ok();
  }
  if (now < *due || now < successor.published_at + Hierarchy::kPublishAheadMin) return Ok();
  const AuthorityView view = TRY(hierarchy->ViewOf(successor.id, now));
  Call call = Call::Local(kConductor, Action::kActivateAuthority, now);
  call.Concerns(hierarchy->id(), view.name);
  if (const auto taint = TaintOfActive(*hierarchy)) {
    call.event().rule = kAuthorityTainted.name;
    call.event().reason = taint->reason;
  } else {
    const Gate gate = TRY(GateOf(*hierarchy, view));
    if (!gate.is_open) {
      LookAtGateLater(hierarchy->id());
      return Ok();
    }
    call.event().rule = gate.rule;
    if (gate.progress) call.event().reason = gate.progress->ToString();
  }
  const Status activated = ActivateFound(call, *hierarchy, view).status();
  return activated.code() == StatusCode::kAborted ? Ok() : activated;  // an operator was faster
}

// ---- both ---------------------------------------------------------------------------------------

Result<Rotation::Published> Rotation::EnsurePublished(const HierarchySnapshot& hierarchy,
                                                      const std::string& actor) {
  AuthorityRecord successor =
      TRY(provisioning_.hierarchies.EnsureSuccessor(hierarchy.records(), actor));
  // Without a certificate it waits until ca/authorities/external_issuing.h has one imported.
  auto after = TRY(successor.certificate.empty()
                       ? catalogs_.ReloadHierarchy(hierarchy.id())
                       : publication_.Publish(hierarchy.id(), successor.id, actor));
  return Published{std::move(after), std::move(successor)};
}

// ---- the gate -----------------------------------------------------------------------------------

Result<Rotation::Gate> Rotation::GateOf(const HierarchySnapshot& snapshot,
                                        const AuthorityView& view) const {
  const Hierarchy& hierarchy = snapshot.hierarchy();
  if (hierarchy.acknowledged_share == 0 || view.active_since) return Gate{};
  Gate gate{.is_open = false};
  gate.progress = TRY(bundles_.ProgressOf(snapshot, view.record.id));
  if (!gate.progress) return gate;
  if (gate.progress->Percent() >= hierarchy.acknowledged_share) {
    gate.rule = kAuthorityAcknowledged.name;
  } else if (clock_.Now() >= gate.progress->published_at + hierarchy.acknowledge_within) {
    gate.rule = kAuthorityAcknowledgeDeadline.name;
  }
  gate.is_open = !gate.rule.empty();
  return gate;
}

Status Rotation::PassGate(Call& call, const HierarchySnapshot& hierarchy, const AuthorityView& view,
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
      TRY(bundles_.FirstStragglers(hierarchy.id(), gate.progress->version, kStragglersNamedMax));
  for (const LiveAgent& agent : first) named += (named.empty() ? "" : ", ") + agent.id.ToString();
  const std::int64_t more = gate.progress->stragglers() - static_cast<std::int64_t>(first.size());
  if (more > 0) named += fmt::format(" and {} more", more);
  return Refusal<kAuthorityNotAcknowledged>(
      view.name,
      fmt::format("waits for {}%: {}: {}; see: agentpki authority stragglers {}; or leave "
                  "them behind with --despite-stragglers",
                  hierarchy.hierarchy().acknowledged_share, gate.progress->ToString(), named,
                  hierarchy.name()));
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

Status Rotation::CheckActivation(const HierarchySnapshot& hierarchy,
                                 const AuthorityView& view) const {
  if (!view.validity) {
    return Error(StatusCode::kFailedPrecondition,
                 "authority: {} has no certificate yet; run: agentpki authority prepare {}",
                 view.name, hierarchy.name());
  }
  if (view.record.key_destruction) {
    return Refusal<kAuthorityKeyDestroyed>(view.name, view.record.key_destruction->reason,
                                           hierarchy.name());
  }
  if (const auto& taint = view.record.taint) {
    const std::string at = Rfc3339(taint->at);
    if (!taint->is_revoked) {
      return Refusal<kAuthorityTainted>(view.name, at, taint->reason, hierarchy.name());
    }
    return Refusal<kAuthorityRevoked>(
        view.name, fmt::format("{}, at {}; run: agentpki authority prepare {}", taint->reason, at,
                               hierarchy.name()));
  }
  const TimePoint now = clock_.Now();
  TRY(CheckNotRevoked(hierarchy, view));
  const TimePoint known_at = view.record.published_at + Hierarchy::kPublishAheadMin;
  if (now < known_at) {
    return Refusal<kAuthorityJustPublished>(view.name, HumanDuration(known_at - now));
  }
  const TrustBundleRecord* const bundle = hierarchy.NewestTrustBundle();
  if (bundle && !bundle->Has(view.record.issuer)) {
    return Refusal<kAuthorityRootNotTrusted>(view.name, bundle->version, hierarchy.name());
  }
  if (now + hierarchy.hierarchy().LongestLifetime() > view.validity->not_after) {
    return Refusal<kAuthorityEnding>(view.name, Rfc3339(view.validity->not_after),
                                     hierarchy.name());
  }
  return Ok();
}

// An imported certificate is revoked by its own issuer, which we do not ask; Revoke() taints it.
Status Rotation::CheckNotRevoked(const HierarchySnapshot& hierarchy,
                                 const AuthorityView& view) const {
  const auto authority = hierarchy.FindAuthority(view.record.id);
  if (!authority->serial()) return Ok();
  const auto revocation = revocations_.Find(*authority->serial());
  if (!revocation) return Ok();
  return Refusal<kAuthorityRevoked>(view.name, fmt::format("{}, at {}", NameOf(revocation->reason),
                                                           Rfc3339(revocation->revoked_at)));
}

Result<Recorded<AuthorityView>> Rotation::ActivateFound(Call& call,
                                                        const HierarchySnapshot& hierarchy,
                                                        const AuthorityView& view) {
  if (view.state == AuthorityState::kActive) {
    auto recorded = TRY(ledger_.RecordEvent(call.event()));
    return Recorded(std::move(recorded), view);
  }
  TRY(CheckActivation(hierarchy, view));
  auto recorded = TRY(stores_.activations.Activate(
      {.hierarchy = hierarchy.id(),
       .sequence = static_cast<int>(hierarchy.activations().size()) + 1,
       .authority = view.record.id,
       .at = clock_.Now()},
      call.event()));
  const auto after = TRY(catalogs_.ReloadHierarchy(hierarchy.id()));
  AuthorityView activated = TRY(after->ViewOf(view.record.id, clock_.Now()));
  return Recorded(std::move(recorded), std::move(activated));
}

}  // namespace ca
