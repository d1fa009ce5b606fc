#include "tests/fakes/memory_acknowledgement_store.h"

#include <algorithm>
#include <set>

namespace ca::testing {

Result<RecordedDecision> MemoryAcknowledgementStore::Acknowledge(
    const Acknowledgement& acknowledgement, const AuditEvent& event) {
  if (!tables_.HasTrustBundle(acknowledgement.hierarchy, acknowledgement.version)) {
    return Error(StatusCode::kNotFound, "there is no such version");
  }
  const std::lock_guard lock(mutex_);
  int& newest = newest_[acknowledgement.agent];
  newest = std::max(newest, acknowledgement.version);
  events_.Add(event);
  return OnRecord(Ok());
}

Result<std::vector<LiveAgent>> MemoryAcknowledgementStore::LiveAgents(HierarchyId hierarchy,
                                                                      TimePoint now) {
  std::set<SpiffeId> live;
  {
    const std::lock_guard lock(ledger_.mutex_);
    for (const auto& [serial, issuance] : ledger_.issuances_) {
      if (issuance.record.hierarchy == hierarchy && issuance.signature &&
          issuance.record.validity.not_after >= now && !ledger_.revocations_.contains(serial)) {
        live.insert(issuance.record.subject);
      }
    }
  }
  const std::vector<Hierarchy> hierarchies = tables_.Standing();
  const bool is_system =
      std::any_of(hierarchies.begin(), hierarchies.end(),
                  [&](const Hierarchy& other) { return other.id == hierarchy && other.is_system; });
  std::vector<LiveAgent> agents;
  for (const SpiffeId& id : live) {
    const Agent agent = TRY(registry_.FindAgent(hierarchy, id));
    if (is_system && agent.role == "server") continue;
    const std::lock_guard lock(mutex_);
    const auto found = newest_.find(agent.number);
    agents.push_back({id, agent.owner, found == newest_.end() ? 0 : found->second});
  }
  return agents;
}

Result<AcknowledgedCount> MemoryAcknowledgementStore::Count(HierarchyId hierarchy, int version,
                                                            TimePoint now) {
  ++count_count_;
  const std::vector<LiveAgent> agents = TRY(LiveAgents(hierarchy, now));
  return AcknowledgedCount{static_cast<std::int64_t>(agents.size()),
                           std::count_if(agents.begin(), agents.end(), [&](const LiveAgent& agent) {
                             return agent.acknowledged_version >= version;
                           })};
}

Result<std::vector<LiveAgent>> MemoryAcknowledgementStore::ListStragglers(
    const StragglerQuery& query) {
  const std::vector<LiveAgent> agents = TRY(LiveAgents(query.hierarchy, query.now));
  std::vector<LiveAgent> stragglers;
  for (const LiveAgent& agent : agents) {
    if (agent.acknowledged_version >= query.version || agent.id.ToString() <= query.page_token) {
      continue;
    }
    if (static_cast<int>(stragglers.size()) == query.page_size) break;
    stragglers.push_back(agent);
  }
  return stragglers;
}

}  // namespace ca::testing
