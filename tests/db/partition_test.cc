// maintain_partitions() makes the days to come and drops what is past its retention, and no more.

#include <gtest/gtest.h>

#include <set>
#include <thread>

#include "tests/db/database_test.h"

namespace db {
namespace {

using ca::testing::Must;
using testing::DatabaseTest;

class PartitionTest : public DatabaseTest {
 protected:
  ~PartitionTest() override { Execute("UPDATE agentpki.retention SET days = 90"); }

  void Execute(const std::string& sql) {
    pqxx::connection owner(database_.owner().conninfo);
    pqxx::nontransaction(owner).exec(sql);
  }

  // As a server does it every hour.
  void Maintain() {
    const ca::SystemClock clock;
    Must(PostgresLedger(database_.server(), clock).MaintainPartitions());
  }

  // A partition for one day, counted from today.
  void MakeByHand(const std::string& parent, int day) {
    const std::string date = "(now() AT TIME ZONE 'UTC')::date + (" + std::to_string(day) + ")";
    Execute(
        fmt::format("CALL agentpki.add_partition('{0}', to_char({1}, 'YYYYMMDD'), {1}, {1} + 1)",
                    parent, date));
  }

  // The days of a table's partitions, counted from today, by their names.
  std::set<int> DaysOf(const std::string& parent) {
    std::set<int> days;
    for (const pqxx::row& row :
         database_.Query("SELECT to_date(right(inhrelid::regclass::text, 8), 'YYYYMMDD') "
                         "       - (now() AT TIME ZONE 'UTC')::date "
                         "  FROM pg_inherits WHERE inhrelid::regclass::text ~ '_[0-9]{8}$' "
                         "   AND inhparent = 'agentpki." +
                         parent + "'::regclass")) {
      days.insert(row[0].as<int>());
    }
    return days;
  }

  // The same of a table that is kept by months.
  std::set<int> MonthsOf(const std::string& parent) {
    std::set<int> months;
    for (const pqxx::row& row :
         database_.Query("SELECT 12 * (left(month, 4)::integer - extract(year FROM today)) "
                         "         + right(month, 2)::integer - extract(month FROM today) "
                         "  FROM pg_inherits, right(inhrelid::regclass::text, 6) AS month, "
                         "       timezone('UTC', now()) AS today "
                         " WHERE inhparent = 'agentpki." +
                         parent + "'::regclass")) {
      months.insert(row[0].as<int>());
    }
    return months;
  }

  static std::set<int> Days(int first, int last) {
    std::set<int> days;
    for (int day = first; day <= last; ++day) days.insert(day);
    return days;
  }

  std::string Bounds(const std::string& parent) {
    return Value(
        "SELECT string_agg(inhrelid::regclass || ' ' || pg_get_expr(relpartbound, inhrelid), '\n' "
        "ORDER BY inhrelid::regclass::text) FROM pg_inherits JOIN pg_class ON oid = inhrelid "
        "WHERE inhparent = 'agentpki." +
        parent + "'::regclass");
  }
};

TEST_F(PartitionTest, MakesThoseOfYesterdayAndTheDaysInWhichALeafMayExpire) {
  Maintain();
  EXPECT_EQ(DaysOf("issuances"), Days(-1, 10));
  EXPECT_EQ(DaysOf("signatures"), Days(-1, 10));
  EXPECT_EQ(DaysOf("revocations"), Days(-1, 10));
}

TEST_F(PartitionTest, MakesThoseOfTheDaysOfWhichARequestIdMayBe) {
  Maintain();
  EXPECT_EQ(DaysOf("requests"), Days(-2, 3));
}

TEST_F(PartitionTest, MakesThoseOfTheMonthsAroundThisOneForEventsAndKeys) {
  Maintain();
  EXPECT_EQ(MonthsOf("audit_events"), Days(-1, 1));
  std::set<int> months = MonthsOf("key_holders");
  months.erase(-1);  // of which there are holders on the first days of a month
  EXPECT_EQ(months, Days(0, 1));
}

// Making and dropping tables locks out everybody else.
TEST_F(PartitionTest, DoesNothingWhenThereIsNothingToDo) {
  Maintain();
  database_.Query(R"(
    CREATE TABLE public.commands (tag text);
    CREATE FUNCTION public.note() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER AS
      $$ BEGIN INSERT INTO public.commands VALUES (tg_tag); END $$;
    CREATE EVENT TRIGGER note ON ddl_command_start EXECUTE FUNCTION public.note())");
  Maintain();
  const int commands = Count("public.commands");
  database_.Query("DROP EVENT TRIGGER note; DROP FUNCTION public.note; DROP TABLE public.commands");
  EXPECT_EQ(commands, 0);
}

// A key is held until its certificate expires, at the latest at the end of its month.
TEST_F(PartitionTest, DropsTheHoldersOfKeysWhoseMonthIsOver) {
  for (const char* month : {"2000-01-01", "2020-12-01"}) {
    Execute(
        fmt::format("CALL agentpki.add_partition('key_holders', to_char('{0}'::date, 'YYYYMM'),"
                    "'{0}', ('{0}'::date + interval '1 month')::date)",
                    month));
  }
  Maintain();
  for (const int month : MonthsOf("key_holders")) EXPECT_GE(month, -1);
}

TEST_F(PartitionTest, MakesOneThatIsMissing) {
  Execute(
      "DO $$ BEGIN EXECUTE format('DROP TABLE agentpki.issuances_%s', "
      "to_char((now() AT TIME ZONE 'UTC')::date + 3, 'YYYYMMDD')); END $$");
  ASSERT_FALSE(DaysOf("issuances").contains(3));
  Maintain();
  EXPECT_EQ(DaysOf("issuances"), Days(-1, 10));
}

TEST_F(PartitionTest, DropsCertificatesThatExpiredLongerAgoThanTheirRetention) {
  Execute("UPDATE agentpki.retention SET days = 1");
  for (const char* parent : {"issuances", "signatures", "revocations"}) {
    for (const int day : {-400, -3, -2}) MakeByHand(parent, day);
  }
  Maintain();
  EXPECT_EQ(DaysOf("issuances"), Days(-1, 10));
  EXPECT_EQ(DaysOf("signatures"), Days(-1, 10));
  EXPECT_EQ(DaysOf("revocations"), Days(-1, 10));
}

TEST_F(PartitionTest, KeepsTheRevocationsOfAuthorities) {
  database_.Query(
      "INSERT INTO agentpki.revocations (expiry_day, serial, hierarchy, authority, shard, "
      "not_after, revoked_at, reason, revoked_by) "
      "VALUES ('infinity', '\\x01', 1, 1, 0, '2000-01-01', '2000-01-01', 0, '')");
  Execute("UPDATE agentpki.retention SET days = 1");
  Maintain();
  EXPECT_EQ(Count("agentpki.revocations"), 1);
}

TEST_F(PartitionTest, ForgetsTheDaysOfShardsWithTheirCertificates) {
  database_.Query(
      "INSERT INTO agentpki.crl_shard_days SELECT 1, 0, (now() AT TIME ZONE 'UTC')::date - d "
      "FROM unnest(ARRAY[1, 2, 3]) AS d");
  Execute("UPDATE agentpki.retention SET days = 2");
  Maintain();
  EXPECT_EQ(Count("agentpki.crl_shard_days"), 2);
}

TEST_F(PartitionTest, KeepsCertificatesToTheLastDayOfTheirRetention) {
  Execute("UPDATE agentpki.retention SET days = 3");
  for (const int day : {-4, -3, -2}) MakeByHand("issuances", day);
  Maintain();
  EXPECT_EQ(DaysOf("issuances"), Days(-3, 10));
  Execute("UPDATE agentpki.retention SET days = 1");
  Maintain();
}

TEST_F(PartitionTest, DropsRequestsThatNobodyMayRepeatAnyMore) {
  for (const int day : {-400, -4, -3}) MakeByHand("requests", day);
  Maintain();
  EXPECT_EQ(DaysOf("requests"), Days(-2, 3));
}

TEST_F(PartitionTest, DropsNoEvents) {
  Execute("UPDATE agentpki.retention SET days = 1");
  Execute("CALL agentpki.add_partition('audit_events', '200001', '2000-01-01', '2000-02-01')");
  Maintain();
  EXPECT_EQ(Value("SELECT to_regclass('agentpki.audit_events_200001') IS NOT NULL"), "t");
  Execute("DROP TABLE agentpki.audit_events_200001");
}

TEST_F(PartitionTest, DropsNothingThatOnlyLooksLikeAPartition) {
  Execute(
      "UPDATE agentpki.retention SET days = 1;"
      "CREATE TABLE agentpki.issuances_20000101 (x integer)");
  Maintain();
  EXPECT_EQ(Value("SELECT to_regclass('agentpki.issuances_20000101') IS NOT NULL"), "t");
  Execute("DROP TABLE agentpki.issuances_20000101");
}

TEST_F(PartitionTest, TakesWhatItDropsOutOfTheLedger) {
  MakeByHand("issuances", -100);
  database_.Query(
      "INSERT INTO agentpki.issuances SELECT (now() AT TIME ZONE 'UTC')::date - 100, '\\x01', 1, "
      "1, 0, 1, 'spiffe://a.example/b', 'agent', '', now(), now(), '', now()");
  Maintain();
  EXPECT_EQ(Count("agentpki.issuances"), 0);
}

TEST_F(PartitionTest, IsDoneOnceWhenSeveralReplicasDoIt) {
  Execute("UPDATE agentpki.retention SET days = 1");
  for (const int day : {-9, -8, -7}) MakeByHand("issuances", day);
  std::vector<std::thread> replicas;
  for (int i = 0; i < 4; ++i) replicas.emplace_back([this] { Maintain(); });
  for (std::thread& replica : replicas) replica.join();
  EXPECT_EQ(DaysOf("issuances"), Days(-1, 10));
}

// Months begin at midnight UTC, wherever the one who calls it lives: no gap, no overlap.
TEST_F(PartitionTest, MakesTheSameInEveryTimeZone) {
  Maintain();
  const std::string expected = Bounds("audit_events");
  for (const char* zone : {"Pacific/Kiritimati", "America/Los_Angeles"}) {
    Execute(
        "DO $$ DECLARE name regclass; BEGIN "
        "FOR name IN SELECT inhrelid FROM pg_inherits "
        "            WHERE inhparent = 'agentpki.audit_events'::regclass LOOP "
        "EXECUTE format('DROP TABLE %s', name); END LOOP; END $$");
    Execute(std::string("SET TimeZone = '") + zone + "'; SELECT agentpki.maintain_partitions()");
    EXPECT_EQ(Bounds("audit_events"), expected) << zone;
  }
}

}  // namespace
}  // namespace db
