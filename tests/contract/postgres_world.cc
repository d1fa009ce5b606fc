#include "db/postgres_acknowledgement_store.h"
#include "db/postgres_approval_store.h"
#include "db/postgres_crl_store.h"
#include "db/postgres_hierarchy_ports.h"
#include "db/postgres_ledger.h"
#include "db/postgres_registry.h"
#include "db/postgres_revocation_store.h"
#include "db/request_rows.h"
#include "db/row.h"
#include "tests/contract/world.h"
#include "tests/db/private_postgres.h"

namespace contract {
namespace {

class PostgresWorld final : public World {
 public:
  void Reset() override {
    World::Reset();
    database_.Empty();
  }

  ca::testing::Ports ports() override { return {stores_, registry_, ledger_, keys_}; }
  ca::RevocationStore& revocations() override { return revocations_; }
  ca::CrlStore& crls() override { return crls_; }
  ca::AcknowledgementStore& acknowledgements() override { return acknowledgements_; }
  ca::ApprovalStore& approvals() override { return approvals_; }

  void Disable(const ca::SpiffeId& agent) override {
    database_.Query("UPDATE agentpki.agents SET disabled = true WHERE spiffe_id = '" +
                    agent.ToString() + "'");
  }

  std::vector<ca::AuditEvent> Events() override {
    std::vector<ca::AuditEvent> events;
    for (const pqxx::row& row : database_.Query(std::string("SELECT *, ") + db::kRequestColumns +
                                                " FROM agentpki.audit_events ORDER BY sequence")) {
      events.push_back({
          .at = db::TimeOf(row["at"]),
          .actor = row["actor"].as<std::string>(),
          .action = row["action"].as<std::string>(),
          .decision =
              db::Expect(ca::DecisionFrom(row["decision"].as<std::string>()), row["decision"]),
          .rule = row["rule"].as<std::string>(),
          .reason = row["reason"].as<std::string>(),
          .hierarchy = static_cast<ca::HierarchyId>(row["hierarchy"].as<int>(0)),
          .subject = row["subject"].as<std::string>(),
          .serial = row["serial"].as<std::string>(),
          .from = row["from_address"].as<std::string>(),
          .correlation_id = row["correlation_id"].as<std::string>(),
          .request_id = row["request_id"].as<std::string>(),
          .request = db::FactsOf(row),
      });
    }
    return events;
  }

 private:
  db::testing::TestDatabase database_;
  db::PostgresHierarchyPorts stores_{database_.server()};
  db::PostgresRegistry registry_{database_.server()};
  db::PostgresLedger ledger_{database_.server(), clock};
  db::PostgresRevocationStore revocations_{database_.server()};
  db::PostgresCrlStore crls_{database_.server()};
  db::PostgresAcknowledgementStore acknowledgements_{database_.server()};
  db::PostgresApprovalStore approvals_{database_.server()};
  ca::testing::MemoryKeyStore keys_;
};

}  // namespace

std::unique_ptr<World> MakePostgresWorld() { return std::make_unique<PostgresWorld>(); }

}  // namespace contract
