#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>

#include "tests/contract/world.h"
#include "tests/fakes/must.h"
#include "tests/fakes/refusal.h"

// The contract of each port. Each suite runs once over the fakes and once over PostgreSQL.
namespace contract {

class ContractTest : public ::testing::TestWithParam<WorldKind> {
 protected:
  ContractTest() : world_(WorldOf(GetParam())), clock_(world_.clock) { world_.Reset(); }

  static void TearDownTestSuite() { Worlds().clear(); }

  ca::HierarchyStore& hierarchies() { return world_.ports().hierarchies; }
  ca::AuthorityStore& authorities() { return world_.ports().authorities; }
  ca::ActivationStore& activations() { return world_.ports().activations; }
  ca::Registry& registry() { return world_.ports().registry; }
  ca::Ledger& ledger() { return world_.ports().ledger; }
  ca::RevocationStore& revocations() { return world_.revocations(); }
  ca::CrlStore& crls() { return world_.crls(); }
  ca::AcknowledgementStore& acknowledgements() { return world_.acknowledgements(); }
  ca::ApprovalStore& approvals() { return world_.approvals(); }

  ca::AuditEvent EventIn(const ca::Hierarchy& hierarchy, std::string action) const {
    ca::AuditEvent event = ca::testing::EventAt(clock_.Now(), std::move(action));
    event.hierarchy = hierarchy.id;
    return event;
  }

  World& world_;
  ca::testing::FakeClock& clock_;

 private:
  // All tests of a suite share one, because creating a database takes long.
  static std::map<std::string, std::unique_ptr<World>>& Worlds() {
    static std::map<std::string, std::unique_ptr<World>> worlds;
    return worlds;
  }
  static World& WorldOf(const WorldKind& kind) {
    auto& world = Worlds()[kind.name];
    if (!world) world = kind.make();
    return *world;
  }
};

// With the hierarchies of tests/fakes/samples.h.
class DeployedContractTest : public ContractTest {
 protected:
  DeployedContractTest() : deployment_(world_.ports(), clock_) {}

  ca::testing::Deployment deployment_;
};

void ExpectSame(const ca::IssuanceRecord& actual, const ca::IssuanceRecord& expected);
void ExpectSame(const ca::Agent& actual, const ca::Agent& expected);
void ExpectSame(const ca::JoinTokenRecord& actual, const ca::JoinTokenRecord& expected);
void ExpectSame(const ca::Hierarchy& actual, const ca::Hierarchy& expected);
void ExpectSame(const ca::AuditEvent& actual, const ca::AuditEvent& expected);
void ExpectSame(const ca::Revocation& actual, const ca::Revocation& expected);
void ExpectSame(const ca::PublishedCrl& actual, const ca::PublishedCrl& expected);

}  // namespace contract

#define INSTANTIATE_CONTRACT(Suite)                                                        \
  INSTANTIATE_TEST_SUITE_P(, Suite,                                                        \
                           ::testing::Values(WorldKind{"Memory", &MakeMemoryWorld},        \
                                             WorldKind{"PostgreSql", &MakePostgresWorld}), \
                           [](const auto& param) { return param.param.name; })
