#include "tests/fakes/memory_hierarchy_tables.h"

#include <algorithm>

#include "ca/base/rules.h"

namespace ca::testing {

HierarchyDestruction* MemoryHierarchyTables::FindDestruction(HierarchyId hierarchy) {
  const auto found =
      std::find_if(destructions.begin(), destructions.end(),
                   [&](const HierarchyDestruction& d) { return d.hierarchy.id == hierarchy; });
  return found == destructions.end() ? nullptr : &*found;
}

bool MemoryHierarchyTables::IsDestroyed(HierarchyId hierarchy) const {
  return std::any_of(destructions.begin(), destructions.end(), [&](const auto& destruction) {
    return destruction.hierarchy.id == hierarchy;
  });
}

std::int64_t MemoryHierarchyTables::RevokeAll(HierarchyId hierarchy, TimePoint now) {
  std::int64_t revoked = 0;
  for (const AuthorityRecord& authority : Authorities()) {
    if (authority.hierarchy != hierarchy) continue;
    revoked += RevokeIssued(authority, RevocationReason::kCessationOfOperation, now);
  }
  return revoked;
}

std::vector<Hierarchy> MemoryHierarchyTables::Standing() const {
  const std::lock_guard lock(mutex);
  std::vector<Hierarchy> standing = hierarchies;
  std::erase_if(standing, [&](const Hierarchy& hierarchy) { return IsDestroyed(hierarchy.id); });
  return standing;
}

std::vector<AuthorityRecord> MemoryHierarchyTables::Authorities() const {
  const std::lock_guard lock(mutex);
  std::vector<AuthorityRecord> records = authorities;
  for (AuthorityRecord& record : records) {
    const auto signature = signatures.find(record.id);
    if (signature == signatures.end()) continue;
    record.certificate = Certificate{issuances.at(record.id), signature->second.signature}.Der();
    record.published_at = signature->second.at;
  }
  return records;
}

std::int64_t MemoryHierarchyTables::RevokeIssued(const AuthorityRecord& authority,
                                                 RevocationReason reason, TimePoint now) {
  if (!revoke) return 0;
  RevocationOrder order{.hierarchy = authority.hierarchy,
                        .target = AllOfAuthority{authority.id},
                        .reason = reason,
                        .invalidity_date = std::nullopt,
                        .now = now};
  std::int64_t revoked = 0;
  if (authority.kind == AuthorityKind::kIssuing) {
    const auto outcome = revoke(order);
    if (outcome.ok()) revoked = static_cast<std::int64_t>(outcome->revoked_count);
  }
  for (const Issuance& issuance : Issuances()) {
    if (issuance.of.id != authority.id) continue;
    order.target = issuance.record.serial;
    static_cast<void>(revoke(order));  // unless it is a root's, or has ended
  }
  return revoked;
}

bool MemoryHierarchyTables::HasCertificate(AuthorityId authority) const {
  return signatures.contains(authority) ||
         std::any_of(authorities.begin(), authorities.end(), [&](const auto& record) {
           return record.id == authority && record.is_imported;
         });
}

std::vector<Activation> MemoryHierarchyTables::ActivationsOf(HierarchyId hierarchy) const {
  std::vector<Activation> found;
  for (const Activation& activation : activations) {
    if (activation.hierarchy == hierarchy) found.push_back(activation);
  }
  return found;
}

AuthorityRecord& MemoryHierarchyTables::Find(AuthorityId authority) {
  return authorities.at(static_cast<size_t>(authority) - 1);
}

bool MemoryHierarchyTables::IsInUse(const AuthorityRecord& record) const {
  if (IsDestroyed(record.hierarchy)) return false;
  const std::vector<Activation> of_hierarchy = ActivationsOf(record.hierarchy);
  if (!of_hierarchy.empty() && of_hierarchy.back().authority == record.id) return true;
  return std::any_of(authorities.begin(), authorities.end(), [&](const AuthorityRecord& other) {
    return other.kind == AuthorityKind::kIssuing && other.issuer == record.id &&
           !other.key_destruction;
  });
}

bool MemoryHierarchyTables::IsRevoked(AuthorityId authority) const {
  return std::any_of(authorities.begin(), authorities.end(), [&](const auto& record) {
    return record.id == authority && record.taint && record.taint->is_revoked;
  });
}

bool MemoryHierarchyTables::HasTrustBundle(HierarchyId hierarchy, int version) const {
  const std::lock_guard lock(mutex);
  return std::any_of(bundles.begin(), bundles.end(), [&](const TrustBundleRecord& bundle) {
    return bundle.hierarchy == hierarchy && bundle.version == version;
  });
}

Status MemoryHierarchyTables::CheckActive(HierarchyId hierarchy, AuthorityId authority) const {
  const std::lock_guard lock(mutex);
  const std::vector<Activation> of_hierarchy = ActivationsOf(hierarchy);
  const bool issues = !of_hierarchy.empty() && of_hierarchy.back().authority == authority;
  if (issues && !IsDestroyed(hierarchy) && !IsRevoked(authority)) return Ok();
  return Refusal<kAuthoritySuperseded>();
}

std::vector<MemoryHierarchyTables::Issuance> MemoryHierarchyTables::Issuances() const {
  const std::lock_guard lock(mutex);
  std::vector<Issuance> all;
  for (const AuthorityRecord& of : authorities) {
    const auto found = issuances.find(of.id);
    if (found != issuances.end()) all.push_back({of, found->second, signatures.contains(of.id)});
  }
  return all;
}

}  // namespace ca::testing
