#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ca/model/agent.h"
#include "ca/model/audit_event.h"
#include "ca/model/join_token.h"
#include "ca/model/role.h"
#include "ca/ports/recorded.h"

namespace ca {

// A role over one hierarchy, over all present and future hierarchies of a tenant, or (neither) over
// all hierarchies.
struct Grant {
  Role role;
  std::optional<HierarchyId> hierarchy;
  std::string tenant;  // "" unless it is over a tenant

  friend bool operator==(const Grant&, const Grant&) = default;
};

struct OperatorGrant {
  SpiffeId operator_id;
  Grant grant;
};

struct AgentQuery {
  static constexpr int kPageSizeMax = 1000;

  HierarchyId hierarchy{};
  std::string owner;  // "" for any
  int page_size = 100;
  std::string page_token;  // the last SPIFFE ID of the page before; order: by SPIFFE ID
};

struct JoinTokenQuery {
  static constexpr int kPageSizeMax = 1000;

  HierarchyId hierarchy{};
  std::optional<SpiffeId> agent;
  int page_size = 100;
  std::string page_token;  // the last id of the page before; order: by id
};

// Agents, join tokens, and operators' grants. Thread-safe, blocking. Each change and its audit
// event are one transaction. Errors: kUnavailable while the database is unavailable.
class Registry : public RecordsDecisions {
 public:
  virtual ~Registry() = default;

  // Returns the agent with its number. kAlreadyExists when the SPIFFE ID is taken.
  virtual Result<Recorded<Agent>> RegisterAgent(const Agent& agent, const AuditEvent& event) = 0;
  // kNotFound.
  virtual Result<Agent> FindAgent(HierarchyId hierarchy, const SpiffeId& id) = 0;
  virtual Result<std::vector<Agent>> ListAgents(const AgentQuery& query) = 0;
  virtual Result<std::int64_t> CountAgents(HierarchyId hierarchy) = 0;

  // kNotFound when the agent is not registered.
  virtual Result<RecordedDecision> CreateJoinToken(HierarchyId hierarchy,
                                                   const JoinTokenRecord& token,
                                                   const AuditEvent& event) = 0;
  // A join token in any state, and the agent it is for. FindInvitation() searches all hierarchies,
  // because the caller has the secret alone. kNotFound.
  struct Invitation {
    JoinTokenRecord token;
    Agent agent;
  };
  virtual Result<Invitation> FindInvitation(const Bytes& secret_hash) = 0;
  virtual Result<std::vector<JoinTokenRecord>> ListJoinTokens(const JoinTokenQuery& query) = 0;
  // `id` is the public id. Idempotent; returns the token as it is now. kNotFound;
  // kFailedPrecondition, rule join-token.used, when it was used already.
  virtual Result<Recorded<JoinTokenRecord>> RevokeJoinToken(HierarchyId hierarchy,
                                                            const std::string& id, TimePoint now,
                                                            const AuditEvent& event) = 0;

  // The grants of an operator now; callers look them up at each call. A grant over a tenant is
  // listed once for each of its hierarchies, with `hierarchy` and `tenant` both set, and without
  // `hierarchy` if the tenant has none yet. Empty if the id is no operator's, or is disabled.
  virtual Result<std::vector<Grant>> FindGrants(const SpiffeId& operator_id) = 0;
  // Idempotent. kNotFound when the operator is not registered.
  virtual Result<RecordedDecision> AddGrant(const SpiffeId& operator_id, const Grant& grant,
                                            const AuditEvent& event) = 0;
  // Idempotent; acts from the operator's next call on.
  virtual Result<RecordedDecision> RemoveGrant(const SpiffeId& operator_id, const Grant& grant,
                                               const AuditEvent& event) = 0;
  // All grants as they were given, ordered by operator. Includes disabled operators.
  virtual Result<std::vector<OperatorGrant>> ListGrants() = 0;
};

}  // namespace ca
