// Callers that arrive together are committed together, and one failure fails no other.

#include <gtest/gtest.h>

#include <map>

#include "tests/db/database_test.h"
#include "tests/db/sleeping_threads.h"

namespace db {
namespace {

using ca::StatusCode;
using ca::testing::Must;
using testing::DeployedDatabaseTest;
using testing::SleepingThreads;

class BatchTest : public DeployedDatabaseTest {
 protected:
  // While this lives, writers to `table` wait, and callers that come meanwhile queue up.
  class Blockade {
   public:
    Blockade(testing::TestDatabase& database, const std::string& table)
        : connection_(database.owner().conninfo), lock_(connection_) {
      lock_.exec("LOCK TABLE agentpki." + table + " IN EXCLUSIVE MODE");
    }

   private:
    pqxx::connection connection_;
    pqxx::work lock_;
  };

  // Has the leaders of a queue wait at the blockade, `calls` queue up behind them, and all go on.
  void Queue(const std::string& table, const std::function<void(int)>& lead,
             const std::vector<std::function<void()>>& calls) {
    SleepingThreads threads;
    auto blockade = std::make_unique<Blockade>(database_, table);
    for (int leader = 0; leader < 2; ++leader) {
      threads.Start([&, leader] { lead(leader); });
      threads.WaitUntilAllSleep();
    }
    for (const auto& call : calls) threads.Start(call);
    threads.WaitUntilAllSleep();
    blockade.reset();
    threads.Join();
  }

  Status RecordIntent(const ca::Agent& agent, const ca::RequestId& request) {
    return ledger_
        .RecordIntent(deployment_.Prepare(agent, NewKey()), ca::SystemGrounds{}, request,
                      EventIn(deployment_.acme, "Enroll"))
        .status();
  }

  // A certificate that would live beyond the days that have a partition.
  Status RecordImpossibleIntent(const ca::Agent& agent) {
    ca::CertificateProfile profile = deployment_.acme.profiles.front();
    profile.lifetime = std::chrono::hours(24 * 60);
    const auto issuer = Must(deployment_.catalog->Find(deployment_.acme.id)->ActiveIssuer());
    auto prepared =
        Must(issuer->Prepare(deployment_.acme, agent, profile, NewKey(), {}, clock_.Now()));
    return ledger_
        .RecordIntent(std::move(prepared), ca::SystemGrounds{}, NewRequest(),
                      EventIn(deployment_.acme, "Enroll"))
        .status();
  }

  // The sizes of the transactions in which there are events of `action`.
  std::map<int, int> TransactionSizes(const std::string& action) {
    std::map<int, int> sizes;
    for (const pqxx::row& row :
         database_.Query("SELECT count(*) FROM agentpki.audit_events WHERE action = '" + action +
                         "' GROUP BY transaction")) {
      ++sizes[row[0].as<int>()];
    }
    return sizes;
  }

  static constexpr int kNeighbours = 6;
};

TEST_F(BatchTest, CallersThatQueueAreCommittedTogether) {
  const ca::Agent agent = deployment_.Register(deployment_.acme, "bot");
  std::vector<Status> outcomes(kNeighbours);
  std::vector<std::function<void()>> calls;
  for (Status& outcome : outcomes) {
    calls.emplace_back([&] { outcome = RecordIntent(agent, NewRequest()); });
  }
  Queue(
      "issuances", [&](int) { Must(RecordIntent(agent, NewRequest())); }, calls);
  for (const Status& outcome : outcomes) EXPECT_TRUE(outcome.ok()) << outcome;
  EXPECT_EQ(TransactionSizes("Enroll"), (std::map<int, int>{{1, 2}, {kNeighbours, 1}}));
}

TEST_F(BatchTest, ARefusedIntentGetsItsOwnOutcomeAndItsNeighboursTheirs) {
  const ca::Agent agent = deployment_.Register(deployment_.acme, "bot");
  const ca::Agent ghost = [&] {
    ca::Agent unknown = ca::testing::AgentOf(deployment_.acme, "ghost");
    unknown.number = ca::AgentNumber{4711};
    return unknown;
  }();
  std::vector<Status> outcomes(kNeighbours);
  Status refused;
  std::vector<std::function<void()>> calls;
  for (Status& outcome : outcomes) {
    calls.emplace_back([&] { outcome = RecordIntent(agent, NewRequest()); });
  }
  calls.emplace_back([&] { refused = RecordIntent(ghost, NewRequest()); });
  Queue(
      "issuances", [&](int) { Must(RecordIntent(agent, NewRequest())); }, calls);

  EXPECT_TRUE(ca::testing::IsRefusal(refused, StatusCode::kNotFound, "agent.unknown"));
  for (const Status& outcome : outcomes) EXPECT_TRUE(outcome.ok()) << outcome;
  EXPECT_EQ(TransactionSizes("Enroll"), (std::map<int, int>{{1, 2}, {kNeighbours, 1}}));
}

TEST_F(BatchTest, AnIntentThatCannotBeStoredDoesNotSinkItsNeighbours) {
  const ca::Agent agent = deployment_.Register(deployment_.acme, "bot");
  std::vector<Status> outcomes(kNeighbours);
  Status impossible;
  std::vector<std::function<void()>> calls;
  for (Status& outcome : outcomes) {
    calls.emplace_back([&] { outcome = RecordIntent(agent, NewRequest()); });
  }
  calls.insert(calls.begin() + 3, [&] { impossible = RecordImpossibleIntent(agent); });
  Queue(
      "issuances", [&](int) { Must(RecordIntent(agent, NewRequest())); }, calls);

  EXPECT_EQ(impossible.code(), StatusCode::kInternal);
  for (const Status& outcome : outcomes) EXPECT_TRUE(outcome.ok()) << outcome;
  EXPECT_EQ(Count("agentpki.issuances"), 2 + kNeighbours);
  EXPECT_EQ(TransactionSizes("Enroll"), (std::map<int, int>{{1, 2 + kNeighbours}}))
      << "they were one batch, or this tests nothing";
}

TEST_F(BatchTest, ASignatureOverWhatIsNotRecordedDoesNotSinkItsNeighbours) {
  const ca::Agent agent = deployment_.Register(deployment_.acme, "bot");
  const auto unrecorded = [&] {
    ca::Certificate certificate = deployment_.Issue(agent);
    certificate.record.serial = ca::SerialNumber::New(certificate.record.validity.not_after);
    return certificate;
  }();
  const auto signed_one = [&] {
    auto intent =
        Must(ledger_.RecordIntent(deployment_.Prepare(agent, NewKey()), ca::SystemGrounds{},
                                  NewRequest(), EventIn(deployment_.acme, "Enroll")));
    return deployment_.Sign(std::get<ca::RecordedIssuance>(std::move(intent)));
  };
  const std::vector<ca::Certificate> leaders = {signed_one(), signed_one()};
  std::vector<ca::Certificate> certificates;
  for (int i = 0; i < kNeighbours; ++i) certificates.push_back(signed_one());

  std::vector<Status> outcomes(kNeighbours);
  Status refused;
  std::vector<std::function<void()>> calls;
  for (size_t i = 0; i < certificates.size(); ++i) {
    calls.emplace_back(
        [&, i] { outcomes[i] = ledger_.RecordCertificate(certificates[i]).status(); });
  }
  calls.emplace_back([&] { refused = ledger_.RecordCertificate(unrecorded).status(); });
  Queue(
      "signatures",
      [&](int leader) {
        Must(ledger_.RecordCertificate(leaders[static_cast<size_t>(leader)]).status());
      },
      calls);

  EXPECT_EQ(refused.code(), StatusCode::kInternal);
  for (const Status& outcome : outcomes) EXPECT_TRUE(outcome.ok()) << outcome;
}

TEST_F(BatchTest, AnEventThatCannotBeStoredDoesNotSinkItsNeighbours) {
  std::vector<Status> outcomes(kNeighbours);
  Status impossible;
  std::vector<std::function<void()>> calls;
  for (Status& outcome : outcomes) {
    calls.emplace_back(
        [&] { outcome = ledger_.RecordEvent(EventIn(deployment_.acme, "Good")).status(); });
  }
  calls.emplace_back([&] {
    ca::AuditEvent event = EventIn(deployment_.acme, "Bad");
    event.at = ca::TimePoint{};  // there is no partition for 1970
    impossible = ledger_.RecordEvent(event).status();
  });
  Queue(
      "audit_events", [&](int) { Must(ledger_.RecordEvent(EventIn(deployment_.acme, "Lead"))); },
      calls);

  EXPECT_EQ(impossible.code(), StatusCode::kInternal);
  for (const Status& outcome : outcomes) EXPECT_TRUE(outcome.ok()) << outcome;
  EXPECT_EQ(Count("agentpki.audit_events WHERE action = 'Good'"), kNeighbours);
}

TEST_F(BatchTest, HierarchiesAreNeverMixedInOneTransaction) {
  const ca::Agent acme = deployment_.Register(deployment_.acme, "bot");
  const ca::Agent globex = deployment_.Register(deployment_.globex, "bot");
  std::vector<Status> outcomes(kNeighbours);
  std::vector<std::function<void()>> calls;
  for (size_t i = 0; i < outcomes.size(); ++i) {
    calls.emplace_back(
        [&, i] { outcomes[i] = RecordIntent(i % 2 == 0 ? acme : globex, NewRequest()); });
  }
  Queue(
      "issuances", [&](int) { Must(RecordIntent(acme, NewRequest())); }, calls);
  for (const Status& outcome : outcomes) EXPECT_TRUE(outcome.ok()) << outcome;
  EXPECT_EQ(TransactionSizes("Enroll"), (std::map<int, int>{{1, 2}, {kNeighbours / 2, 2}}));
}

// ---- failures of a batch as a whole -------------------------------------------------------------

class FailingBatchTest : public BatchTest {
 protected:
  FailingBatchTest() {
    database_.Query(
        "CREATE SEQUENCE public.failures;"
        "GRANT ALL ON SEQUENCE public.failures TO agentpki_server");
  }
  ~FailingBatchTest() override {
    database_.Query("DROP FUNCTION public.fail CASCADE; DROP SEQUENCE public.failures");
  }

  // From now on, `times` times, `sqlstate` is what becomes of a statement that inserts so many
  // intents or more.
  void Fail(const std::string& sqlstate, int rows_min, int times) {
    database_.Query(fmt::format(R"(
      CREATE FUNCTION public.fail() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        IF (SELECT count(*) FROM inserted) >= {} AND nextval('public.failures') <= {} THEN
          RAISE EXCEPTION 'as the test wants it' USING ERRCODE = '{}';
        END IF;
        RETURN NULL;
      END $$;
      CREATE TRIGGER fail AFTER INSERT ON agentpki.issuances REFERENCING NEW TABLE AS inserted
        FOR EACH STATEMENT EXECUTE FUNCTION public.fail())",
                                rows_min, times, sqlstate));
  }

  std::vector<Status> OutcomesOfABatch() {
    const ca::Agent agent = deployment_.Register(deployment_.acme, "bot");
    std::vector<Status> outcomes(kNeighbours);
    std::vector<std::function<void()>> calls;
    for (Status& outcome : outcomes) {
      calls.emplace_back([&] { outcome = RecordIntent(agent, NewRequest()); });
    }
    Queue(
        "issuances", [&](int) { Must(RecordIntent(agent, NewRequest())); }, calls);
    return outcomes;
  }
};

TEST_F(FailingBatchTest, AnIntentThatLosesARaceIsTriedAgain) {
  const ca::Agent agent = deployment_.Register(deployment_.acme, "bot");
  Fail("40P01", 1, 1);  // PostgreSQL breaks a deadlock by aborting one of the two
  const Status outcome = RecordIntent(agent, NewRequest());
  EXPECT_TRUE(outcome.ok()) << outcome;
  EXPECT_EQ(Count("agentpki.issuances"), 1);
}

TEST_F(FailingBatchTest, ABatchThatLosesARaceIsTriedAgainRowByRow) {
  Fail("40001", 2, 1000);
  for (const Status& outcome : OutcomesOfABatch()) EXPECT_TRUE(outcome.ok()) << outcome;
  EXPECT_EQ(Count("agentpki.issuances"), 2 + kNeighbours);
}

// Each row alone might take until the time-out again, one after the other.
TEST_F(FailingBatchTest, ABatchThatTimesOutIsNotTriedAgainRowByRow) {
  Fail("55P03", 2, 1000);
  for (const Status& outcome : OutcomesOfABatch()) {
    EXPECT_EQ(outcome.code(), StatusCode::kDeadlineExceeded) << outcome;
  }
  EXPECT_EQ(Count("agentpki.issuances"), 2);
}

}  // namespace
}  // namespace db
