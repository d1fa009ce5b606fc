// Two concurrent conductors never publish the same number, and old CRLs are dropped.

#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <thread>

#include "tests/db/database_test.h"

namespace db {
namespace {

using ca::PublishedCrl;
using ca::StatusCode;
using ca::testing::Must;
using std::chrono::hours;
using testing::DeployedDatabaseTest;

class CrlStoreTest : public DeployedDatabaseTest {
 protected:
  PublishedCrl Crl(std::int64_t number, std::int64_t base = 0) const {
    return {.authority = issuer_,
            .number = number,
            .base_number = base,
            .this_update = clock_.Now(),
            .next_update = clock_.Now() + hours(1),
            .der = "der"};
  }
  Status Publish(PostgresCrlStore& store, const PublishedCrl& crl) {
    return store.Publish(deployment_.acme.id, crl);
  }

  // As if what is there had been published so long ago.
  void Age(const std::string& interval) {
    database_.Query("UPDATE agentpki.crls SET published_at = published_at - interval '" + interval +
                    "'");
  }
  std::string Numbers() {
    return Value("SELECT string_agg(number::text, ' ' ORDER BY number) FROM agentpki.crls");
  }

  const ca::AuthorityId issuer_ =
      Must(deployment_.catalog->Find(deployment_.acme.id)->ActiveIssuer())->id();
  PostgresCrlStore other_replica_{database_.server()};
};

TEST_F(CrlStoreTest, LetsOneOfTwoConductorsHaveANumber) {
  constexpr int kConductors = 8, kEach = 10;
  std::atomic<int> published = 0;
  std::latch start(kConductors);
  std::vector<std::thread> conductors;
  for (int i = 0; i < kConductors; ++i) {
    conductors.emplace_back([&, i] {
      PostgresCrlStore& store = i % 2 == 0 ? crls_ : other_replica_;
      start.arrive_and_wait();
      for (int done = 0; done < kEach;) {
        const Status status = Publish(store, Crl(Must(store.LastNumber(issuer_, 0)) + 1));
        if (status.ok()) {
          ++done;
          ++published;
        } else if (status.code() != StatusCode::kAlreadyExists) {
          ADD_FAILURE() << status;
          return;
        }
      }
    });
  }
  for (std::thread& conductor : conductors) conductor.join();
  EXPECT_EQ(published, kConductors * kEach);
  EXPECT_EQ(Must(crls_.LastNumber(issuer_, 0)), kConductors * kEach) << "each number once";
}

TEST_F(CrlStoreTest, LetsOneOfManyOpenAShard) {
  constexpr int kConductors = 8;
  std::atomic<int> opened = 0;
  std::latch start(kConductors);
  std::vector<std::thread> conductors;
  for (int i = 0; i < kConductors; ++i) {
    conductors.emplace_back([&, i] {
      PostgresCrlStore& store = i % 2 == 0 ? crls_ : other_replica_;
      start.arrive_and_wait();
      const Status status = store.OpenShard(issuer_, 0, clock_.Now());
      if (status.ok()) {
        ++opened;
      } else {
        EXPECT_EQ(status.code(), StatusCode::kAborted) << status;
      }
    });
  }
  for (std::thread& conductor : conductors) conductor.join();
  EXPECT_EQ(opened, 1);
  EXPECT_EQ(Count("agentpki.crl_shards"), 1);
}

TEST_F(CrlStoreTest, DropsWhatHadASuccessorTenMinutesAgo) {
  for (const auto& crl : {Crl(1), Crl(2), Crl(3, 2)}) Must(Publish(crls_, crl));
  Age("9 minutes");
  Must(Publish(crls_, Crl(4, 2)));
  EXPECT_EQ(Numbers(), "1 2 3 4") << "somebody may still be about to load it";
  Age("2 minutes");
  Must(Publish(crls_, Crl(5)));
  EXPECT_EQ(Numbers(), "2 3 4 5");
}

TEST_F(CrlStoreTest, GivesNoNumberTwiceHoweverOldTheLastOneIs) {
  for (const auto& crl : {Crl(1), Crl(2, 1)}) Must(Publish(crls_, crl));
  Age("1 year");
  Must(ledger_.MaintainPartitions());
  EXPECT_EQ(Must(crls_.LastNumber(issuer_, 0)), 2);
  Must(Publish(crls_, Crl(3)));
  Age("1 year");
  Must(Publish(crls_, Crl(4)));
  EXPECT_EQ(Numbers(), "2 3 4") << "the newest complete and delta, and what it superseded just now";
  EXPECT_EQ(Publish(crls_, Crl(3)).code(), StatusCode::kAlreadyExists);
}

// Beyond some thousand pages the certificates of a shard are not counted but estimated.
TEST_F(CrlStoreTest, EstimatesHowManyCertificatesAShardHas) {
  deployment_.Issue(deployment_.Register(deployment_.acme, "bot"));
  constexpr int kMore = 60'000;
  database_.Query(fmt::format(
      "INSERT INTO agentpki.issuances SELECT expiry_day, sha256(i::text::bytea), hierarchy, "
      "authority, i * 4 / {0}, agent, subject, profile, key_fingerprint, not_before, not_after, "
      "tbs, recorded_at FROM agentpki.issuances, generate_series(1, {0} - 1) AS i",
      kMore));
  database_.Query(fmt::format(
      "INSERT INTO agentpki.crl_shards SELECT {}, s, now() FROM generate_series(1, 3) AS s",
      static_cast<std::int64_t>(issuer_)));
  std::int64_t count = 0;
  for (const ca::CrlShardRecord& shard : Must(crls_.LoadShards(clock_.Now()))) {
    if (shard.authority == issuer_ && shard.shard == 3) count = shard.certificate_count;
  }
  EXPECT_GT(count, kMore / 4 * 75 / 100);
  EXPECT_LT(count, kMore / 4 * 125 / 100);
}

// to_date() must not see the names of other relations, in whatever order PostgreSQL joins: few of
// them end in a day.
TEST_F(CrlStoreTest, CountsCertificatesHoweverTheirPartitionsAreLookedUp) {
  constexpr std::string_view kJoins[] = {"nestloop", "hashjoin", "mergejoin"};
  for (const std::string_view join : kJoins) {
    pqxx::connection owner(database_.owner().conninfo);  // a new one: plans are kept in a session
    pqxx::nontransaction session(owner);
    for (const std::string_view other : kJoins) {
      session.exec(fmt::format("SET enable_{} = {}", other, other == join ? "on" : "off"));
    }
    EXPECT_NO_THROW(session.exec("SELECT * FROM agentpki.live_certificates(now())")) << join;
  }
}

}  // namespace
}  // namespace db
