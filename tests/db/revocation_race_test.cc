// An order and the intents that it concerns take turns: what is judged still holds when it commits,
// and what is revoked whole has nothing left out.

#include <gtest/gtest.h>

#include <functional>
#include <latch>
#include <thread>

#include "db/row.h"
#include "tests/db/database_test.h"

namespace db {
namespace {

using ca::AllOfAgent;
using ca::AllOfAuthority;
using ca::Certificate;
using ca::RenewalGrounds;
using ca::RevocationOrder;
using ca::RevocationReason;
using ca::StatusCode;
using ca::SystemGrounds;
using ca::testing::IsRefusal;
using ca::testing::Must;
using std::chrono::milliseconds;
using testing::DeployedDatabaseTest;

class RevocationRaceTest : public DeployedDatabaseTest {
 protected:
  using Answer = ca::Result<Certificate>;

  RevocationOrder OrderOf(std::variant<ca::SerialNumber, AllOfAgent, AllOfAuthority> target,
                          RevocationReason reason = RevocationReason::kSuperseded) const {
    return {.hierarchy = deployment_.acme.id,
            .target = std::move(target),
            .reason = reason,
            .invalidity_date = std::nullopt,
            .now = clock_.Now()};
  }
  ca::Result<ca::RevocationOutcome> Revoke(const RevocationOrder& order) {
    return ca::testing::ValueOf(revocations_.Revoke(order, EventIn(deployment_.acme, "Revoke")));
  }

  Answer Issue(ca::Ledger& replica, const ca::Agent& agent, const ca::PublicKey& key,
               const ca::Grounds& grounds) {
    auto intent = TRY(ca::testing::ValueOf(
        replica.RecordIntent(deployment_.Prepare(agent, key), grounds, NewRequest(),
                             EventIn(deployment_.HierarchyOf(agent), "Enroll"))));
    if (auto* answered = std::get_if<Certificate>(&intent)) return std::move(*answered);
    return replica.RecordCertificate(
        deployment_.Sign(std::get<ca::RecordedIssuance>(std::move(intent))));
  }

  // Renews each by the one before it, from both replicas, until it is refused; revokes meanwhile.
  void RenewWhile(const std::vector<Certificate>& first, const std::vector<ca::Agent>& agents,
                  const std::function<void()>& revoke) {
    std::latch started(static_cast<std::ptrdiff_t>(first.size()));
    std::vector<std::thread> renewers;
    std::vector<Status> ends(first.size());
    for (size_t i = 0; i < first.size(); ++i) {
      renewers.emplace_back([&, i] {
        ca::Ledger& replica = i % 2 == 0 ? static_cast<ca::Ledger&>(ledger_) : other_replica_;
        Certificate standing = first[i];
        for (int renewals = 0; ends[i].ok(); ++renewals) {
          auto next = Issue(replica, agents[i % agents.size()], NewKey(),
                            RenewalGrounds{standing.record.serial});
          if (next.ok()) standing = *next;
          ends[i] = next.status();
          if (renewals == 0) started.count_down();
        }
      });
    }
    started.wait();
    revoke();
    for (std::thread& renewer : renewers) renewer.join();
    for (const Status& end : ends) {
      EXPECT_TRUE(IsRefusal(end, StatusCode::kPermissionDenied, "renewal.revoked"));
    }
  }

  int CountNotRevoked() {
    return Count(
        "agentpki.issuances AS i "
        "WHERE NOT EXISTS (SELECT FROM agentpki.revocations AS r WHERE r.serial = i.serial)");
  }

  // An order that is carried out, and not yet committed.
  class HalfWay {
   public:
    HalfWay(const Endpoint& server, const RevocationOrder& order)
        : connection_(Connect(server)), work_(*connection_) {
      const auto* serial = std::get_if<ca::SerialNumber>(&order.target);
      const auto* agent = std::get_if<AllOfAgent>(&order.target);
      const auto* authority = std::get_if<AllOfAuthority>(&order.target);
      work_.exec(fmt::format(
          "SELECT agentpki.revoke({}, '{}', {}, {}, {}, {}, {}::smallint, NULL, '', false, 0)",
          static_cast<int>(order.hierarchy), TimeText(order.now),
          serial ? fmt::format("'{}'", TimeText(serial->ExpiryDay()).substr(0, 10)) : "NULL",
          serial ? fmt::format("'\\x{}'", serial->ToString()) : "NULL",
          agent ? fmt::format("'{}'", agent->agent.ToString()) : "NULL",
          authority ? std::to_string(static_cast<std::int64_t>(authority->authority)) : "NULL",
          static_cast<int>(order.reason)));
    }
    void Commit() { work_.commit(); }

   private:
    std::unique_ptr<pqxx::connection> connection_;
    pqxx::work work_;
  };

  // Returns when a session waits for an advisory lock.
  void AwaitWaiting() {
    for (int i = 0; i < 2000; ++i) {
      if (Count("pg_locks WHERE locktype = 'advisory' AND NOT granted") > 0) return;
      std::this_thread::sleep_for(milliseconds(2));
    }
    ADD_FAILURE() << "nobody waits for the order";
  }

  // The outcome of an intent that comes while the order is under way.
  Answer IssueDuring(const RevocationOrder& order, const ca::Agent& agent, const ca::PublicKey& key,
                     const ca::Grounds& grounds) {
    HalfWay half_way(database_.server(), order);
    Answer answer = ca::Error(StatusCode::kUnknown, "never called");
    std::thread issuer([&] { answer = Issue(ledger_, agent, key, grounds); });
    AwaitWaiting();
    half_way.Commit();
    issuer.join();
    return answer;
  }

  const ca::Agent bot_ = deployment_.Register(deployment_.acme, "bot");
  const ca::Agent other_ = deployment_.Register(deployment_.acme, "other");
  const ca::Agent stranger_ = deployment_.Register(deployment_.globex, "bot");
  PostgresLedger other_replica_{database_.server(), clock_};
};

// ---- many at once -------------------------------------------------------------------------------

TEST_F(RevocationRaceTest, LeavesOutNothingOfAnAgentThatRenewsMeanwhile) {
  for (int round = 0; round < 4; ++round) {
    std::vector<Certificate> first;
    for (int i = 0; i < 8; ++i) first.push_back(deployment_.Issue(bot_));
    RenewWhile(first, {bot_}, [&] { Must(Revoke(OrderOf(AllOfAgent{bot_.id})).status()); });
    EXPECT_EQ(CountNotRevoked(), 0);
  }
}

TEST_F(RevocationRaceTest, LeavesOutNothingOfAnAuthorityThatIssuesMeanwhile) {
  const auto authority = Must(deployment_.catalog->Find(deployment_.acme.id)->ActiveIssuer())->id();
  for (int round = 0; round < 4; ++round) {
    std::vector<Certificate> first;
    for (int i = 0; i < 8; ++i) first.push_back(deployment_.Issue(i % 2 == 0 ? bot_ : other_));
    RenewWhile(first, {bot_, other_},
               [&] { Must(Revoke(OrderOf(AllOfAuthority{authority})).status()); });
    EXPECT_EQ(CountNotRevoked(), 0);
  }
}

TEST_F(RevocationRaceTest, TakesManyOrdersAndIntentsAtOnceWithoutADeadlock) {
  const auto authority = Must(deployment_.catalog->Find(deployment_.acme.id)->ActiveIssuer())->id();
  std::atomic<int> failures = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 15; ++i) {
        const ca::Agent& agent = (t + i) % 2 == 0 ? bot_ : other_;
        const auto issued = Issue(t % 2 == 0 ? static_cast<ca::Ledger&>(ledger_) : other_replica_,
                                  agent, NewKey(), SystemGrounds{});
        if (!issued.ok()) {
          ++failures;
          ADD_FAILURE() << issued.status();
          continue;
        }
        const auto reason =
            i % 3 == 0 ? RevocationReason::kKeyCompromise : RevocationReason::kUnspecified;
        const auto revoked = i % 5 == 0   ? Revoke(OrderOf(AllOfAuthority{authority}, reason))
                             : i % 5 == 1 ? Revoke(OrderOf(AllOfAgent{agent.id}, reason))
                                          : Revoke(OrderOf(issued->record.serial, reason));
        if (!revoked.ok()) ADD_FAILURE() << revoked.status();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(failures, 0);
}

// An order that is carried out by several at once is carried out once.
TEST_F(RevocationRaceTest, RevokesOnceWhatManyRevokeAtOnce) {
  const Certificate certificate = deployment_.Issue(bot_);
  std::atomic<std::int64_t> revoked = 0, revoked_before = 0;
  std::vector<std::thread> revokers;
  for (int i = 0; i < 8; ++i) {
    revokers.emplace_back([&, i] {
      const auto outcome = i % 2 == 0 ? Revoke(OrderOf(certificate.record.serial))
                                      : Revoke(OrderOf(AllOfAgent{bot_.id}));
      if (!outcome.ok()) ADD_FAILURE() << outcome.status();
      if (!outcome.ok()) return;
      revoked += outcome->revoked_count;
      revoked_before += outcome->already_revoked_count;
    });
  }
  for (std::thread& revoker : revokers) revoker.join();
  EXPECT_EQ(revoked, 1);
  EXPECT_EQ(revoked_before, 7);
}

// ---- half-way -----------------------------------------------------------------------------------

TEST_F(RevocationRaceTest, RefusesARenewalThatCameWhileItsCertificateWasRevoked) {
  const Certificate certificate = deployment_.Issue(bot_);
  const auto authority = certificate.record.authority;
  for (const auto& order : {OrderOf(certificate.record.serial), OrderOf(AllOfAgent{bot_.id}),
                            OrderOf(AllOfAuthority{authority})}) {
    const Certificate standing = deployment_.Issue(bot_);
    const bool is_single = std::holds_alternative<ca::SerialNumber>(order.target);
    const auto& presented = is_single ? certificate : standing;
    EXPECT_TRUE(IsRefusal(
        IssueDuring(order, bot_, NewKey(), RenewalGrounds{presented.record.serial}).status(),
        StatusCode::kPermissionDenied, "renewal.revoked"));
  }
}

TEST_F(RevocationRaceTest, RefusesAKeyThatCameWhileItWasRevokedForCompromise) {
  for (const ca::Agent& agent : {other_, stranger_}) {
    for (const int target : {0, 1, 2}) {
      const ca::PublicKey key = NewKey();
      const Certificate certificate = deployment_.Issue(bot_, key);
      const RevocationOrder orders[] = {
          OrderOf(certificate.record.serial, RevocationReason::kKeyCompromise),
          OrderOf(AllOfAgent{bot_.id}, RevocationReason::kKeyCompromise),
          OrderOf(AllOfAuthority{certificate.record.authority}, RevocationReason::kKeyCompromise)};
      EXPECT_TRUE(IsRefusal(IssueDuring(orders[target], agent, key, SystemGrounds{}).status(),
                            StatusCode::kPermissionDenied, "key.compromised"))
          << agent.id.ToString() << " " << target;
    }
  }
}

// More keys than are locked one by one.
TEST_F(RevocationRaceTest, RefusesAKeyOfAnAgentWithManyThatWereRevokedForCompromise) {
  const ca::PublicKey key = NewKey();
  deployment_.Issue(bot_, key);
  database_.Query(
      "INSERT INTO agentpki.issuances SELECT expiry_day, sha256(i::text::bytea), hierarchy, "
      "authority, shard, agent, subject, profile, sha256(i::text::bytea), not_before, not_after, "
      "tbs, recorded_at FROM agentpki.issuances, generate_series(1, 300) AS i");
  EXPECT_TRUE(IsRefusal(IssueDuring(OrderOf(AllOfAgent{bot_.id}, RevocationReason::kKeyCompromise),
                                    stranger_, key, SystemGrounds{})
                            .status(),
                        StatusCode::kPermissionDenied, "key.compromised"));
  EXPECT_EQ(Count("agentpki.blocked_keys"), 301);
}

// Unrelated intents do not wait.
TEST_F(RevocationRaceTest, KeepsNobodyElseWaiting) {
  const Certificate certificate = deployment_.Issue(bot_);
  HalfWay half_way(database_.server(),
                   OrderOf(certificate.record.serial, RevocationReason::kKeyCompromise));
  EXPECT_TRUE(Issue(ledger_, other_, NewKey(), SystemGrounds{}).ok());
  EXPECT_TRUE(Issue(ledger_, stranger_, NewKey(), SystemGrounds{}).ok());
  half_way.Commit();
}

// The lock on a key is the one that record_intents() gets from here.
TEST_F(RevocationRaceTest, NumbersTheLockOfAKeyByItsFirstOctets) {
  EXPECT_EQ(Value("SELECT agentpki.key_lock('\\x0102030405060708ffff')"), "578437695752307201");
  EXPECT_EQ(Value("SELECT agentpki.key_lock('\\xffffffffffffffff00')"), "-1");
}

}  // namespace
}  // namespace db
