#include "db/postgres_acknowledgement_store.h"

#include "db/connection.h"
#include "db/event_columns.h"
#include "db/row.h"

namespace db {
namespace {

using ca::AcknowledgedCount;
using ca::Error;
using ca::LiveAgent;
using ca::StatusCode;

constexpr size_t kConnectionsMax = 4;

}  // namespace

PostgresAcknowledgementStore::PostgresAcknowledgementStore(const Endpoint& endpoint)
    : pool_(std::make_unique<Pool>(endpoint, kConnectionsMax, [](pqxx::connection&) {})) {}
PostgresAcknowledgementStore::~PostgresAcknowledgementStore() = default;

Result<ca::RecordedDecision> PostgresAcknowledgementStore::Acknowledge(
    const ca::Acknowledgement& acknowledgement, const ca::AuditEvent& event) {
  return OnRecord(pool_->RunRepeatable([&](pqxx::connection& connection) -> Status {
    pqxx::work transaction(connection);
    NameHierarchy(transaction, acknowledgement.hierarchy);
    const pqxx::result found = transaction.exec_params(
        "SELECT FROM agentpki.trust_bundles WHERE hierarchy = $1 AND version = $2",
        static_cast<int>(acknowledgement.hierarchy), acknowledgement.version);
    if (found.empty()) {
      return Error(StatusCode::kNotFound, "version: there is no trust bundle {}",
                   acknowledgement.version);
    }
    transaction.exec_params(
        "INSERT INTO agentpki.bundle_acknowledgements (hierarchy, agent, version, acknowledged_at) "
        "VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
        static_cast<int>(acknowledgement.hierarchy),
        static_cast<std::int64_t>(acknowledgement.agent), acknowledgement.version,
        TimeText(acknowledgement.at));
    InsertEvent(transaction, event);
    transaction.commit();
    return ca::Ok();
  }));
}

Result<AcknowledgedCount> PostgresAcknowledgementStore::Count(ca::HierarchyId hierarchy,
                                                              int version, ca::TimePoint now) {
  return pool_->RunRepeatable([&](pqxx::connection& connection) -> Result<AcknowledgedCount> {
    pqxx::work transaction(connection);
    NameHierarchy(transaction, hierarchy);
    const pqxx::row row = transaction.exec_params1(
        "SELECT count(*), count(*) FILTER (WHERE version >= $2) FROM agentpki.live_agents($1)",
        TimeText(now), version);
    return AcknowledgedCount{row[0].as<std::int64_t>(), row[1].as<std::int64_t>()};
  });
}

Result<std::vector<LiveAgent>> PostgresAcknowledgementStore::ListStragglers(
    const ca::StragglerQuery& query) {
  using Agents = std::vector<LiveAgent>;
  return pool_->RunRepeatable([&](pqxx::connection& connection) -> Result<Agents> {
    pqxx::work transaction(connection);
    NameHierarchy(transaction, query.hierarchy);
    Agents agents;
    for (const pqxx::row& row : transaction.exec_params(
             "SELECT spiffe_id, owner, version FROM agentpki.live_agents($1) "
             " WHERE version < $2 AND spiffe_id > $3 ORDER BY spiffe_id LIMIT $4",
             TimeText(query.now), query.version, query.page_token, query.page_size)) {
      agents.push_back(
          {SpiffeIdOf(row["spiffe_id"]), row["owner"].as<std::string>(), row["version"].as<int>()});
    }
    return agents;
  });
}

}  // namespace db
