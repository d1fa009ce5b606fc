#include "tests/fakes/memory_registry.h"

#include <algorithm>

#include "ca/base/rules.h"

namespace ca::testing {
namespace {

Status NotRegistered(const SpiffeId& id) {
  return Error(StatusCode::kNotFound, "agent {} is not registered", id.ToString());
}

bool IsFull(size_t size, int page_size) { return size >= static_cast<size_t>(page_size); }

}  // namespace

Status MemoryRegistry::CheckThere() const {
  return is_away_ ? Error(StatusCode::kUnavailable, "the database is away; retry") : Ok();
}

// ---- agents -------------------------------------------------------------------------------------

Agent* MemoryRegistry::Find(const SpiffeId& id) {
  const auto found = agents_.find(id);
  return found == agents_.end() ? nullptr : &found->second;
}

Result<Recorded<Agent>> MemoryRegistry::RegisterAgent(const Agent& agent, const AuditEvent& event) {
  const std::lock_guard lock(mutex_);
  const Agent* const other = Find(agent.id);
  // Agents of a destroyed hierarchy do not count: its trust domain may be another's now.
  if (other && other->hierarchy == agent.hierarchy) {
    return Refusal<kAgentExists>(agent.id.ToString());
  }
  Agent registered = agent;
  registered.number = static_cast<AgentNumber>(++agent_count_);
  agents_.insert_or_assign(agent.id, registered);
  events_.Add(event);
  return OnRecord(Result<Agent>(registered));
}

Result<Agent> MemoryRegistry::FindAgent(HierarchyId hierarchy, const SpiffeId& id) {
  TRY(CheckThere());
  const std::lock_guard lock(mutex_);
  const Agent* const agent = Find(id);
  if (!agent || agent->hierarchy != hierarchy) return NotRegistered(id);
  return *agent;
}

Result<std::int64_t> MemoryRegistry::CountAgents(HierarchyId hierarchy) {
  TRY(CheckThere());
  const std::lock_guard lock(mutex_);
  return std::count_if(agents_.begin(), agents_.end(),
                       [&](const auto& entry) { return entry.second.hierarchy == hierarchy; });
}

Result<std::vector<Agent>> MemoryRegistry::ListAgents(const AgentQuery& query) {
  const std::lock_guard lock(mutex_);
  std::vector<Agent> page;
  for (const auto& [id, agent] : agents_) {
    if (IsFull(page.size(), query.page_size)) break;
    if (agent.hierarchy != query.hierarchy || id.ToString() <= query.page_token) continue;
    if (query.owner.empty() || agent.owner == query.owner) page.push_back(agent);
  }
  return page;
}

std::set<std::string> MemoryRegistry::ProfilesOf(HierarchyId hierarchy) {
  const std::lock_guard lock(mutex_);
  std::set<std::string> profiles;
  for (const auto& [id, agent] : agents_) {
    if (agent.hierarchy == hierarchy) profiles.insert(agent.profile);
  }
  return profiles;
}

void MemoryRegistry::Disable(const SpiffeId& id) {
  const std::lock_guard lock(mutex_);
  agents_.at(id).disabled = true;
}

// ---- join tokens --------------------------------------------------------------------------------

JoinTokenRecord* MemoryRegistry::FindToken(HierarchyId hierarchy, const std::string& id) {
  for (auto& [hash, token] : tokens_) {
    if (token.Id() == id && agents_.at(token.agent).hierarchy == hierarchy) return &token;
  }
  return nullptr;
}

Result<RecordedDecision> MemoryRegistry::CreateJoinToken(HierarchyId hierarchy,
                                                         const JoinTokenRecord& token,
                                                         const AuditEvent& event) {
  const std::lock_guard lock(mutex_);
  const Agent* const agent = Find(token.agent);
  if (!agent || agent->hierarchy != hierarchy) return NotRegistered(token.agent);
  tokens_.emplace(token.secret_hash, token);
  events_.Add(event);
  return OnRecord(Ok());
}

Result<Registry::Invitation> MemoryRegistry::FindInvitation(const Bytes& secret_hash) {
  TRY(CheckThere());
  const std::lock_guard lock(mutex_);
  const auto token = tokens_.find(secret_hash);
  if (token == tokens_.end()) return Error(StatusCode::kNotFound, "no such join token");
  return Invitation{token->second, agents_.at(token->second.agent)};
}

Result<std::vector<JoinTokenRecord>> MemoryRegistry::ListJoinTokens(const JoinTokenQuery& query) {
  const std::lock_guard lock(mutex_);
  std::vector<JoinTokenRecord> page;
  for (const auto& [hash, token] : tokens_) {
    if (IsFull(page.size(), query.page_size)) break;
    if (agents_.at(token.agent).hierarchy != query.hierarchy) continue;
    if (token.Id() <= query.page_token || (query.agent && token.agent != *query.agent)) continue;
    page.push_back(token);
  }
  return page;
}

Result<Recorded<JoinTokenRecord>> MemoryRegistry::RevokeJoinToken(HierarchyId hierarchy,
                                                                  const std::string& id,
                                                                  TimePoint now,
                                                                  const AuditEvent& event) {
  const std::lock_guard lock(mutex_);
  JoinTokenRecord* const token = FindToken(hierarchy, id);
  if (!token) return Error(StatusCode::kNotFound, "no join token has the id {}", id);
  if (!token->used_by_request.empty()) {
    return WithCode(StatusCode::kFailedPrecondition, Refusal<kJoinTokenUsed>(id));
  }
  if (token->revoked_at == TimePoint{}) token->revoked_at = now;
  events_.Add(event);
  return OnRecord(Result<JoinTokenRecord>(*token));
}

// ---- grants -------------------------------------------------------------------------------------

Result<std::vector<Grant>> MemoryRegistry::FindGrants(const SpiffeId& operator_id) {
  TRY(CheckThere());
  const std::vector<Hierarchy> hierarchies = tables_.Standing();
  const std::lock_guard lock(mutex_);
  const Agent* const agent = Find(operator_id);
  const bool is_operator =
      agent && !agent->disabled &&
      std::any_of(hierarchies.begin(), hierarchies.end(), [&](const Hierarchy& hierarchy) {
        return hierarchy.is_system && hierarchy.id == agent->hierarchy;
      });
  std::vector<Grant> found;
  if (!is_operator) return found;
  for (const Grant& grant : grants_[operator_id]) {
    const size_t before = found.size();
    for (const Hierarchy& hierarchy : hierarchies) {
      if (grant.tenant != hierarchy.tenant) continue;
      found.push_back({grant.role, hierarchy.id, grant.tenant});
    }
    if (found.size() == before) found.push_back(grant);
  }
  return found;
}

Result<RecordedDecision> MemoryRegistry::AddGrant(const SpiffeId& operator_id, const Grant& grant,
                                                  const AuditEvent& event) {
  const std::lock_guard lock(mutex_);
  const Agent* const agent = Find(operator_id);
  if (!agent || agent->hierarchy != event.hierarchy) return NotRegistered(operator_id);
  TRY(events_.UseApproval(event));
  std::vector<Grant>& grants = grants_[operator_id];
  if (std::find(grants.begin(), grants.end(), grant) == grants.end()) grants.push_back(grant);
  events_.Add(event);
  return OnRecord(Ok());
}

Result<RecordedDecision> MemoryRegistry::RemoveGrant(const SpiffeId& operator_id,
                                                     const Grant& grant, const AuditEvent& event) {
  const std::lock_guard lock(mutex_);
  const Agent* const agent = Find(operator_id);
  if (!agent || agent->hierarchy != event.hierarchy) return NotRegistered(operator_id);
  TRY(events_.UseApproval(event));
  std::erase(grants_[operator_id], grant);
  events_.Add(event);
  return OnRecord(Ok());
}

Result<std::vector<OperatorGrant>> MemoryRegistry::ListGrants() {
  const std::lock_guard lock(mutex_);
  std::vector<OperatorGrant> all;
  for (const auto& [operator_id, grants] : grants_) {
    for (const Grant& grant : grants) all.push_back({operator_id, grant});
  }
  return all;
}

// ---- for the ledger -----------------------------------------------------------------------------

Status MemoryRegistry::CheckAgent(const IssuanceRecord& record) {
  TRY(tables_.CheckActive(record.hierarchy, record.authority));
  const std::lock_guard lock(mutex_);
  const Agent* const agent = Find(record.subject);
  if (!agent || agent->number != record.agent || agent->hierarchy != record.hierarchy) {
    return Refusal<kAgentUnknown>(record.subject.ToString());
  }
  return agent->disabled ? Refusal<kAgentDisabled>(record.subject.ToString()) : Ok();
}

Status MemoryRegistry::CheckTokenLocked(const Bytes& secret_hash, const IssuanceRecord& record,
                                        TimePoint now) {
  const auto token = tokens_.find(secret_hash);
  if (token == tokens_.end()) return Refusal<kJoinTokenUnknown>();
  const Agent& invited = agents_.at(token->second.agent);
  if (invited.hierarchy != record.hierarchy) return Refusal<kJoinTokenUnknown>();
  if (invited.number != record.agent) {
    return Refusal<kJoinTokenAgent>(record.subject.ToString());
  }
  switch (token->second.StateAt(now)) {
    case JoinTokenRecord::State::kReady:
      return Ok();
    case JoinTokenRecord::State::kUsed:
      return Refusal<kJoinTokenUsed>("ask for a new one");
    case JoinTokenRecord::State::kExpired:
      return Refusal<kJoinTokenExpired>(Rfc3339(token->second.expires_at));
    case JoinTokenRecord::State::kRevoked:
      return Refusal<kJoinTokenRevoked>();
  }
  return Error(StatusCode::kInternal, "a join token in no state");
}

Status MemoryRegistry::CheckJoinToken(const Bytes& secret_hash, const IssuanceRecord& record,
                                      TimePoint now) {
  const std::lock_guard lock(mutex_);
  return CheckTokenLocked(secret_hash, record, now);
}

Status MemoryRegistry::UseJoinToken(const Bytes& secret_hash, const IssuanceRecord& record,
                                    const RequestId& request, TimePoint now) {
  const std::lock_guard lock(mutex_);
  TRY(CheckTokenLocked(secret_hash, record, now));
  JoinTokenRecord& token = tokens_.at(secret_hash);
  token.used_by_request = request.ToString();
  token.used_at = now;
  return Ok();
}

}  // namespace ca::testing
