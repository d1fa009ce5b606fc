#include "ca/authorities/key_retirement.h"

#include <algorithm>

#include "ca/access/call.h"
#include "ca/catalog/revocation_index.h"

namespace ca {
namespace {

// By then a regularly scheduled CRL is published that was made after the last certificate ended.
constexpr auto kLastCrlWithin = RevocationIndex::kKeptAfterExpiry;
// For replicas whose clocks differ.
constexpr std::chrono::hours kDelegateKeptFor{1};

bool IsIssuedBy(const AuthorityView& view, const AuthorityRecord& root) {
  return view.record.issuer == root.id && view.record.id != root.id;
}

bool IsSpentIssuing(const AuthorityView& view, TimePoint now) {
  return view.state == AuthorityState::kRetired && now > *view.retiring_until + kLastCrlWithin;
}

bool IsSpentRoot(const AuthorityView& view, const std::vector<AuthorityView>& all) {
  if (view.state != AuthorityState::kRetired) return false;
  return std::all_of(all.begin(), all.end(), [&](const AuthorityView& other) {
    return !IsIssuedBy(other, view.record) || other.state == AuthorityState::kKeyDestroyed;
  });
}

std::string WhyDelegateIsSpent(const AuthorityRecord& record, const std::vector<AuthorityView>& all,
                               TimePoint now) {
  if (!record.certificate.empty()) {
    const auto parsed = ParseX509(record.certificate);
    if (!parsed.ok()) return "";
    const auto not_after = TimeOf(X509_get0_notAfter(parsed->get()));
    const bool has_ended = not_after.ok() && now > *not_after + kDelegateKeptFor;
    return has_ended ? "its certificate has ended" : "";
  }
  for (const AuthorityView& view : all) {
    if (view.record.id != record.issuer || view.state != AuthorityState::kKeyDestroyed) continue;
    return "the key of its issuer is destroyed: it never gets a certificate";
  }
  return "";
}

std::string WhySpent(const AuthorityView& view, const std::vector<AuthorityView>& all,
                     TimePoint now) {
  if (view.record.kind == AuthorityKind::kIssuing) {
    const bool never_certified = view.state == AuthorityState::kPending && view.record.taint;
    if (never_certified) return "it was tainted before it had a certificate, and never gets one";
    return IsSpentIssuing(view, now) ? "its certificates have all ended" : "";
  }
  return IsSpentRoot(view, all) ? "the keys of all that it has certified are destroyed" : "";
}

std::vector<SpentKey> KeysLeftOf(const HierarchySnapshot& hierarchy) {
  std::vector<SpentKey> left;
  for (const AuthorityRecord& record : hierarchy.records().authorities) {
    if (record.HasOwnKey() && !record.key_destruction)
      left.push_back({record, "its hierarchy is destroyed"});
  }
  return left;
}

}  // namespace

std::vector<SpentKey> SpentKeysAt(const HierarchySnapshot& hierarchy, TimePoint now) {
  if (hierarchy.is_destroyed()) return KeysLeftOf(hierarchy);
  const std::vector<AuthorityView> views = hierarchy.ViewsAt(now);
  std::vector<SpentKey> spent;
  const auto add = [&](const AuthorityRecord& record, std::string reason) {
    if (!reason.empty()) spent.push_back({record, std::move(reason)});
  };
  for (const AuthorityView& view : views) {
    if (view.record.key_destruction || !view.record.HasOwnKey()) continue;
    add(view.record, WhySpent(view, views, now));
  }
  for (const AuthorityRecord& record : hierarchy.records().authorities) {
    if (IsDelegate(record.kind) && !record.key_destruction)
      add(record, WhyDelegateIsSpent(record, views, now));
  }
  return spent;
}

Status KeyRetirement::Advance(const HierarchySnapshot& hierarchy) {
  const TimePoint now = clock_.Now();
  Status first;
  bool has_changed = false;
  const auto keep = [&](const AuthorityRecord& record, Status status) {
    has_changed = true;
    if (first.ok()) first = Annotate(status, fmt::format("key '{}': ", record.key_label));
  };
  for (const SpentKey& key : SpentKeysAt(hierarchy, now)) {
    keep(key.record, Decide(hierarchy, key));
  }
  for (const AuthorityRecord& record : hierarchy.records().authorities) {
    if (!record.key_destruction) continue;
    const KeyDestruction& destruction = *record.key_destruction;
    const bool is_due = now >= destruction.decided_at + KeyDestruction::kDestroyAfter;
    if (is_due && !destruction.destroyed_at) keep(record, Destroy(hierarchy.hierarchy(), record));
  }
  if (has_changed) TRY(catalogs_.Reload());
  return first;
}

// `hierarchy` may be old: the store refuses the decision if another authority was activated since.
Status KeyRetirement::Decide(const HierarchySnapshot& hierarchy, const SpentKey& key) {
  const Activation* const last = hierarchy.LastActivation();
  const Status decided =
      store_.DecideKeyDestruction(key.record.id, last ? last->sequence : 0, key.reason,
                                  Event("DecideKeyDestruction", hierarchy.hierarchy(), key.record));
  return decided.code() == StatusCode::kAborted ? Ok() : decided;  // judged anew in the next round
}

Status KeyRetirement::Destroy(const Hierarchy& hierarchy, const AuthorityRecord& record) {
  TRY(keys_.Destroy(record.key_label));
  return store_.RecordKeyDestroyed(record.id, Event("DestroyKey", hierarchy, record));
}

AuditEvent KeyRetirement::Event(std::string_view action, const Hierarchy& hierarchy,
                                const AuthorityRecord& record) const {
  AuditEvent event = LocalEvent("conductor", action, clock_.Now());
  event.hierarchy = hierarchy.id;
  event.subject = NameOf(hierarchy, record);
  return event;
}

}  // namespace ca
