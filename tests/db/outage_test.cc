// PostgreSQL is killed and recovers, while many callers are at work: what was acknowledged is
// there, callers hear kUnavailable, and the ledger goes on by itself.

#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "db/postgres_hierarchy_ports.h"
#include "db/postgres_ledger.h"
#include "db/postgres_registry.h"
#include "tests/db/private_postgres.h"
#include "tests/fakes/deployment.h"
#include "tests/fakes/must.h"

namespace db {
namespace {

using ca::Certificate;
using ca::RecordedIssuance;
using ca::RequestId;
using ca::StatusCode;
using ca::testing::Must;
using testing::PrivatePostgres;
using testing::TestDatabase;

class OutageTest : public ::testing::Test {
 protected:
  // An agent's whole life: one request after the other, each repeated until it is answered.
  void EnrollUntilStopped(const ca::Agent& agent) {
    const ca::PublicKey key = ca::testing::PublicHalf(ca::testing::NewSubjectKey());
    while (!is_stopping_) {
      const RequestId request = RequestId::New(clock_.Now());
      for (;;) {
        const auto certificate = Enroll(agent, key, request);
        if (certificate.ok()) {
          Acknowledge(request, *certificate);
          break;
        }
        ++failures_;
        EXPECT_EQ(certificate.status().code(), StatusCode::kUnavailable) << certificate.status();
        if (certificate.status().code() != StatusCode::kUnavailable) return;
        std::this_thread::sleep_for(kBackoff);
      }
    }
  }

  ca::Result<Certificate> Enroll(const ca::Agent& agent, const ca::PublicKey& key,
                                 const RequestId& request) {
    ca::AuditEvent event = ca::testing::EventAt(clock_.Now(), "Enroll");
    event.hierarchy = agent.hierarchy;
    auto intent = TRY(ca::testing::ValueOf(ledger_.RecordIntent(
        deployment_.Prepare(agent, key), ca::SystemGrounds{}, request, event)));
    if (auto* answered = std::get_if<Certificate>(&intent)) return std::move(*answered);
    return ledger_.RecordCertificate(
        deployment_.Sign(std::get<RecordedIssuance>(std::move(intent))));
  }

  void Acknowledge(const RequestId& request, const Certificate& certificate) {
    const std::lock_guard lock(mutex_);
    acknowledged_.emplace(request.ToString(), certificate.Der());
    serials_.insert(certificate.record.serial);
    ++count_;
    count_.notify_all();
  }

  void WaitForMore(int certificates) {
    const int goal = count_ + certificates;
    for (int now = count_; now < goal; now = count_) count_.wait(now);
  }
  void WaitForAFailure() {
    const int before = failures_;
    while (failures_ == before) std::this_thread::yield();
  }

  static constexpr int kAgents = 8;
  static constexpr std::chrono::milliseconds kBackoff{5};

  PrivatePostgres& postgres_ = PrivatePostgres::Shared();
  TestDatabase database_{postgres_};
  ca::testing::FakeClock clock_{ca::SystemClock().Now()};
  PostgresHierarchyPorts stores_{database_.server()};
  PostgresRegistry registry_{database_.server()};
  PostgresLedger ledger_{database_.server(), clock_};
  ca::testing::MemoryKeyStore keys_;
  ca::testing::Deployment deployment_{{stores_, registry_, ledger_, keys_}, clock_};

  std::atomic<bool> is_stopping_ = false;
  std::atomic<int> failures_ = 0;
  std::atomic<int> count_ = 0;
  std::mutex mutex_;
  std::map<std::string, ca::Bytes> acknowledged_;  // by request id
  std::set<ca::SerialNumber> serials_;
};

TEST_F(OutageTest, NothingAcknowledgedIsLostAndTheLedgerGoesOnByItself) {
  constexpr int kCrashes = 2;
  std::vector<std::thread> agents;
  for (int i = 0; i < kAgents; ++i) {
    const ca::Agent agent = deployment_.Register(deployment_.acme, "bot-" + std::to_string(i));
    agents.emplace_back([this, agent] { EnrollUntilStopped(agent); });
  }
  for (int crash = 0; crash < kCrashes; ++crash) {
    WaitForMore(50);
    postgres_.Kill();
    WaitForAFailure();
    postgres_.Start();
  }
  WaitForMore(50);
  is_stopping_ = true;
  for (std::thread& agent : agents) agent.join();

  // As a replica sees it that was not there.
  PostgresLedger witness(database_.server(), clock_);
  std::set<ca::Bytes> certificates;
  for (const auto& serial : serials_) {
    const auto found = witness.FindCertificate(deployment_.acme.id, serial);
    ASSERT_TRUE(found.ok()) << found.status();
    certificates.insert(found->Der());
  }
  for (const auto& [request, der] : acknowledged_) EXPECT_TRUE(certificates.contains(der));
  EXPECT_EQ(serials_.size(), acknowledged_.size());

  // However often a request had to be repeated, it has one serial.
  testing::TestDatabase& database = database_;
  EXPECT_EQ(database.Query("SELECT count(*) FROM agentpki.requests")[0][0].as<size_t>(),
            acknowledged_.size());
  EXPECT_EQ(database.Query("SELECT count(*) FROM agentpki.issuances")[0][0].as<size_t>(),
            acknowledged_.size());
  EXPECT_EQ(database.Query("SELECT count(*) FROM agentpki.signatures")[0][0].as<size_t>(),
            acknowledged_.size());
}

TEST_F(OutageTest, EveryPortSaysThatTheDatabaseIsAwayAndComesBackWithIt) {
  const ca::Agent agent = deployment_.Register(deployment_.acme, "bot");
  const Certificate issued = deployment_.Issue(agent);
  const std::map<std::string, std::function<ca::Status()>> calls = {
      {"FindCertificate",
       [&] { return ledger_.FindCertificate(deployment_.acme.id, issued.record.serial).status(); }},
      {"ListCertificates",
       [&] { return ledger_.ListCertificates({.hierarchy = deployment_.acme.id}).status(); }},
      {"ListRequests",
       [&] {
         return ledger_.ListRequests({.hierarchy = deployment_.acme.id, .after = std::nullopt})
             .status();
       }},
      {"RecordEvent",
       [&] {
         return ledger_.RecordEvent(ca::testing::EventAt(clock_.Now(), "GetAgent")).status();
       }},
      {"CheckHealth", [&] { return ledger_.CheckHealth(); }},
      {"MaintainPartitions", [&] { return ledger_.MaintainPartitions(); }},
      {"FindAgent", [&] { return registry_.FindAgent(deployment_.acme.id, agent.id).status(); }},
      {"FindGrants", [&] { return registry_.FindGrants(agent.id).status(); }},
      {"ListAgents",
       [&] { return registry_.ListAgents({.hierarchy = deployment_.acme.id}).status(); }},
      {"LoadHierarchies", [&] { return stores_.hierarchies.LoadHierarchies().status(); }},
      {"LoadAuthorities", [&] { return stores_.authorities.LoadAuthorities().status(); }},
  };
  for (const auto& [name, call] : calls) EXPECT_TRUE(call().ok()) << name;
  postgres_.Kill();
  for (const auto& [name, call] : calls) {
    EXPECT_EQ(call().code(), StatusCode::kUnavailable) << name << ": " << call();
  }
  postgres_.Start();
  for (const auto& [name, call] : calls) EXPECT_TRUE(call().ok()) << name << ": " << call();
}

}  // namespace
}  // namespace db
