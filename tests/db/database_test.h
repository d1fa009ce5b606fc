#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "db/postgres_acknowledgement_store.h"
#include "db/postgres_crl_store.h"
#include "db/postgres_hierarchy_ports.h"
#include "db/postgres_ledger.h"
#include "db/postgres_registry.h"
#include "db/postgres_revocation_store.h"
#include "tests/db/private_postgres.h"
#include "tests/fakes/deployment.h"
#include "tests/fakes/must.h"
#include "tests/fakes/refusal.h"

namespace db::testing {

// Tests over one migrated database a suite, which each test finds empty.
class DatabaseTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { Database() = std::make_unique<TestDatabase>(); }
  static void TearDownTestSuite() { Database().reset(); }

  DatabaseTest() { database_.Empty(); }

  // One column of one row, as text.
  std::string Value(const std::string& sql) {
    const pqxx::result rows = database_.Query(sql);
    return rows.empty() ? "no row" : rows[0][0].c_str();
  }
  int Count(const std::string& from) { return std::stoi(Value("SELECT count(*) FROM " + from)); }

  static std::unique_ptr<TestDatabase>& Database() {
    static std::unique_ptr<TestDatabase> database;
    return database;
  }

  TestDatabase& database_ = *Database();
};

// With the hierarchies of tests/fakes/samples.h, as a server has them before it.
class DeployedDatabaseTest : public DatabaseTest {
 protected:
  static void SetUpTestSuite() {
    DatabaseTest::SetUpTestSuite();
    Adapters() = std::make_unique<AllAdapters>(Database()->server());
  }
  static void TearDownTestSuite() {
    Adapters().reset();
    DatabaseTest::TearDownTestSuite();
  }

  ca::RequestId NewRequest() const { return ca::RequestId::New(clock_.Now()); }

  ca::PublicKey NewKey() const { return ca::testing::PublicHalf(ca::testing::NewSubjectKey()); }

  ca::AuditEvent EventIn(const ca::Hierarchy& hierarchy, std::string action) const {
    ca::AuditEvent event = ca::testing::EventAt(clock_.Now(), std::move(action));
    event.hierarchy = hierarchy.id;
    return event;
  }

 private:
  // One of each for all tests of a suite: connections take long to make.
  struct AllAdapters {
    explicit AllAdapters(const Endpoint& server)
        : stores(server),
          registry(server),
          ledger(server, clock),
          revocations(server),
          crls(server),
          acknowledgements(server) {}

    ca::testing::FakeClock clock{ca::SystemClock().Now()};
    PostgresHierarchyPorts stores;
    PostgresRegistry registry;
    PostgresLedger ledger;
    PostgresRevocationStore revocations;
    PostgresCrlStore crls;
    PostgresAcknowledgementStore acknowledgements;
  };
  static std::unique_ptr<AllAdapters>& Adapters() {
    static std::unique_ptr<AllAdapters> adapters;
    return adapters;
  }

 protected:
  ca::testing::FakeClock& clock_ = Adapters()->clock;
  PostgresHierarchyPorts& stores_ = Adapters()->stores;
  PostgresHierarchyStore& hierarchies_ = stores_.hierarchies;
  PostgresAuthorityStore& authorities_ = stores_.authorities;
  PostgresActivationStore& activations_ = stores_.activations;
  PostgresRegistry& registry_ = Adapters()->registry;
  PostgresLedger& ledger_ = Adapters()->ledger;
  PostgresRevocationStore& revocations_ = Adapters()->revocations;
  PostgresCrlStore& crls_ = Adapters()->crls;
  PostgresAcknowledgementStore& acknowledgements_ = Adapters()->acknowledgements;
  ca::testing::MemoryKeyStore keys_;
  ca::testing::Deployment deployment_{{stores_, registry_, ledger_, keys_}, clock_};
};

}  // namespace db::testing
