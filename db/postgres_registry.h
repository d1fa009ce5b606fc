#pragma once

#include <memory>

#include "ca/ports/registry.h"

namespace db {

struct Endpoint;

// The registry in PostgreSQL. Agents, invitations and grants are looked up for each request, so
// concurrent look-ups share one statement.
class PostgresRegistry final : public ca::Registry {
 public:
  // Connects when first used.
  explicit PostgresRegistry(const Endpoint& endpoint);
  ~PostgresRegistry() override;

  ca::Result<ca::Recorded<ca::Agent>> RegisterAgent(const ca::Agent& agent,
                                                    const ca::AuditEvent& event) override;
  ca::Result<ca::Agent> FindAgent(ca::HierarchyId hierarchy, const ca::SpiffeId& id) override;
  ca::Result<std::vector<ca::Agent>> ListAgents(const ca::AgentQuery& query) override;
  ca::Result<std::int64_t> CountAgents(ca::HierarchyId hierarchy) override;

  ca::Result<ca::RecordedDecision> CreateJoinToken(ca::HierarchyId hierarchy,
                                                   const ca::JoinTokenRecord& token,
                                                   const ca::AuditEvent& event) override;
  ca::Result<Invitation> FindInvitation(const ca::Bytes& secret_hash) override;
  ca::Result<std::vector<ca::JoinTokenRecord>> ListJoinTokens(
      const ca::JoinTokenQuery& query) override;
  ca::Result<ca::Recorded<ca::JoinTokenRecord>> RevokeJoinToken(
      ca::HierarchyId hierarchy, const std::string& id, ca::TimePoint now,
      const ca::AuditEvent& event) override;

  ca::Result<std::vector<ca::Grant>> FindGrants(const ca::SpiffeId& operator_id) override;
  ca::Result<ca::RecordedDecision> AddGrant(const ca::SpiffeId& operator_id, const ca::Grant& grant,
                                            const ca::AuditEvent& event) override;
  ca::Result<ca::RecordedDecision> RemoveGrant(const ca::SpiffeId& operator_id,
                                               const ca::Grant& grant,
                                               const ca::AuditEvent& event) override;
  ca::Result<std::vector<ca::OperatorGrant>> ListGrants() override;

 private:
  class Lookups;
  std::unique_ptr<Lookups> lookups_;
};

}  // namespace db
