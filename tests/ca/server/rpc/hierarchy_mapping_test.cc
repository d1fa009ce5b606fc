// Hierarchies and their ends on the wire, and how ready a hierarchy is.

#include "ca/server/rpc/hierarchy_mapping.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/fakes/deployment.h"

namespace server {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class HierarchyMappingTest : public ::testing::Test {
 protected:
  HierarchyReadiness Readiness(const MissingStatus& missing) const {
    return ReadinessOf(*deployment_.catalog->Find(deployment_.acme.id), missing);
  }

  ca::testing::FakeClock clock_;
  ca::testing::MemoryPorts ports_{clock_};
  ca::testing::Deployment deployment_{ports_, clock_};
};

TEST_F(HierarchyMappingTest, AHierarchyIsReadyWhenItIssuesAndItsStatusIsServed) {
  const auto readiness = Readiness([](const ca::Authority&) { return std::vector<std::string>(); });
  EXPECT_EQ(readiness.active_authority, "acme/prod/issuing/1");
  EXPECT_EQ(readiness.pending_authority, "");
  EXPECT_THAT(readiness.waiting_for, IsEmpty());
}

TEST_F(HierarchyMappingTest, AHierarchyWaitsForTheStatusOfItsRootAndItsIssuer) {
  const auto readiness =
      Readiness([](const ca::Authority&) { return std::vector<std::string>{"the first CRL"}; });
  EXPECT_THAT(readiness.waiting_for, ElementsAre("the first CRL of acme/prod/root/1",
                                                 "the first CRL of acme/prod/issuing/1"));
}

TEST_F(HierarchyMappingTest, WritesAReadyHierarchy) {
  const auto message = ToProto({.hierarchy = deployment_.acme, .operators = {}}, {"root"},
                               {.active_authority = "acme/prod/issuing/1"});
  EXPECT_EQ(message.name(), "acme/prod");
  EXPECT_EQ(message.state(), "ready");
  EXPECT_EQ(message.active_authority(), "acme/prod/issuing/1");
  EXPECT_THAT(message.root_fingerprints(), ElementsAre(ca::Hex(ca::Sha256("root"))));
  EXPECT_TRUE(message.has_spec());
}

TEST_F(HierarchyMappingTest, WritesTheStateOfAHierarchyThatIsNotReady) {
  const ca::HierarchyDeclaration declaration{.hierarchy = deployment_.acme, .operators = {}};
  const auto provisioning = ToProto(declaration, {}, {.waiting_for = {"an issuing authority"}});
  EXPECT_EQ(provisioning.state(), "provisioning");
  EXPECT_THAT(provisioning.waiting_for(), ElementsAre("an issuing authority"));
  const auto awaiting = ToProto(declaration, {},
                                {.pending_authority = "acme/prod/issuing/1",
                                 .waiting_for = {"the certificate of acme/prod/issuing/1"}});
  EXPECT_EQ(awaiting.state(), "awaiting-certificate");
  EXPECT_EQ(awaiting.pending_authority(), "acme/prod/issuing/1");
}

TEST_F(HierarchyMappingTest, WritesADestructionBeforeAndAfterItsEnd) {
  ca::DestructionView view{.destruction = {.hierarchy = deployment_.acme,
                                           .reason = "the tenant left",
                                           .decided_by = "alice",
                                           .decided_at = clock_.Now(),
                                           .revoked_count = 3,
                                           .finished_at = std::nullopt},
                           .key_count = 2,
                           .destroyed_key_count = 1};
  const auto begun = ToProto(view);
  EXPECT_EQ(begun.hierarchy(), "acme/prod");
  EXPECT_EQ(begun.trust_domain(), "prod.acme.example");
  EXPECT_EQ(begun.state(), "destroying");
  EXPECT_EQ(begun.reason(), "the tenant left");
  EXPECT_EQ(begun.decided_by(), "alice");
  EXPECT_EQ(begun.revoked_certificates(), 3);
  EXPECT_EQ(begun.keys(), 2);
  EXPECT_EQ(begun.destroyed_keys(), 1);
  EXPECT_FALSE(begun.has_recorded_at());
  view.destruction.finished_at = clock_.Now();
  view.destruction.record = "record";
  const auto finished = ToProto(view);
  EXPECT_EQ(finished.state(), "destroyed");
  EXPECT_TRUE(finished.has_recorded_at());
  EXPECT_EQ(finished.record(), "record");
}

}  // namespace
}  // namespace server
