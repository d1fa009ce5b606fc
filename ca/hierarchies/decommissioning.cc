#include "ca/hierarchies/decommissioning.h"

#include <algorithm>

#include "ca/base/asn1.h"
#include "ca/issuance/signed_record.h"

namespace ca {
namespace {

std::vector<AuthorityRecord> KeysOf(HierarchyId hierarchy, std::vector<AuthorityRecord> records) {
  std::erase_if(records, [&](const AuthorityRecord& record) {
    return record.hierarchy != hierarchy || !record.HasOwnKey();
  });
  return records;
}

bool IsKeyDestroyed(const AuthorityRecord& record) {
  return record.key_destruction && record.key_destruction->destroyed_at;
}

std::string FingerprintOf(const AuthorityRecord& record) {
  const auto x509 = ParseX509(record.certificate);
  if (!x509.ok()) return "";  // the key was never certified
  return Hex(Sha256(DerOf<X509_PUBKEY, i2d_X509_PUBKEY>(X509_get_X509_PUBKEY(x509->get()))));
}

DestructionView ViewOf(HierarchyDestruction destruction,
                       const std::vector<AuthorityRecord>& authorities) {
  const auto records = KeysOf(destruction.hierarchy.id, authorities);
  const auto destroyed = std::count_if(records.begin(), records.end(), IsKeyDestroyed);
  return {std::move(destruction), static_cast<int>(records.size()), static_cast<int>(destroyed)};
}

}  // namespace

// ---- requests of operators ----------------------------------------------------------------------

Result<Decommissioning::Found> Decommissioning::Find(const std::string& name) const {
  const auto standing = catalogs_.Snapshot()->FindByName(name);
  if (standing.ok()) return Found{(*standing)->hierarchy(), false};
  std::vector<HierarchyDestruction> destroyed = TRY(stores_.hierarchies.FindDestructions(name, 1));
  if (name.empty() || destroyed.empty()) return standing.status();
  return Found{std::move(destroyed.front().hierarchy), true};
}

Result<Recorded<DestructionView>> Decommissioning::Destroy(Call& call, const std::string& hierarchy,
                                                           const std::string& reason) {
  call.event().subject = Printable(hierarchy);
  const Found found = TRY(Find(hierarchy));
  call.event().hierarchy = found.hierarchy.id;
  const auto allowed = TRY(authorization_.Allowed(call.caller(), Action::kDestroyHierarchy,
                                                  std::vector{found.hierarchy}));
  if (allowed.empty()) {
    TRY(authorization_.Require(call.caller(), Action::kDestroyHierarchy, found.hierarchy.id));
  }
  TRY(CheckNote("reason", reason));
  if (!found.is_destroyed && !found.hierarchy.is_system) {
    TRY(RequireApproval(call, found.hierarchy, reason));
  }
  call.event().reason = reason;
  auto destroyed =
      TRY(stores_.hierarchies.DestroyHierarchy(found.hierarchy.id, reason, call.event()));
  TRY(catalogs_.Reload());
  const std::vector<AuthorityRecord> authorities = TRY(stores_.authorities.LoadAuthorities());
  DestructionView view = ViewOf(destroyed.TakeValue(), authorities);
  return Recorded(std::move(destroyed).decision(), std::move(view));
}

Status Decommissioning::RequireApproval(Call& call, const Hierarchy& hierarchy,
                                        const std::string& reason) {
  constexpr ApprovalKind kKind = ApprovalKind::kDestruction;
  const std::string name = hierarchy.Name();
  const std::string& trust_domain = hierarchy.trust_domain.name();
  return approvals_.Require(
      call, hierarchy.id,
      {.kind = kKind,
       .digest = DigestOf(kKind, {name, trust_domain, reason}),
       .changes = {fmt::format("destroy {}, trust domain {}, for good", name, trust_domain),
                   "revoke all of its certificates, and destroy all of its keys",
                   "reason: " + reason}});
}

Result<std::vector<DestructionView>> Decommissioning::List(Call& call,
                                                           const std::string& hierarchy) const {
  call.event().subject = Printable(hierarchy);
  const int limit = hierarchy.empty() ? kListedMax : kListedOfNameMax;
  std::vector<HierarchyDestruction> found =
      TRY(stores_.hierarchies.FindDestructions(hierarchy, limit));
  std::vector<Hierarchy> hierarchies;
  const auto catalog = catalogs_.Snapshot();
  for (const HierarchySnapshotPtr& standing : catalog->hierarchies()) {
    hierarchies.push_back(standing->hierarchy());
  }
  for (const HierarchyDestruction& destruction : found) {
    hierarchies.push_back(destruction.hierarchy);
  }
  const auto allowed =
      TRY(authorization_.Allowed(call.caller(), Action::kListDestructions, hierarchies));
  if (allowed.empty()) TRY(authorization_.Require(call.caller(), Action::kListDestructions, {}));
  const std::vector<AuthorityRecord> authorities = TRY(stores_.authorities.LoadAuthorities());
  std::vector<DestructionView> views;
  for (HierarchyDestruction& destruction : found) {
    const HierarchyId id = destruction.hierarchy.id;
    if (std::find(allowed.begin(), allowed.end(), id) == allowed.end()) continue;
    if (hierarchy.empty()) destruction.record.clear();
    views.push_back(ViewOf(std::move(destruction), authorities));
  }
  return views;
}

// ---- steps of the conductor ---------------------------------------------------------------------

Status Decommissioning::Advance(const HierarchySnapshot& hierarchy) {
  const auto& destruction = hierarchy.records().destruction;
  if (!destruction || destruction->finished_at) return Ok();
  TRY(CheckKeysAtHand(hierarchy));
  TRY(key_retirement_.Advance(hierarchy));
  const auto after = TRY(catalogs_.Find(hierarchy.id()));
  const auto records = KeysOf(hierarchy.id(), after->records().authorities);
  // The rest goes in the next rounds.
  if (!std::all_of(records.begin(), records.end(), IsKeyDestroyed)) return Ok();
  return Finish(*destruction, records);
}

// A CA whose key is unavailable has not signed its last CRL, so its token has to come back first.
Status Decommissioning::CheckKeysAtHand(const HierarchySnapshot& hierarchy) {
  for (const auto& authority : hierarchy.authorities()) {
    const AuthorityRecord* const record = hierarchy.FindRecord(authority->id());
    if (authority->has_key() || !record->HasOwnKey() || record->key_destruction) continue;
    return Error(StatusCode::kUnavailable,
                 "the key '{}' is unavailable: its token is, or the key is not on the token",
                 authority->key_label());
  }
  return Ok();
}

Status Decommissioning::Finish(const HierarchyDestruction& destruction,
                               const std::vector<AuthorityRecord>& records) {
  const TimePoint now = clock_.Now();
  DestructionStatement statement{destruction, {}};
  statement.destruction.finished_at = now;
  for (const AuthorityRecord& record : records) {
    statement.keys.push_back({NameOf(destruction.hierarchy, record), record.key_label,
                              FingerprintOf(record), *record.key_destruction->destroyed_at});
  }
  const auto catalog = catalogs_.Snapshot();
  const auto system = TRY(catalog->System());
  const auto recorder = TRY(provisioning_.delegates.EnsureRecorder(*system, "conductor"));
  const Bytes record = TRY(SignRecord(*recorder, write_(statement), now));
  AuditEvent event = LocalEvent("conductor", "RecordHierarchyDestroyed", now);
  event.hierarchy = destruction.hierarchy.id;
  event.subject = destruction.hierarchy.Name();
  TRY(stores_.hierarchies.RecordHierarchyDestroyed(destruction.hierarchy.id, record, event));
  return catalogs_.Reload();
}

}  // namespace ca
