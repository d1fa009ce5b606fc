#include "db/postgres_registry.h"

#include <algorithm>
#include <map>
#include <set>

#include "ca/base/rules.h"
#include "db/batcher.h"
#include "db/binary_array.h"
#include "db/connection.h"
#include "db/event_columns.h"
#include "db/row.h"

namespace db {
namespace {

using ca::Agent;
using ca::AuditEvent;
using ca::Error;
using ca::Grant;
using ca::HierarchyId;
using ca::JoinTokenRecord;
using ca::SpiffeId;
using ca::StatusCode;
using Element = BinaryArray::Element;
using Invitation = ca::Registry::Invitation;

constexpr size_t kBatchMax = 256;
constexpr size_t kLeadersMax = 2;
constexpr size_t kConnectionsMax = 10;

// The columns of an agent and of a token, with names that are unique in one row.
constexpr char kAgentColumns[] =
    "number, hierarchy, spiffe_id, owner, role, version, profile, dns_names, ip_addresses, "
    "disabled, registered_at";
constexpr char kFindInvitations[] =
    "SELECT (agent).*, (token).secret_hash, (token).created_by, (token).created_at, "
    "       (token).expires_at, (token).used_by_request, (token).used_at, (token).revoked_at "
    "  FROM agentpki.find_invitations($1)";
constexpr char kTokenColumns[] =
    "t.secret_hash, a.spiffe_id, t.created_by, t.created_at, t.expires_at, t.used_by_request, "
    "t.used_at, t.revoked_at";

std::string Id(HierarchyId hierarchy) { return std::to_string(static_cast<int>(hierarchy)); }

Agent AgentOf(const pqxx::row& row) {
  std::vector<ca::IpAddress> ip_addresses;
  for (const std::string& text : TextsOf(row["ip_addresses"])) {
    ip_addresses.push_back(Expect(ca::IpAddress::Parse(text), row["ip_addresses"]));
  }
  return Agent{
      .number = static_cast<ca::AgentNumber>(row["number"].as<std::int64_t>()),
      .hierarchy = static_cast<HierarchyId>(row["hierarchy"].as<int>()),
      .id = SpiffeIdOf(row["spiffe_id"]),
      .owner = row["owner"].as<std::string>(),
      .role = row["role"].as<std::string>(),
      .version = row["version"].as<std::string>(),
      .profile = row["profile"].as<std::string>(),
      .dns_names = TextsOf(row["dns_names"]),
      .ip_addresses = std::move(ip_addresses),
      .disabled = row["disabled"].as<bool>(),
      .registered_at = TimeOf(row["registered_at"]),
  };
}

JoinTokenRecord TokenOf(const pqxx::row& row) {
  return JoinTokenRecord{
      .secret_hash = BytesOf(row["secret_hash"]),
      .agent = SpiffeIdOf(row["spiffe_id"]),
      .created_by = row["created_by"].as<std::string>(),
      .created_at = TimeOf(row["created_at"]),
      .expires_at = TimeOf(row["expires_at"]),
      .used_by_request = row["used_by_request"].as<std::string>(""),
      .used_at = TimeOf(row["used_at"]),
      .revoked_at = TimeOf(row["revoked_at"]),
  };
}

Grant GrantOf(const pqxx::row& row) {
  Grant grant{.role = Expect(ca::RoleFrom(row["role"].c_str()), row["role"]),
              .hierarchy = std::nullopt,
              .tenant = row["tenant"].as<std::string>("")};
  if (!row["hierarchy"].is_null()) {
    grant.hierarchy = static_cast<HierarchyId>(row["hierarchy"].as<int>());
  }
  return grant;
}

constexpr char kFindNumber[] = "SELECT number FROM agentpki.agents WHERE spiffe_id = $1";

int HierarchyIn(const Grant& grant) {
  return static_cast<int>(grant.hierarchy.value_or(HierarchyId{}));
}

Status NotRegistered(const SpiffeId& id) {
  return Error(StatusCode::kNotFound, "agent {} is not registered", id.ToString());
}

struct AgentKey {
  HierarchyId hierarchy;
  std::string spiffe_id;
};
using AgentBatcher = Batcher<AgentKey, Result<Agent>>;
using InvitationBatcher = Batcher<ca::Bytes, Result<Invitation>>;
using GrantBatcher = Batcher<std::string, Result<std::vector<Grant>>>;

}  // namespace

// The queues of look-ups, and the connections that empty them.
class PostgresRegistry::Lookups {
 public:
  explicit Lookups(const Endpoint& endpoint)
      : pool_(endpoint, kConnectionsMax, PrepareLookups),
        agents_(
            kBatchMax, kLeadersMax,
            [](const auto& batch, const AgentKey& key) {
              return batch.front()->item->hierarchy == key.hierarchy;
            },
            [this](auto& batch) { Settle(batch, FindAgents); }),
        invitations_(
            kBatchMax, kLeadersMax, [](const auto&, const auto&) { return true; },
            [this](auto& batch) { Settle(batch, FindInvitations); }),
        grants_(
            kBatchMax, kLeadersMax, [](const auto&, const auto&) { return true; },
            [this](auto& batch) { Settle(batch, FindGrants); }) {}

  Pool& pool() { return pool_; }
  Result<Agent> FindAgent(const AgentKey& key) { return agents_.Submit(key); }
  Result<Invitation> FindInvitation(const ca::Bytes& hash) { return invitations_.Submit(hash); }
  Result<std::vector<Grant>> FindGrants(const std::string& id) { return grants_.Submit(id); }

 private:
  static void PrepareLookups(pqxx::connection& connection) {
    connection.prepare("find_agents", std::string("SELECT ") + kAgentColumns +
                                          " FROM agentpki.find_agents($1, $2)");
    connection.prepare("find_invitations", kFindInvitations);
    connection.prepare("find_grants", "SELECT * FROM agentpki.find_grants($1)");
  }

  // Gives every entry an outcome: its own, or the failure of all.
  template <typename Batch>
  void Settle(Batch& batch, void (*find)(pqxx::connection&, Batch&)) {
    const Status status = pool_.RunRepeatable([&](pqxx::connection& connection) {
      find(connection, batch);
      return ca::Ok();
    });
    if (status.ok()) return;
    for (auto* entry : batch) entry->outcome = status;
  }

  static void FindAgents(pqxx::connection& connection, AgentBatcher::Batch& batch) {
    BinaryArray ids(Element::kText);
    for (const auto* entry : batch) ids.AddBytes(entry->item->spiffe_id);
    const pqxx::result rows =
        pqxx::nontransaction(connection)
            .exec_prepared("find_agents", Id(batch.front()->item->hierarchy), ids.Parameter());
    std::map<std::string, Agent> found;
    for (const pqxx::row& row : rows) found.emplace(row["spiffe_id"].c_str(), AgentOf(row));
    for (auto* entry : batch) {
      const auto agent = found.find(entry->item->spiffe_id);
      if (agent != found.end()) {
        entry->outcome = agent->second;
      } else {
        entry->outcome =
            Error(StatusCode::kNotFound, "agent {} is not registered", entry->item->spiffe_id);
      }
    }
  }

  static void FindInvitations(pqxx::connection& connection, InvitationBatcher::Batch& batch) {
    BinaryArray hashes(Element::kBytea);
    for (const auto* entry : batch) hashes.AddBytes(*entry->item);
    const pqxx::result rows =
        pqxx::nontransaction(connection).exec_prepared("find_invitations", hashes.Parameter());
    std::map<ca::Bytes, Invitation> found;
    for (const pqxx::row& row : rows) {
      Invitation invitation{TokenOf(row), AgentOf(row)};
      found.emplace(invitation.token.secret_hash, std::move(invitation));
    }
    for (auto* entry : batch) {
      const auto invitation = found.find(*entry->item);
      if (invitation != found.end()) {
        entry->outcome = invitation->second;
      } else {
        entry->outcome = Error(StatusCode::kNotFound, "no such join token");
      }
    }
  }

  static void FindGrants(pqxx::connection& connection, GrantBatcher::Batch& batch) {
    BinaryArray ids(Element::kText);
    for (const auto* entry : batch) ids.AddBytes(*entry->item);
    const pqxx::result rows =
        pqxx::nontransaction(connection).exec_prepared("find_grants", ids.Parameter());
    std::map<std::string, std::vector<Grant>> found;
    for (const pqxx::row& row : rows) found[row["spiffe_id"].c_str()].push_back(GrantOf(row));
    for (auto* entry : batch) entry->outcome = found[*entry->item];
  }

  Pool pool_;
  AgentBatcher agents_;
  InvitationBatcher invitations_;
  GrantBatcher grants_;
};

PostgresRegistry::PostgresRegistry(const Endpoint& endpoint)
    : lookups_(std::make_unique<Lookups>(endpoint)) {}
PostgresRegistry::~PostgresRegistry() = default;

Result<ca::Recorded<Agent>> PostgresRegistry::RegisterAgent(const Agent& agent,
                                                            const AuditEvent& event) {
  std::vector<std::string> ip_addresses;
  for (const ca::IpAddress& address : agent.ip_addresses)
    ip_addresses.push_back(address.ToString());
  Result<Agent> registered =
      lookups_->pool().Run([&](pqxx::connection& connection) -> Result<Agent> {
        pqxx::work transaction(connection);
        NameHierarchy(transaction, agent.hierarchy);
        const pqxx::row row = transaction.exec_params1(
            std::string("INSERT INTO agentpki.agents (hierarchy, spiffe_id, owner, role, version, "
                        "profile, dns_names, ip_addresses, registered_at) "
                        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING ") +
                kAgentColumns,
            static_cast<int>(agent.hierarchy), agent.id.ToString(), agent.owner, agent.role,
            agent.version, agent.profile, TextArray(agent.dns_names), TextArray(ip_addresses),
            TimeText(agent.registered_at));
        Agent result = AgentOf(row);
        InsertEvent(transaction, event);
        transaction.commit();
        return result;
      });
  if (registered.status().code() == StatusCode::kAlreadyExists) {
    return ca::Refusal<ca::kAgentExists>(agent.id.ToString());
  }
  return OnRecord(std::move(registered));
}

Result<Agent> PostgresRegistry::FindAgent(HierarchyId hierarchy, const SpiffeId& id) {
  return lookups_->FindAgent({hierarchy, id.ToString()});
}

Result<std::vector<Agent>> PostgresRegistry::ListAgents(const ca::AgentQuery& query) {
  using Agents = std::vector<Agent>;
  return lookups_->pool().RunRepeatable([&](pqxx::connection& connection) -> Result<Agents> {
    pqxx::work transaction(connection);
    NameHierarchy(transaction, query.hierarchy);
    const pqxx::result rows = transaction.exec_params(
        std::string("SELECT ") + kAgentColumns +
            " FROM agentpki.agents WHERE ($1 = '' OR owner = $1) AND spiffe_id > $2 "
            "ORDER BY spiffe_id LIMIT $3",
        query.owner, query.page_token, query.page_size);
    Agents agents;
    for (const pqxx::row& row : rows) agents.push_back(AgentOf(row));
    return agents;
  });
}

Result<std::int64_t> PostgresRegistry::CountAgents(HierarchyId hierarchy) {
  return lookups_->pool().RunRepeatable([&](pqxx::connection& connection) -> Result<std::int64_t> {
    pqxx::work transaction(connection);
    NameHierarchy(transaction, hierarchy);
    return transaction.exec1("SELECT count(*) FROM agentpki.agents")[0].as<std::int64_t>();
  });
}

Result<ca::RecordedDecision> PostgresRegistry::CreateJoinToken(HierarchyId hierarchy,
                                                               const JoinTokenRecord& token,
                                                               const AuditEvent& event) {
  return OnRecord(lookups_->pool().Run([&](pqxx::connection& connection) {
    pqxx::work transaction(connection);
    NameHierarchy(transaction, hierarchy);
    const pqxx::result inserted = transaction.exec_params(
        "INSERT INTO agentpki.join_tokens "
        "            (secret_hash, id, hierarchy, agent, created_by, created_at, expires_at) "
        "SELECT $1, $2, $3, number, $5, $6, $7 FROM agentpki.agents WHERE spiffe_id = $4",
        pqxx::binarystring(token.secret_hash), token.Id(), static_cast<int>(hierarchy),
        token.agent.ToString(), token.created_by, TimeText(token.created_at),
        TimeText(token.expires_at));
    if (inserted.affected_rows() == 0) return NotRegistered(token.agent);
    InsertEvent(transaction, event);
    transaction.commit();
    return ca::Ok();
  }));
}

Result<Invitation> PostgresRegistry::FindInvitation(const ca::Bytes& secret_hash) {
  return lookups_->FindInvitation(secret_hash);
}

Result<std::vector<JoinTokenRecord>> PostgresRegistry::ListJoinTokens(
    const ca::JoinTokenQuery& query) {
  using Tokens = std::vector<JoinTokenRecord>;
  return lookups_->pool().RunRepeatable([&](pqxx::connection& connection) -> Result<Tokens> {
    pqxx::work transaction(connection);
    NameHierarchy(transaction, query.hierarchy);
    const pqxx::result rows = transaction.exec_params(
        std::string("SELECT ") + kTokenColumns +
            "  FROM agentpki.join_tokens AS t JOIN agentpki.agents AS a ON a.number = t.agent "
            " WHERE ($1 = '' OR a.spiffe_id = $1) AND t.id > $2 ORDER BY t.id LIMIT $3",
        query.agent ? query.agent->ToString() : "", query.page_token, query.page_size);
    Tokens tokens;
    for (const pqxx::row& row : rows) tokens.push_back(TokenOf(row));
    return tokens;
  });
}

Result<ca::Recorded<JoinTokenRecord>> PostgresRegistry::RevokeJoinToken(HierarchyId hierarchy,
                                                                        const std::string& id,
                                                                        ca::TimePoint now,
                                                                        const AuditEvent& event) {
  return OnRecord(
      lookups_->pool().RunRepeatable([&](pqxx::connection& connection) -> Result<JoinTokenRecord> {
        pqxx::work transaction(connection);
        NameHierarchy(transaction, hierarchy);
        // A used token is left as it is: the operator must hear that this came too late.
        transaction.exec_params(
            "UPDATE agentpki.join_tokens SET revoked_at = $2 "
            " WHERE id = $1 AND revoked_at IS NULL AND used_at IS NULL",
            id, TimeText(now));
        const pqxx::result rows = transaction.exec_params(
            std::string("SELECT ") + kTokenColumns +
                "  FROM agentpki.join_tokens AS t JOIN agentpki.agents AS a ON a.number = t.agent "
                " WHERE t.id = $1",
            id);
        if (rows.empty()) return Error(StatusCode::kNotFound, "no join token has the id {}", id);
        JoinTokenRecord token = TokenOf(rows[0]);
        if (!token.used_by_request.empty()) {
          return ca::WithCode(StatusCode::kFailedPrecondition,
                              ca::Refusal<ca::kJoinTokenUsed>(
                                  fmt::format("at {}; look at the certificates of {}",
                                              ca::Rfc3339(token.used_at), token.agent.ToString())));
        }
        InsertEvent(transaction, event);
        transaction.commit();
        return token;
      }));
}

Result<std::vector<Grant>> PostgresRegistry::FindGrants(const SpiffeId& operator_id) {
  return lookups_->FindGrants(operator_id.ToString());
}

Result<ca::RecordedDecision> PostgresRegistry::AddGrant(const SpiffeId& operator_id,
                                                        const Grant& grant,
                                                        const AuditEvent& event) {
  return OnRecord(lookups_->pool().RunRepeatable([&](pqxx::connection& connection) {
    pqxx::work transaction(connection);
    NameHierarchy(transaction, event.hierarchy);
    const pqxx::result agents = transaction.exec_params(kFindNumber, operator_id.ToString());
    if (agents.empty()) return NotRegistered(operator_id);
    transaction.exec_params(
        "INSERT INTO agentpki.grants (agent, role, hierarchy, tenant, granted_at) "
        "VALUES ($1, $2, nullif($3, 0), nullif($4, ''), $5) ON CONFLICT DO NOTHING",
        agents[0][0].as<std::int64_t>(), std::string(ca::NameOf(grant.role)), HierarchyIn(grant),
        grant.tenant, TimeText(event.at));
    InsertEvent(transaction, event);
    transaction.commit();
    return ca::Ok();
  }));
}

Result<ca::RecordedDecision> PostgresRegistry::RemoveGrant(const SpiffeId& operator_id,
                                                           const Grant& grant,
                                                           const AuditEvent& event) {
  return OnRecord(lookups_->pool().RunRepeatable([&](pqxx::connection& connection) {
    pqxx::work transaction(connection);
    NameHierarchy(transaction, event.hierarchy);
    const pqxx::result agents = transaction.exec_params(kFindNumber, operator_id.ToString());
    if (agents.empty()) return NotRegistered(operator_id);
    transaction.exec_params(
        "DELETE FROM agentpki.grants "
        " WHERE agent = $1 AND role = $2 AND hierarchy IS NOT DISTINCT FROM nullif($3, 0) "
        "   AND tenant IS NOT DISTINCT FROM nullif($4, '')",
        agents[0][0].as<std::int64_t>(), std::string(ca::NameOf(grant.role)), HierarchyIn(grant),
        grant.tenant);
    InsertEvent(transaction, event);
    transaction.commit();
    return ca::Ok();
  }));
}

Result<std::vector<ca::OperatorGrant>> PostgresRegistry::ListGrants() {
  using Grants = std::vector<ca::OperatorGrant>;
  return lookups_->pool().RunRepeatable([](pqxx::connection& connection) -> Result<Grants> {
    pqxx::read_transaction transaction(connection);
    Grants grants;
    for (const pqxx::row& row : transaction.exec("SELECT * FROM agentpki.list_grants()")) {
      grants.push_back(
          {Expect(SpiffeId::Parse(row["spiffe_id"].c_str()), row["spiffe_id"]), GrantOf(row)});
    }
    return grants;
  });
}

}  // namespace db
