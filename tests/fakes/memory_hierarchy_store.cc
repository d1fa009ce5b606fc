#include "tests/fakes/memory_hierarchy_store.h"

#include <algorithm>

#include "ca/base/random.h"
#include "ca/base/rules.h"

namespace ca::testing {

Result<Hierarchy> MemoryHierarchyStore::CreateHierarchy(const Hierarchy& hierarchy,
                                                        const AuditEvent& event) {
  const std::lock_guard lock(mutex_);
  for (const Hierarchy& other : hierarchies_) {
    if (IsDestroyed(other.id)) continue;
    if (other.Name() == hierarchy.Name() || other.trust_domain == hierarchy.trust_domain ||
        (other.is_system && hierarchy.is_system)) {
      return Error(StatusCode::kAlreadyExists, "hierarchy {} exists already", hierarchy.Name());
    }
  }
  Hierarchy created = hierarchy;
  created.id = static_cast<HierarchyId>(hierarchies_.size() + 1);
  hierarchies_.push_back(created);
  AuditEvent told = event;
  told.hierarchy = created.id;
  events_.Add(std::move(told));
  return created;
}

Result<std::vector<Hierarchy>> MemoryHierarchyStore::LoadHierarchies() {
  const std::lock_guard lock(mutex_);
  std::vector<Hierarchy> standing = hierarchies_;
  std::erase_if(standing, [&](const Hierarchy& hierarchy) { return IsDestroyed(hierarchy.id); });
  return standing;
}

Status MemoryHierarchyStore::ChangeHierarchy(const Hierarchy& standing, const Hierarchy& wanted,
                                             const AuditEvent& event) {
  const std::lock_guard lock(mutex_);
  const auto found = std::find(hierarchies_.begin(), hierarchies_.end(), standing);
  if (found == hierarchies_.end() || IsDestroyed(standing.id)) {
    return Error(StatusCode::kAborted, "{} was changed by somebody else", standing.Name());
  }
  for (const CertificateProfile& profile : standing.profiles) {
    if (wanted.FindProfile(profile.name).ok() || !profiles_in_use_) continue;
    if (profiles_in_use_(standing.id).contains(profile.name)) {
      return Refusal<kProfileInUse>(profile.name, standing.Name());
    }
  }
  TRY(events_.UseApproval(event));
  *found = wanted;
  found->id = standing.id;
  AuditEvent told = event;
  told.hierarchy = standing.id;
  events_.Add(std::move(told));
  return Ok();
}

// ---- destroying ---------------------------------------------------------------------------------

HierarchyDestruction* MemoryHierarchyStore::FindDestruction(HierarchyId hierarchy) {
  const auto found =
      std::find_if(destructions_.begin(), destructions_.end(),
                   [&](const HierarchyDestruction& d) { return d.hierarchy.id == hierarchy; });
  return found == destructions_.end() ? nullptr : &*found;
}

bool MemoryHierarchyStore::IsDestroyed(HierarchyId hierarchy) const {
  return std::any_of(destructions_.begin(), destructions_.end(), [&](const auto& destruction) {
    return destruction.hierarchy.id == hierarchy;
  });
}

Result<HierarchyDestruction> MemoryHierarchyStore::DestroyHierarchy(HierarchyId hierarchy,
                                                                    const std::string& reason,
                                                                    const AuditEvent& event) {
  AuditEvent told = event;
  told.hierarchy = hierarchy;
  {
    const std::lock_guard lock(mutex_);
    if (HierarchyDestruction* const before = FindDestruction(hierarchy)) {
      TRY(events_.UseApproval(event));
      told.rule = kReplay.name;
      events_.Add(std::move(told));
      return *before;
    }
    const auto found = std::find_if(hierarchies_.begin(), hierarchies_.end(),
                                    [&](const Hierarchy& h) { return h.id == hierarchy; });
    if (found == hierarchies_.end()) return Error(StatusCode::kNotFound, "no such hierarchy");
    if (found->is_system) {
      return Refusal<kHierarchySystem>(found->Name(), "it cannot be destroyed");
    }
    TRY(events_.UseApproval(event));
    destructions_.push_back({.hierarchy = *found,
                             .reason = reason,
                             .decided_by = event.actor,
                             .decided_at = event.at,
                             .finished_at = std::nullopt});
    events_.Add(std::move(told));
  }
  const std::int64_t revoked = RevokeAll(hierarchy, event.at);
  const std::lock_guard lock(mutex_);
  HierarchyDestruction& destruction = *FindDestruction(hierarchy);
  destruction.revoked_count = revoked;
  return destruction;
}

std::int64_t MemoryHierarchyStore::RevokeAll(HierarchyId hierarchy, TimePoint now) {
  std::int64_t revoked = 0;
  for (const AuthorityRecord& authority : Copy()) {
    if (authority.hierarchy != hierarchy) continue;
    revoked += RevokeIssued(authority, RevocationReason::kCessationOfOperation, now);
  }
  return revoked;
}

std::vector<AuthorityRecord> MemoryHierarchyStore::Copy() const {
  const std::lock_guard lock(mutex_);
  return authorities_;
}

std::int64_t MemoryHierarchyStore::RevokeIssued(const AuthorityRecord& authority,
                                                RevocationReason reason, TimePoint now) {
  if (!revoke_) return 0;
  RevocationOrder order{.hierarchy = authority.hierarchy,
                        .target = AllOfAuthority{authority.id},
                        .reason = reason,
                        .invalidity_date = std::nullopt,
                        .now = now};
  std::int64_t revoked = 0;
  if (authority.kind == AuthorityKind::kIssuing) {
    const auto outcome = revoke_(order);
    if (outcome.ok()) revoked = static_cast<std::int64_t>(outcome->revoked_count);
  }
  for (const Issuance& issuance : Issuances()) {
    if (issuance.of.id != authority.id) continue;
    order.target = issuance.record.serial;
    static_cast<void>(revoke_(order));  // unless it is a root's, or has ended
  }
  return revoked;
}

Result<std::vector<HierarchyDestruction>> MemoryHierarchyStore::LoadDestructions() {
  const std::lock_guard lock(mutex_);
  return destructions_;
}

Result<std::vector<HierarchyDestruction>> MemoryHierarchyStore::FindDestructions(
    const std::string& name, int limit) {
  const std::lock_guard lock(mutex_);
  std::vector<HierarchyDestruction> found;
  for (auto at = destructions_.rbegin(); at != destructions_.rend(); ++at) {
    if (static_cast<int>(found.size()) == limit) break;
    if (name.empty() || at->hierarchy.Name() == name) found.push_back(*at);
  }
  return found;
}

Status MemoryHierarchyStore::RecordHierarchyDestroyed(HierarchyId hierarchy, const Bytes& record,
                                                      const AuditEvent& event) {
  const std::lock_guard lock(mutex_);
  HierarchyDestruction* const destruction = FindDestruction(hierarchy);
  const bool has_key = std::any_of(authorities_.begin(), authorities_.end(), [&](const auto& of) {
    return of.hierarchy == hierarchy && of.HasOwnKey() &&
           !(of.key_destruction && of.key_destruction->destroyed_at);
  });
  if (!destruction || has_key) return Error(StatusCode::kFailedPrecondition, "a key is left");
  if (destruction->finished_at) return Ok();
  destruction->finished_at = event.at;
  destruction->record = record;
  AuditEvent told = event;
  told.hierarchy = hierarchy;
  events_.Add(std::move(told));
  return Ok();
}

// ---- authorities --------------------------------------------------------------------------------

Result<std::vector<AuthorityRecord>> MemoryHierarchyStore::LoadAuthorities() {
  const std::lock_guard lock(mutex_);
  std::vector<AuthorityRecord> records = authorities_;
  for (AuthorityRecord& record : records) {
    const auto signature = signatures_.find(record.id);
    if (signature == signatures_.end()) continue;
    record.certificate = Certificate{issuances_.at(record.id), signature->second.signature}.Der();
    record.published_at = signature->second.at;
  }
  return records;
}

Result<AuthorityRecord> MemoryHierarchyStore::PlanAuthority(const Hierarchy& hierarchy,
                                                            AuthorityKind kind, int generation,
                                                            AuthorityId issuer,
                                                            const AuditEvent& event) {
  const std::lock_guard lock(mutex_);
  if (IsDestroyed(hierarchy.id)) {
    return Refusal<kHierarchyDestroyed>(hierarchy.Name());
  }
  std::string key_label;
  if (kind != AuthorityKind::kLink) {
    key_label =
        fmt::format("{}/{}/{}-{}", hierarchy.Name(), NameOf(kind), generation, Hex(RandomBytes(4)));
  }
  for (const AuthorityRecord& other : authorities_) {
    if (other.hierarchy != hierarchy.id || other.generation != generation) continue;
    if (other.kind == kind) return Error(StatusCode::kAborted, "planned by somebody else");
    if (kind == AuthorityKind::kLink && other.kind == AuthorityKind::kRoot) {
      key_label = other.key_label;
    }
  }
  if (key_label.empty()) return Error(StatusCode::kInternal, "a link to no root");
  TRY(events_.UseApproval(event));
  const auto id = static_cast<AuthorityId>(authorities_.size() + 1);
  AuthorityRecord record{
      .id = id,
      .hierarchy = hierarchy.id,
      .kind = kind,
      .generation = generation,
      .issuer = issuer == AuthorityId{} ? id : issuer,
      .key_label = std::move(key_label),
  };
  authorities_.push_back(record);
  AuditEvent told = event;
  told.hierarchy = hierarchy.id;
  events_.Add(std::move(told));
  return record;
}

Result<RecordedIssuance> MemoryHierarchyStore::RecordAuthority(AuthorityId authority,
                                                               PreparedCertificate prepared,
                                                               const AuditEvent& event) {
  const std::lock_guard lock(mutex_);
  const auto [standing, is_new] = issuances_.try_emplace(authority, prepared.record());
  if (!is_new) return Recorded(standing->second);
  AuditEvent told = event;
  told.hierarchy = prepared.record().hierarchy;
  events_.Add(std::move(told));
  return Recorded(std::move(prepared));
}

Result<Certificate> MemoryHierarchyStore::RecordAuthorityCertificate(AuthorityId authority,
                                                                     const Certificate& certificate,
                                                                     TimePoint now) {
  const std::lock_guard lock(mutex_);
  const auto issuance = issuances_.find(authority);
  if (issuance == issuances_.end()) {
    return Error(StatusCode::kInternal, "signed but never recorded");
  }
  const auto [standing, is_new] =
      signatures_.try_emplace(authority, Signature{certificate.signature, now});
  return Certificate{issuance->second, standing->second.signature};
}

bool MemoryHierarchyStore::HasCertificate(AuthorityId authority) const {
  return signatures_.contains(authority) ||
         std::any_of(authorities_.begin(), authorities_.end(), [&](const auto& record) {
           return record.id == authority && record.is_imported;
         });
}

Result<AuthorityRecord> MemoryHierarchyStore::AdoptRoot(const Hierarchy& hierarchy, int generation,
                                                        const Bytes& certificate,
                                                        const AuditEvent& event) {
  const std::lock_guard lock(mutex_);
  if (IsDestroyed(hierarchy.id)) {
    return Refusal<kHierarchyDestroyed>(hierarchy.Name());
  }
  for (const AuthorityRecord& other : authorities_) {
    if (other.hierarchy != hierarchy.id || other.generation != generation) continue;
    if (other.kind == AuthorityKind::kRoot) return Error(StatusCode::kAborted, "adopted just now");
  }
  const auto id = static_cast<AuthorityId>(authorities_.size() + 1);
  authorities_.push_back({
      .id = id,
      .hierarchy = hierarchy.id,
      .kind = AuthorityKind::kRoot,
      .generation = generation,
      .issuer = id,
      .key_label = "",
      .certificate = certificate,
      .is_imported = true,
      .intermediates = {},
      .published_at = event.at,
  });
  AuditEvent told = event;
  told.hierarchy = hierarchy.id;
  events_.Add(std::move(told));
  return authorities_.back();
}

Status MemoryHierarchyStore::ImportCertificate(AuthorityId authority,
                                               const ExternalCertificate& certificate,
                                               AuthorityId root, const AuditEvent& event) {
  const std::lock_guard lock(mutex_);
  AuthorityRecord& record = Find(authority);
  if (record.is_imported) return Error(StatusCode::kAborted, "imported just now");
  record.certificate = certificate.certificate;
  record.is_imported = true;
  record.intermediates = certificate.intermediates;
  record.issuer = root;
  record.published_at = event.at;
  AuditEvent told = event;
  told.hierarchy = record.hierarchy;
  events_.Add(std::move(told));
  return Ok();
}

Result<std::vector<Activation>> MemoryHierarchyStore::LoadActivations() {
  const std::lock_guard lock(mutex_);
  std::vector<Activation> activations;
  for (const Hierarchy& hierarchy : hierarchies_) {
    for (const Activation& activation : ActivationsOf(hierarchy.id)) {
      activations.push_back(activation);
    }
  }
  return activations;
}

std::vector<Activation> MemoryHierarchyStore::ActivationsOf(HierarchyId hierarchy) const {
  std::vector<Activation> found;
  for (const Activation& activation : activations_) {
    if (activation.hierarchy == hierarchy) found.push_back(activation);
  }
  return found;
}

Status MemoryHierarchyStore::Activate(const Activation& activation, const AuditEvent& event) {
  const std::lock_guard lock(mutex_);
  const int last = static_cast<int>(ActivationsOf(activation.hierarchy).size());
  if (activation.sequence != last + 1 || !HasCertificate(activation.authority) ||
      Find(activation.authority).key_destruction || Find(activation.authority).taint ||
      IsDestroyed(activation.hierarchy)) {
    return Error(StatusCode::kAborted, "activated by somebody else");
  }
  activations_.push_back(activation);
  AuditEvent told = event;
  told.hierarchy = activation.hierarchy;
  events_.Add(std::move(told));
  return Ok();
}

AuthorityRecord& MemoryHierarchyStore::Find(AuthorityId authority) {
  return authorities_.at(static_cast<size_t>(authority) - 1);
}

bool MemoryHierarchyStore::IsInUse(const AuthorityRecord& record) const {
  if (IsDestroyed(record.hierarchy)) return false;
  const std::vector<Activation> activations = ActivationsOf(record.hierarchy);
  if (!activations.empty() && activations.back().authority == record.id) return true;
  return std::any_of(authorities_.begin(), authorities_.end(), [&](const AuthorityRecord& other) {
    return other.kind == AuthorityKind::kIssuing && other.issuer == record.id &&
           !other.key_destruction;
  });
}

bool MemoryHierarchyStore::IsRevoked(AuthorityId authority) const {
  return std::any_of(authorities_.begin(), authorities_.end(), [&](const auto& record) {
    return record.id == authority && record.taint && record.taint->is_revoked;
  });
}

Status MemoryHierarchyStore::TaintAuthority(AuthorityId authority, const std::string& reason,
                                            const AuditEvent& event) {
  const std::lock_guard lock(mutex_);
  AuthorityRecord& record = Find(authority);
  if (record.taint) return Ok();
  record.taint = {reason, event.at, false};
  AuditEvent told = event;
  told.hierarchy = record.hierarchy;
  events_.Add(std::move(told));
  return Ok();
}

Result<std::int64_t> MemoryHierarchyStore::RevokeAuthority(AuthorityId authority,
                                                           RevocationReason reason,
                                                           const std::string& note,
                                                           const AuditEvent& event) {
  AuditEvent told = event;
  AuthorityRecord revoked;
  {
    const std::lock_guard lock(mutex_);
    AuthorityRecord& record = Find(authority);
    TRY(events_.UseApproval(event));
    if (!record.taint || !record.taint->is_revoked) {
      record.taint = {note, record.taint ? record.taint->at : event.at, true};
    }
    told.hierarchy = record.hierarchy;
    events_.Add(std::move(told));
    revoked = record;
  }
  return RevokeIssued(revoked, reason, event.at);
}

Status MemoryHierarchyStore::DecideKeyDestruction(AuthorityId authority, int last_sequence,
                                                  std::string_view reason,
                                                  const AuditEvent& event) {
  const std::lock_guard lock(mutex_);
  AuthorityRecord& record = Find(authority);
  if (record.key_destruction) return Ok();
  if (IsInUse(record)) {
    return WithCode(StatusCode::kFailedPrecondition, Refusal<kKeyInUse>(record.key_label));
  }
  if (static_cast<int>(ActivationsOf(record.hierarchy).size()) != last_sequence) {
    return Error(StatusCode::kAborted, "activated by somebody else");
  }
  record.key_destruction = {std::string(reason), event.at, std::nullopt};
  AuditEvent told = event;
  told.hierarchy = record.hierarchy;
  events_.Add(std::move(told));
  return Ok();
}

Status MemoryHierarchyStore::RecordKeyDestroyed(AuthorityId authority, const AuditEvent& event) {
  const std::lock_guard lock(mutex_);
  AuthorityRecord& record = Find(authority);
  if (!record.key_destruction) return Error(StatusCode::kFailedPrecondition, "not decided");
  if (record.key_destruction->destroyed_at) return Ok();
  record.key_destruction->destroyed_at = event.at;
  AuditEvent told = event;
  told.hierarchy = record.hierarchy;
  events_.Add(std::move(told));
  return Ok();
}

Result<std::vector<TrustBundleRecord>> MemoryHierarchyStore::LoadTrustBundles() {
  const std::lock_guard lock(mutex_);
  std::vector<TrustBundleRecord> bundles = bundles_;
  std::stable_sort(bundles.begin(), bundles.end(),
                   [](const TrustBundleRecord& a, const TrustBundleRecord& b) {
                     return a.hierarchy < b.hierarchy;
                   });
  return bundles;
}

Status MemoryHierarchyStore::PublishTrustBundle(const TrustBundleRecord& bundle,
                                                const AuditEvent& event) {
  const std::lock_guard lock(mutex_);
  const auto last = std::count_if(
      bundles_.begin(), bundles_.end(),
      [&](const TrustBundleRecord& other) { return other.hierarchy == bundle.hierarchy; });
  if (bundle.version != last + 1) return Error(StatusCode::kAborted, "published by somebody else");
  bundles_.push_back(bundle);
  AuditEvent told = event;
  told.hierarchy = bundle.hierarchy;
  events_.Add(std::move(told));
  return Ok();
}

bool MemoryHierarchyStore::HasTrustBundle(HierarchyId hierarchy, int version) const {
  const std::lock_guard lock(mutex_);
  return std::any_of(bundles_.begin(), bundles_.end(), [&](const TrustBundleRecord& bundle) {
    return bundle.hierarchy == hierarchy && bundle.version == version;
  });
}

Status MemoryHierarchyStore::CheckActive(HierarchyId hierarchy, AuthorityId authority) const {
  const std::lock_guard lock(mutex_);
  const std::vector<Activation> activations = ActivationsOf(hierarchy);
  const bool issues = !activations.empty() && activations.back().authority == authority;
  if (issues && !IsDestroyed(hierarchy) && !IsRevoked(authority)) return Ok();
  return Refusal<kAuthoritySuperseded>();
}

std::vector<MemoryHierarchyStore::Issuance> MemoryHierarchyStore::Issuances() const {
  const std::lock_guard lock(mutex_);
  std::vector<Issuance> all;
  for (const AuthorityRecord& of : authorities_) {
    const auto found = issuances_.find(of.id);
    if (found != issuances_.end()) all.push_back({of, found->second, signatures_.contains(of.id)});
  }
  return all;
}

}  // namespace ca::testing
