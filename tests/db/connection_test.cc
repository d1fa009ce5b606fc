// The errors that callers get from the database's failures, and a pool that recovers from them.

#include "db/connection.h"

#include <gtest/gtest.h>

#include <latch>

#include "tests/db/database_test.h"

namespace db {
namespace {

using ca::StatusCode;
using ca::testing::Must;
using testing::DatabaseTest;
using testing::DeployedDatabaseTest;

// ---- what an exception means --------------------------------------------------------------------

class StatusOfExceptionTest : public DatabaseTest {
 protected:
  Status Raised(const std::string& sqlstate) {
    try {
      pqxx::nontransaction(*connection_)
          .exec("DO $$ BEGIN RAISE EXCEPTION 'inner text' USING ERRCODE = '" + sqlstate +
                "'; END $$");
      return ca::Ok();
    } catch (...) {
      return StatusOfException();
    }
  }

 private:
  const std::unique_ptr<pqxx::connection> connection_ = Connect(database_.server());
};

TEST_F(StatusOfExceptionTest, TellsALostRaceToTryAgain) {
  EXPECT_EQ(Raised("40001").code(), StatusCode::kAborted) << "serialization_failure";
  EXPECT_EQ(Raised("40P01").code(), StatusCode::kAborted) << "deadlock_detected";
}

TEST_F(StatusOfExceptionTest, TellsThatTheDatabaseIsAway) {
  for (const char* state : {"57P01", "57P02", "57P03", "53300", "08006"}) {
    const Status status = Raised(state);
    EXPECT_EQ(status.code(), StatusCode::kUnavailable) << state;
    EXPECT_TRUE(IsConnectionFailure(status)) << state;
  }
}

TEST_F(StatusOfExceptionTest, TellsThatTheDatabaseIsTooSlow) {
  for (const char* state : {"57014", "55P03"}) {
    EXPECT_EQ(Raised(state).code(), StatusCode::kDeadlineExceeded) << state;
    EXPECT_FALSE(IsConnectionFailure(Raised(state))) << state;
  }
}

TEST_F(StatusOfExceptionTest, TellsThatSomethingIsTaken) {
  EXPECT_EQ(Raised("23505").code(), StatusCode::kAlreadyExists);
}

TEST_F(StatusOfExceptionTest, TellsEverythingElseToTheLogAlone) {
  for (const char* state : {"23514", "42501", "22012", "53100", "P0001"}) {
    EXPECT_TRUE(ca::testing::Says(Raised(state), StatusCode::kInternal, "inner text")) << state;
  }
}

TEST_F(StatusOfExceptionTest, KeepsTheDatabasesOwnTextFromCallers) {
  for (const char* state : {"40001", "40P01", "57P01", "57014", "55P03", "23505"}) {
    EXPECT_EQ(ca::MessageOf(Raised(state)).find("inner text"), std::string::npos) << state;
  }
}

// ---- the pool -----------------------------------------------------------------------------------

class PoolTest : public DatabaseTest {
 protected:
  static constexpr size_t kSizeMax = 4;

  // As many idle connections as there may be.
  void FillPool() {
    std::latch all_connected(kSizeMax);
    std::vector<std::thread> threads;
    for (size_t i = 0; i < kSizeMax; ++i) {
      threads.emplace_back([&] {
        EXPECT_TRUE(pool_
                        .Run([&](pqxx::connection&) {
                          all_connected.arrive_and_wait();
                          return ca::Ok();
                        })
                        .ok());
      });
    }
    for (std::thread& thread : threads) thread.join();
  }

  void CutAllConnections() {
    database_.Query(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
        "WHERE usename = 'agentpki_server' AND datname = current_database()");
  }

  static Status Select(pqxx::connection& connection) {
    pqxx::nontransaction(connection).exec("SELECT 1");
    return ca::Ok();
  }

  std::atomic<int> connections_made_ = 0;
  Pool pool_{database_.server(), kSizeMax, [this](pqxx::connection&) { ++connections_made_; }};
};

TEST_F(PoolTest, UsesAConnectionAgain) {
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(pool_.Run(Select).ok());
  EXPECT_EQ(connections_made_, 1);
}

TEST_F(PoolTest, ReplacesConnectionsThatBrokeWhileTheyIdled) {
  FillPool();
  CutAllConnections();
  EXPECT_TRUE(pool_.Run(Select).ok());
}

TEST_F(PoolTest, RunsWhatMayBeRepeatedOnAFreshConnectionAfterAFailure) {
  FillPool();
  CutAllConnections();
  EXPECT_TRUE(pool_.RunRepeatable(Select).ok());
}

TEST_F(PoolTest, DoesNotRepeatWhatMayNotBe) {
  int runs = 0;
  const Status status = pool_.Run([&](pqxx::connection& connection) {
    ++runs;
    CutAllConnections();
    return Select(connection);
  });
  EXPECT_EQ(status.code(), StatusCode::kUnavailable);
  EXPECT_EQ(runs, 1);
}

TEST_F(PoolTest, RepeatsOnceAndNoMore) {
  int runs = 0;
  const Status status = pool_.RunRepeatable([&](pqxx::connection& connection) {
    ++runs;
    CutAllConnections();
    return Select(connection);
  });
  EXPECT_EQ(status.code(), StatusCode::kUnavailable);
  EXPECT_EQ(runs, 2);
}

TEST_F(PoolTest, GivesBackConnectionsWhateverHappens) {
  for (size_t i = 0; i < 2 * kSizeMax; ++i) {
    const Status status = pool_.Run([](pqxx::connection& connection) {
      pqxx::work transaction(connection);
      transaction.exec("SELECT 1/0");
      return ca::Ok();
    });
    EXPECT_EQ(status.code(), StatusCode::kInternal);
  }
  for (size_t i = 0; i < 2 * kSizeMax; ++i) {
    const Status status =
        pool_.Run([](pqxx::connection&) { return ca::Error(StatusCode::kNotFound, "no"); });
    EXPECT_EQ(status.code(), StatusCode::kNotFound);
  }
  EXPECT_TRUE(pool_.Run(Select).ok());
}

// ---- what stands on it --------------------------------------------------------------------------

class AfterACutTest : public DeployedDatabaseTest {
 protected:
  // Has every pool make several connections, then cuts them all.
  void UseAndCut() {
    std::vector<std::thread> threads;
    for (int i = 0; i < 3; ++i) {
      threads.emplace_back([&] {
        Must(ledger_.ListCertificates({.hierarchy = deployment_.acme.id}).status());
        Must(ledger_.RecordEvent(EventIn(deployment_.acme, "GetAgent")));
        Must(registry_.ListAgents({.hierarchy = deployment_.acme.id}).status());
        Must(hierarchies_.LoadHierarchies().status());
      });
    }
    for (std::thread& thread : threads) thread.join();
    database_.Query(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
        "WHERE usename = 'agentpki_server' AND datname = current_database()");
  }
};

// Each of the four pools of connections finds out by itself.
TEST_F(AfterACutTest, TheFirstCallSucceeds) {
  const ca::Agent agent = deployment_.Register(deployment_.acme, "bot");
  UseAndCut();
  const auto answer =
      ledger_.RecordIntent(deployment_.Prepare(agent, NewKey()), ca::SystemGrounds{}, NewRequest(),
                           EventIn(deployment_.acme, "Enroll"));
  EXPECT_TRUE(answer.ok()) << answer.status();
  EXPECT_TRUE(ledger_.ListCertificates({.hierarchy = deployment_.acme.id}).ok());
  EXPECT_TRUE(registry_
                  .RegisterAgent(ca::testing::AgentOf(deployment_.acme, "other"),
                                 EventIn(deployment_.acme, "RegisterAgent"))
                  .ok());
  EXPECT_TRUE(authorities_.LoadAuthorities().ok());
}

}  // namespace
}  // namespace db
