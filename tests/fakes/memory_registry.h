#pragma once

#include <atomic>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "ca/base/request_id.h"
#include "ca/issuance/issuance.h"
#include "ca/ports/registry.h"
#include "tests/fakes/event_log.h"
#include "tests/fakes/memory_hierarchy_tables.h"

namespace ca::testing {

// The contract of ca/ports/registry.h in memory. tests/contract tests both implementations.
class MemoryRegistry final : public Registry {
 public:
  MemoryRegistry(MemoryHierarchyTables& tables, EventLog& events)
      : tables_(tables), events_(events) {
    tables.AskForProfiles([this](HierarchyId hierarchy) { return ProfilesOf(hierarchy); });
  }

  Result<Recorded<Agent>> RegisterAgent(const Agent& agent, const AuditEvent& event) override;
  Result<Agent> FindAgent(HierarchyId hierarchy, const SpiffeId& id) override;
  Result<std::vector<Agent>> ListAgents(const AgentQuery& query) override;
  Result<std::int64_t> CountAgents(HierarchyId hierarchy) override;
  Result<RecordedDecision> CreateJoinToken(HierarchyId hierarchy, const JoinTokenRecord& token,
                                           const AuditEvent& event) override;
  Result<Invitation> FindInvitation(const Bytes& secret_hash) override;
  Result<std::vector<JoinTokenRecord>> ListJoinTokens(const JoinTokenQuery& query) override;
  Result<Recorded<JoinTokenRecord>> RevokeJoinToken(HierarchyId hierarchy, const std::string& id,
                                                    TimePoint now,
                                                    const AuditEvent& event) override;
  Result<std::vector<Grant>> FindGrants(const SpiffeId& operator_id) override;
  Result<RecordedDecision> AddGrant(const SpiffeId& operator_id, const Grant& grant,
                                    const AuditEvent& event) override;
  Result<RecordedDecision> RemoveGrant(const SpiffeId& operator_id, const Grant& grant,
                                       const AuditEvent& event) override;
  Result<std::vector<OperatorGrant>> ListGrants() override;

  // As an operator does it in the database; no use case does it yet.
  void Disable(const SpiffeId& id);

  // From now on every lookup for a request fails, as while the database is unavailable.
  void TakeAway() { is_away_ = true; }

  // For the ledger, which shares the database: whether the agent may have a certificate by this
  // token, and its use, which only one request can make.
  Status CheckAgent(const IssuanceRecord& record);
  Status CheckJoinToken(const Bytes& secret_hash, const IssuanceRecord& record, TimePoint now);
  Status UseJoinToken(const Bytes& secret_hash, const IssuanceRecord& record,
                      const RequestId& request, TimePoint now);

 private:
  std::set<std::string> ProfilesOf(HierarchyId hierarchy);

  // The caller holds the lock.
  Agent* Find(const SpiffeId& id);
  JoinTokenRecord* FindToken(HierarchyId hierarchy, const std::string& id);
  Status CheckTokenLocked(const Bytes& secret_hash, const IssuanceRecord& record, TimePoint now);

  Status CheckThere() const;

  MemoryHierarchyTables& tables_;
  EventLog& events_;
  std::atomic<bool> is_away_ = false;
  std::mutex mutex_;
  int agent_count_ = 0;
  std::map<SpiffeId, Agent> agents_;
  std::map<Bytes, JoinTokenRecord> tokens_;  // by secret_hash, which sorts as the id does
  std::map<SpiffeId, std::vector<Grant>> grants_;
};

}  // namespace ca::testing
