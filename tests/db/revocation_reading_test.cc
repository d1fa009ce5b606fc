// A reader of revocations gets all of them, in any order of commits, and after any loss.

#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <set>
#include <thread>

#include "tests/db/database_test.h"

namespace db {
namespace {

using ca::Revocation;
using ca::RevocationCursor;
using ca::testing::Must;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::DatabaseTest;

// A transaction in which something is revoked, by hand.
class OpenTransaction {
 public:
  explicit OpenTransaction(const Endpoint& endpoint)
      : connection_(endpoint.conninfo), work_(std::make_unique<pqxx::work>(connection_)) {}

  // Without a notification. `serial` is 20 octets in hex, of a certificate that lives for an hour.
  void Revoke(const std::string& serial) {
    work_->exec(
        "INSERT INTO agentpki.revocations (expiry_day, serial, hierarchy, authority, shard, "
        "not_after, revoked_at, reason, revoked_by) "
        "SELECT (n AT TIME ZONE 'UTC')::date, '\\x" +
        serial + "', 1, 1, 0, n, now(), 0, '' FROM (SELECT now() + interval '1 hour') AS t(n)");
  }
  void Commit() {
    work_->commit();
    work_.reset();
  }
  void Abort() { work_.reset(); }

 private:
  pqxx::connection connection_;
  std::unique_ptr<pqxx::work> work_;
};

class RevocationReadingTest : public DatabaseTest {
 protected:
  // As agentpki_owner, who may write past the row-level security.
  OpenTransaction Begin() { return OpenTransaction(database_.owner()); }

  static std::string NewSerial() { return ca::SerialNumber::New(Now() + hours(1)).ToString(); }

  static ca::TimePoint Now() { return ca::SystemClock().Now(); }

  std::vector<std::string> Read() { return Read(cursor_); }
  std::vector<std::string> Read(RevocationCursor& cursor) {
    std::vector<std::string> serials;
    for (const Revocation& one : Must(store_.ReadSince(cursor, Now() - hours(25)))) {
      serials.push_back(one.serial.ToString());
    }
    return serials;
  }

  // The sessions of this database whose last statement is like `statement`.
  void Terminate(const std::string& statement) {
    ASSERT_NE(Value("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
                    " WHERE datname = current_database() AND pid <> pg_backend_pid() "
                    "   AND query LIKE '" +
                    statement + "'"),
              "0");
  }

  PostgresRevocationStore store_{database_.server()};
  RevocationCursor cursor_;
};

using Serials = std::vector<std::string>;

TEST_F(RevocationReadingTest, LeavesOutNoneOfTwoThatCommitInTheOppositeOrder) {
  const std::string first = NewSerial(), second = NewSerial();
  OpenTransaction slow = Begin(), quick = Begin();
  slow.Revoke(first);
  quick.Revoke(second);
  EXPECT_EQ(Read(), Serials());
  quick.Commit();
  EXPECT_EQ(Read(), Serials{second});
  EXPECT_EQ(Read(), Serials());
  slow.Commit();
  EXPECT_EQ(Read(), Serials{first}) << "and the other is not read again";
  EXPECT_EQ(Read(), Serials());
}

TEST_F(RevocationReadingTest, LeavesOutNoneThatBeganBeforeTheFirstReading) {
  const std::string serial = NewSerial();
  OpenTransaction slow = Begin();
  slow.Revoke(serial);
  for (int i = 0; i < 3; ++i) {
    OpenTransaction quick = Begin();
    quick.Revoke(NewSerial());
    quick.Commit();
    EXPECT_EQ(Read().size(), 1u);
  }
  slow.Commit();
  EXPECT_EQ(Read(), Serials{serial});
}

TEST_F(RevocationReadingTest, ReadsNothingOfATransactionThatIsAborted) {
  OpenTransaction aborted = Begin();
  aborted.Revoke(NewSerial());
  EXPECT_EQ(Read(), Serials());
  aborted.Abort();
  EXPECT_EQ(Read(), Serials());
}

// A transaction that stands for long keeps back the oldest number that is not over; what is new
// meanwhile is still read once.
TEST_F(RevocationReadingTest, ReadsNothingTwiceWhileAnotherTransactionStands) {
  OpenTransaction standing = Begin();
  standing.Revoke(NewSerial());
  for (int i = 0; i < 3; ++i) {
    OpenTransaction quick = Begin();
    quick.Revoke(NewSerial());
    quick.Commit();
    EXPECT_EQ(Read().size(), 1u);
    EXPECT_EQ(Read().size(), 0u);
  }
  standing.Abort();
}

TEST_F(RevocationReadingTest, ReadsEachOnceWhileManyRevokeAtOnce) {
  constexpr int kWriters = 6, kEach = 40;
  std::atomic<int> writing = kWriters;
  std::vector<std::thread> writers;
  for (int writer = 0; writer < kWriters; ++writer) {
    writers.emplace_back([&, writer] {
      pqxx::connection connection(database_.owner().conninfo);
      for (int i = 0; i < kEach; ++i) {
        pqxx::work work(connection);
        work.exec(
            "INSERT INTO agentpki.revocations (expiry_day, serial, hierarchy, authority, shard, "
            "not_after, revoked_at, reason, revoked_by) "
            "SELECT (n AT TIME ZONE 'UTC')::date, '\\x" +
            NewSerial() +
            "', 1, 1, 0, n, now(), 0, '' FROM (SELECT now() + interval '1 hour') AS t(n)");
        // Those that began first are not those that commit first.
        work.exec("SELECT pg_sleep(" + std::to_string((writer * 7 + i) % 5) + " / 1000.0)");
        work.commit();
      }
      --writing;
    });
  }
  std::map<std::string, int> times;
  do {
    for (const std::string& serial : Read()) ++times[serial];
  } while (writing > 0);
  for (std::thread& writer : writers) writer.join();
  for (const std::string& serial : Read()) ++times[serial];
  EXPECT_EQ(times.size(), static_cast<size_t>(kWriters * kEach));
  for (const auto& [serial, count] : times) EXPECT_EQ(count, 1) << serial;
}

TEST_F(RevocationReadingTest, ReadsMoreThanOneFetchFromTheBeginning) {
  database_.Query(
      "INSERT INTO agentpki.revocations (expiry_day, serial, hierarchy, authority, shard, "
      "not_after, revoked_at, reason, revoked_by) "
      "SELECT d, int4send(16777216 + (d - date '1970-01-01')) || substr(sha256(i::text::bytea), 1, "
      "16), 1, 1, 0, n, n, 0, '' FROM (SELECT now() + interval '1 hour') AS t(n), "
      "LATERAL (SELECT (n AT TIME ZONE 'UTC')::date) AS u(d), generate_series(1, 20000) AS i");
  const Serials read = Read();
  EXPECT_EQ(read.size(), 20'000u);
  EXPECT_EQ(std::set<std::string>(read.begin(), read.end()).size(), 20'000u);
  EXPECT_EQ(Read(), Serials());
}

// ---- what gets lost -----------------------------------------------------------------------------

TEST_F(RevocationReadingTest, CostsThePatienceWhenANotificationIsLost) {
  Must(store_.AwaitNews(milliseconds(1)));
  Must(store_.AwaitNews(milliseconds(1)));
  Read();
  const std::string serial = NewSerial();
  OpenTransaction silent = Begin();
  silent.Revoke(serial);
  silent.Commit();
  const auto start = std::chrono::steady_clock::now();
  Must(store_.AwaitNews(milliseconds(200)));
  EXPECT_GE(std::chrono::steady_clock::now() - start, milliseconds(190)) << "nobody told";
  EXPECT_EQ(Read(), Serials{serial});
}

TEST_F(RevocationReadingTest, ListensAgainAfterItsConnectionWasLost) {
  Must(store_.AwaitNews(milliseconds(1)));
  Terminate("LISTEN%");
  Status status;
  auto start = std::chrono::steady_clock::now();
  for (int calls = 0; status.ok() && calls < 3; ++calls) {  // the first may only hear of the end
    start = std::chrono::steady_clock::now();
    status = store_.AwaitNews(milliseconds(50));
  }
  EXPECT_EQ(status.code(), ca::StatusCode::kUnavailable) << status;
  EXPECT_GE(std::chrono::steady_clock::now() - start, milliseconds(50)) << "or callers would spin";

  Must(store_.AwaitNews(seconds(30)));  // returns at once: something may have been missed
  database_.Query("NOTIFY agentpki_revocations");
  Must(store_.AwaitNews(seconds(30)));
  EXPECT_LT(std::chrono::steady_clock::now() - start, seconds(15));
}

// A database that comes back from a crash may give numbers of transactions again.
TEST_F(RevocationReadingTest, ReadsAllAnewAfterItsSessionWasLost) {
  const std::string first = NewSerial();
  OpenTransaction before = Begin();
  before.Revoke(first);
  before.Commit();
  EXPECT_EQ(Read(), Serials{first});
  EXPECT_EQ(Read(), Serials());
  Terminate("%read_revocations%");
  EXPECT_EQ(Read(), Serials{first});
  EXPECT_EQ(Read(), Serials());
}

// After a restore from a dump, the restored rows have transaction numbers of the other database.
TEST_F(RevocationReadingTest, ReadsWhatCameWithADumpOnce) {
  const std::string restored = NewSerial();
  OpenTransaction dump = Begin();
  dump.Revoke(restored);
  dump.Commit();
  database_.Query("UPDATE agentpki.revocations SET transaction = '1000000000000'");
  EXPECT_EQ(Read(), Serials{restored});
  const std::string later = NewSerial();
  OpenTransaction next = Begin();
  next.Revoke(later);
  next.Commit();
  EXPECT_EQ(Read(), Serials{later});
}

}  // namespace
}  // namespace db
