#include "tests/fakes/memory_hierarchy_store.h"

#include <algorithm>

#include "ca/base/rules.h"

namespace ca::testing {

Result<Hierarchy> MemoryHierarchyStore::CreateHierarchy(const Hierarchy& hierarchy,
                                                        const AuditEvent& event) {
  const std::lock_guard lock(tables_.mutex);
  for (const Hierarchy& other : tables_.hierarchies) {
    if (tables_.IsDestroyed(other.id)) continue;
    if (other.Name() == hierarchy.Name() || other.trust_domain == hierarchy.trust_domain ||
        (other.is_system && hierarchy.is_system)) {
      return Error(StatusCode::kAlreadyExists, "hierarchy {} exists already", hierarchy.Name());
    }
  }
  Hierarchy created = hierarchy;
  created.id = static_cast<HierarchyId>(tables_.hierarchies.size() + 1);
  tables_.hierarchies.push_back(created);
  events_.AddIn(created.id, event);
  return created;
}

Result<std::vector<Hierarchy>> MemoryHierarchyStore::LoadHierarchies() {
  return tables_.Standing();
}

Status MemoryHierarchyStore::ChangeHierarchy(const Hierarchy& standing, const Hierarchy& wanted,
                                             const AuditEvent& event) {
  const std::lock_guard lock(tables_.mutex);
  const auto found = std::find(tables_.hierarchies.begin(), tables_.hierarchies.end(), standing);
  if (found == tables_.hierarchies.end() || tables_.IsDestroyed(standing.id)) {
    return Error(StatusCode::kAborted, "{} was changed by somebody else", standing.Name());
  }
  for (const CertificateProfile& profile : standing.profiles) {
    if (wanted.FindProfile(profile.name).ok() || !tables_.profiles_in_use) continue;
    if (tables_.profiles_in_use(standing.id).contains(profile.name)) {
      return Refusal<kProfileInUse>(profile.name, standing.Name());
    }
  }
  TRY(events_.UseApproval(event));
  *found = wanted;
  found->id = standing.id;
  events_.AddIn(standing.id, event);
  return Ok();
}

Result<Recorded<HierarchyDestruction>> MemoryHierarchyStore::DestroyHierarchy(
    HierarchyId hierarchy, const std::string& reason, const AuditEvent& event) {
  AuditEvent told = event;
  told.hierarchy = hierarchy;
  {
    const std::lock_guard lock(tables_.mutex);
    if (HierarchyDestruction* const before = tables_.FindDestruction(hierarchy)) {
      TRY(events_.UseApproval(event));
      told.rule = kReplay.name;
      events_.Add(std::move(told));
      return OnRecord(Result<HierarchyDestruction>(*before));
    }
    const auto found = std::find_if(tables_.hierarchies.begin(), tables_.hierarchies.end(),
                                    [&](const Hierarchy& h) { return h.id == hierarchy; });
    if (found == tables_.hierarchies.end())
      return Error(StatusCode::kNotFound, "no such hierarchy");
    if (found->is_system) {
      return Refusal<kHierarchySystem>(found->Name(), "it cannot be destroyed");
    }
    TRY(events_.UseApproval(event));
    tables_.destructions.push_back({.hierarchy = *found,
                                    .reason = reason,
                                    .decided_by = event.actor,
                                    .decided_at = event.at,
                                    .finished_at = std::nullopt});
    events_.Add(std::move(told));
  }
  const std::int64_t revoked = tables_.RevokeAll(hierarchy, event.at);
  const std::lock_guard lock(tables_.mutex);
  HierarchyDestruction& destruction = *tables_.FindDestruction(hierarchy);
  destruction.revoked_count = revoked;
  return OnRecord(Result<HierarchyDestruction>(destruction));
}

Result<std::vector<HierarchyDestruction>> MemoryHierarchyStore::LoadDestructions() {
  const std::lock_guard lock(tables_.mutex);
  return tables_.destructions;
}

Result<std::vector<HierarchyDestruction>> MemoryHierarchyStore::FindDestructions(
    const std::string& name, int limit) {
  const std::lock_guard lock(tables_.mutex);
  std::vector<HierarchyDestruction> found;
  for (auto at = tables_.destructions.rbegin(); at != tables_.destructions.rend(); ++at) {
    if (static_cast<int>(found.size()) == limit) break;
    if (name.empty() || at->hierarchy.Name() == name) found.push_back(*at);
  }
  return found;
}

Status MemoryHierarchyStore::RecordHierarchyDestroyed(HierarchyId hierarchy, const Bytes& record,
                                                      const AuditEvent& event) {
  const std::lock_guard lock(tables_.mutex);
  HierarchyDestruction* const destruction = tables_.FindDestruction(hierarchy);
  const bool has_key =
      std::any_of(tables_.authorities.begin(), tables_.authorities.end(), [&](const auto& of) {
        return of.hierarchy == hierarchy && of.HasOwnKey() &&
               !(of.key_destruction && of.key_destruction->destroyed_at);
      });
  if (!destruction || has_key) return Error(StatusCode::kFailedPrecondition, "a key is left");
  if (destruction->finished_at) return Ok();
  destruction->finished_at = event.at;
  destruction->record = record;
  events_.AddIn(hierarchy, event);
  return Ok();
}

}  // namespace ca::testing
