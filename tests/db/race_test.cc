// Many concurrent callers on two replicas: an act that may happen once happens exactly once.

#include <gtest/gtest.h>

#include <latch>
#include <set>
#include <thread>

#include "tests/db/database_test.h"

namespace db {
namespace {

using ca::Certificate;
using ca::RecordedIssuance;
using ca::RequestId;
using ca::StatusCode;
using ca::testing::IsRefusal;
using ca::testing::Must;
using testing::DeployedDatabaseTest;

class RaceTest : public DeployedDatabaseTest {
 protected:
  static constexpr size_t kCallers = 16;
  static constexpr int kRounds = 3;

  using Answer = ca::Result<Certificate>;

  // Half of them from each replica, at the same time.
  std::vector<Answer> Race(const std::function<Answer(ca::Ledger&, size_t caller)>& call) {
    std::vector<Answer> answers(kCallers, ca::Error(StatusCode::kUnknown, "never called"));
    std::latch start(kCallers);
    std::vector<std::thread> threads;
    for (size_t caller = 0; caller < kCallers; ++caller) {
      threads.emplace_back([&, caller] {
        ca::Ledger& replica = caller % 2 == 0 ? static_cast<ca::Ledger&>(ledger_) : other_replica_;
        start.arrive_and_wait();
        answers[caller] = call(replica, caller);
      });
    }
    for (std::thread& thread : threads) thread.join();
    return answers;
  }

  // All the way that a server goes, but for the token's own check of the credential.
  Answer Enroll(ca::Ledger& replica, ca::PreparedCertificate prepared, const ca::Grounds& grounds,
                const RequestId& request) {
    auto intent = TRY(ca::testing::ValueOf(replica.RecordIntent(
        std::move(prepared), grounds, request, EventIn(deployment_.acme, "Enroll"))));
    if (auto* answered = std::get_if<Certificate>(&intent)) return std::move(*answered);
    return replica.RecordCertificate(
        deployment_.Sign(std::get<RecordedIssuance>(std::move(intent))));
  }

  std::vector<ca::PublicKey> NewKeys() const {
    std::vector<ca::PublicKey> keys;
    for (size_t i = 0; i < kCallers; ++i) keys.push_back(NewKey());
    return keys;
  }

  static size_t CountOk(const std::vector<Answer>& answers) {
    return static_cast<size_t>(
        std::count_if(answers.begin(), answers.end(), [](const Answer& a) { return a.ok(); }));
  }

  PostgresLedger other_replica_{database_.server(), clock_};
};

TEST_F(RaceTest, OneOfManyUsesOfAJoinTokenWins) {
  const ca::Agent agent = deployment_.Register(deployment_.acme, "bot");
  for (int round = 0; round < kRounds; ++round) {
    const ca::JoinToken token = deployment_.Invite(agent);
    const ca::JoinTokenGrounds grounds{ca::Sha256(token.secret.Reveal())};
    const auto keys = NewKeys();

    const auto answers = Race([&](ca::Ledger& replica, size_t caller) {
      return Enroll(replica, deployment_.Prepare(agent, keys[caller]), grounds, NewRequest());
    });

    EXPECT_EQ(CountOk(answers), 1u);
    for (const Answer& answer : answers) {
      if (answer.ok()) continue;
      EXPECT_TRUE(IsRefusal(answer.status(), StatusCode::kPermissionDenied, "join-token.used"));
    }
    EXPECT_EQ(Count("agentpki.issuances"), round + 1);
  }
}

TEST_F(RaceTest, OneRequestSentManyTimesAtOnceGetsOneCertificate) {
  const ca::Agent agent = deployment_.Register(deployment_.acme, "bot");
  for (int round = 0; round < kRounds; ++round) {
    const ca::JoinToken token = deployment_.Invite(agent);
    const ca::JoinTokenGrounds grounds{ca::Sha256(token.secret.Reveal())};
    const ca::PublicKey key = NewKey();
    const RequestId request = NewRequest();

    const auto answers = Race([&](ca::Ledger& replica, size_t) {
      return Enroll(replica, deployment_.Prepare(agent, key), grounds, request);
    });

    std::set<ca::Bytes> certificates;
    for (const Answer& answer : answers) {
      ASSERT_TRUE(answer.ok()) << answer.status();
      certificates.insert(answer->Der());
    }
    EXPECT_EQ(certificates.size(), 1u) << "to the octet, the signature included";
    EXPECT_EQ(Count("agentpki.issuances"), round + 1);
    EXPECT_EQ(Count("agentpki.signatures"), round + 1);
  }
}

TEST_F(RaceTest, OneOfTwoAgentsGetsAKeyThatBothAskFor) {
  const std::vector<ca::Agent> agents = {deployment_.Register(deployment_.acme, "bot"),
                                         deployment_.Register(deployment_.globex, "bot")};
  for (int round = 0; round < kRounds; ++round) {
    const ca::PublicKey key = NewKey();

    // Each agent asks both replicas.
    const auto answers = Race([&](ca::Ledger& replica, size_t caller) {
      return Enroll(replica, deployment_.Prepare(agents[caller / 2 % 2], key), ca::SystemGrounds{},
                    NewRequest());
    });

    std::set<std::string> holders;
    for (const Answer& answer : answers) {
      if (answer.ok()) {
        holders.insert(answer->record.subject.ToString());
      } else {
        EXPECT_TRUE(IsRefusal(answer.status(), StatusCode::kAlreadyExists, "key.in-use"));
      }
    }
    EXPECT_EQ(holders.size(), 1u);
    EXPECT_EQ(CountOk(answers), kCallers / 2) << "the holder may have as many as it likes";
  }
}

TEST_F(RaceTest, ATokenIsEitherUsedOrRevoked) {
  const ca::Agent agent = deployment_.Register(deployment_.acme, "bot");
  for (int round = 0; round < kRounds; ++round) {
    const ca::JoinToken token = deployment_.Invite(agent);
    const ca::JoinTokenGrounds grounds{ca::Sha256(token.secret.Reveal())};
    const std::string id = ca::Hex(grounds.secret_hash).substr(0, ca::JoinTokenRecord::kIdSize);
    const auto keys = NewKeys();
    Status revoked;

    const auto answers = Race([&](ca::Ledger& replica, size_t caller) -> Answer {
      if (caller != 0) {
        return Enroll(replica, deployment_.Prepare(agent, keys[caller]), grounds, NewRequest());
      }
      revoked = registry_
                    .RevokeJoinToken(deployment_.acme.id, id, clock_.Now(),
                                     EventIn(deployment_.acme, "RevokeJoinToken"))
                    .status();
      return ca::Error(StatusCode::kUnknown, "the one that revokes");
    });

    EXPECT_EQ(CountOk(answers), revoked.ok() ? 0u : 1u) << revoked;
    if (!revoked.ok()) {
      EXPECT_TRUE(IsRefusal(revoked, StatusCode::kFailedPrecondition, "join-token.used"));
    }
  }
}

TEST_F(RaceTest, OneOfManyRegistersASpiffeId) {
  PostgresRegistry other_registry(database_.server());
  std::atomic<int> registered = 0;
  const auto answers = Race([&](ca::Ledger&, size_t caller) -> Answer {
    PostgresRegistry& registry = caller % 2 == 0 ? registry_ : other_registry;
    const auto agent = TRY(registry.RegisterAgent(ca::testing::AgentOf(deployment_.acme, "bot"),
                                                  EventIn(deployment_.acme, "RegisterAgent")));
    ++registered;
    return ca::Error(StatusCode::kAlreadyExists, "agent {} is mine", agent->owner);
  });
  for (const Answer& answer : answers) {
    EXPECT_EQ(answer.status().code(), StatusCode::kAlreadyExists) << answer.status();
  }
  EXPECT_EQ(registered, 1);
}

}  // namespace
}  // namespace db
