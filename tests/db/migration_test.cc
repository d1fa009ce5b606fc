// The schema is made once, by one program at a time, and no server runs on another.

#include "db/migration.h"

#include <gtest/gtest.h>

#include <thread>

#include "ca/base/bytes.h"
#include "tests/db/private_postgres.h"
#include "tests/fakes/must.h"
#include "tests/fakes/refusal.h"

namespace db {
namespace {

using ca::StatusCode;
using ca::testing::Must;
using ca::testing::Says;
using testing::PrivatePostgres;

class MigrationTest : public ::testing::Test {
 protected:
  void Execute(const Endpoint& endpoint, const std::string& sql) {
    pqxx::connection connection(endpoint.conninfo);
    pqxx::nontransaction(connection).exec(sql);
  }

  static std::vector<std::string> AllNames() {
    std::vector<std::string> names;
    for (const Migration& migration : EmbeddedMigrations()) names.push_back(migration.name);
    return names;
  }

  PrivatePostgres& postgres_ = PrivatePostgres::Shared();
  const std::string database_ = NewEmptyDatabase(postgres_);
  const Endpoint owner_ = postgres_.EndpointOf(database_, "agentpki_owner");
  const Endpoint server_ = postgres_.EndpointOf(database_, "agentpki_server");
};

TEST_F(MigrationTest, AppliesEveryStepInOrderAndNamesThem) {
  EXPECT_EQ(Must(Migrate(owner_)), AllNames());
  EXPECT_TRUE(CheckSchema(server_).ok());
}

TEST_F(MigrationTest, FindsNothingToDoTheSecondTime) {
  Must(Migrate(owner_).status());
  EXPECT_EQ(Must(Migrate(owner_)), std::vector<std::string>{});
  EXPECT_TRUE(CheckSchema(server_).ok());
}

TEST_F(MigrationTest, AppliesEveryStepOnceWhenSeveralMigrateAtOnce) {
  std::vector<ca::Result<std::vector<std::string>>> applied(4, ca::Error(StatusCode::kUnknown, ""));
  std::vector<std::thread> threads;
  for (auto& result : applied) threads.emplace_back([&] { result = Migrate(owner_); });
  for (std::thread& thread : threads) thread.join();

  std::vector<std::string> names;
  for (const auto& result : applied) {
    ASSERT_TRUE(result.ok()) << result.status();
    names.insert(names.end(), result->begin(), result->end());
  }
  EXPECT_EQ(names, AllNames());
}

TEST_F(MigrationTest, RefusesASchemaThatIsNewerThanTheProgram) {
  Must(Migrate(owner_).status());
  Execute(owner_, "INSERT INTO agentpki_migrations (name, sha256) VALUES ('9999_future', 'x')");
  for (const Status& status : {Migrate(owner_).status(), CheckSchema(server_)}) {
    EXPECT_TRUE(Says(status, StatusCode::kFailedPrecondition, "it has 9999_future"));
  }
}

TEST_F(MigrationTest, RefusesASchemaWhoseStepWasEdited) {
  Must(Migrate(owner_).status());
  Execute(owner_, "UPDATE agentpki_migrations SET sha256 = 'x' WHERE name LIKE '0002%'");
  for (const Status& status : {Migrate(owner_).status(), CheckSchema(server_)}) {
    EXPECT_TRUE(Says(status, StatusCode::kFailedPrecondition, "it applied 0002"));
  }
}

TEST_F(MigrationTest, RefusesASchemaThatIsOlderAndSaysWhatToRun) {
  Must(Migrate(owner_).status());
  const std::string last = EmbeddedMigrations().back().name;
  Execute(owner_, "DELETE FROM agentpki_migrations WHERE name = '" + last + "'");
  const Status status = CheckSchema(server_);
  EXPECT_TRUE(Says(status, StatusCode::kFailedPrecondition, "it lacks " + last));
  EXPECT_TRUE(Says(status, StatusCode::kFailedPrecondition, "agentpki-server migrate"));
}

TEST_F(MigrationTest, RefusesADatabaseWithoutSchemaAndSaysWhatToRun) {
  EXPECT_TRUE(
      Says(CheckSchema(server_), StatusCode::kFailedPrecondition, "agentpki-server migrate"));
}

TEST_F(MigrationTest, KeepsNothingOfAStepThatFails) {
  // The second step makes a table that is there already.
  const std::vector<Migration> ours = EmbeddedMigrations();
  Execute(owner_, ours[0].sql + "CREATE TABLE agentpki.audit_events (x integer)");
  Execute(owner_,
          "CREATE TABLE agentpki_migrations (name text PRIMARY KEY, sha256 text NOT NULL,"
          "  applied_at timestamptz NOT NULL DEFAULT now());"
          "GRANT SELECT ON agentpki_migrations TO agentpki_server;"
          "INSERT INTO agentpki_migrations (name, sha256) VALUES ('" +
              ours[0].name + "', '" + ca::Hex(ca::Sha256(ours[0].sql)) + "')");
  EXPECT_FALSE(Migrate(owner_).ok());
  EXPECT_TRUE(Says(CheckSchema(server_), StatusCode::kFailedPrecondition, "it lacks 0002"));

  Execute(owner_, "DROP TABLE agentpki.audit_events");
  EXPECT_EQ(Must(Migrate(owner_)).size(), ours.size() - 1);
}

TEST_F(MigrationTest, SaysHowToMakeTheRoleThatIsMissing) {
  const Endpoint superuser = postgres_.EndpointOf("postgres", "postgres");
  Execute(superuser, "ALTER ROLE agentpki_server RENAME TO elsewhere");
  const Status status = Migrate(owner_).status();
  Execute(superuser, "ALTER ROLE elsewhere RENAME TO agentpki_server");
  EXPECT_TRUE(Says(status, StatusCode::kFailedPrecondition, "CREATE ROLE agentpki_server LOGIN"));
  EXPECT_TRUE(Migrate(owner_).ok()) << "nothing was left half done";
}

TEST_F(MigrationTest, SaysThatTheDatabaseIsAway) {
  const Endpoint nowhere{"host=/nonexistent dbname=agentpki user=agentpki_owner"};
  EXPECT_EQ(Migrate(nowhere).status().code(), StatusCode::kUnavailable);
  EXPECT_EQ(CheckSchema(nowhere).code(), StatusCode::kUnavailable);
}

}  // namespace
}  // namespace db
