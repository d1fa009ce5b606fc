// Which agent holds which trust bundle, and which agents are live.

#include "tests/contract/contract_test.h"

namespace contract {
namespace {

using ca::Agent;
using ca::LiveAgent;
using ca::StatusCode;
using ca::testing::Must;

class AcknowledgementStoreContract : public DeployedContractTest {
 protected:
  AcknowledgementStoreContract() {
    for (const int version : {1, 2, 3}) Publish(acme_, version);
  }

  void Publish(const ca::Hierarchy& hierarchy, int version) {
    const auto root = deployment_.catalog->Find(hierarchy.id)->authorities().front();
    Must(activations().PublishTrustBundle({hierarchy.id, version, {root->id()}, clock_.Now()},
                                          EventIn(hierarchy, "PublishTrustBundle")));
  }

  // Registered, with a certificate for an hour.
  Agent NewAgent(const ca::Hierarchy& hierarchy, std::string_view path) {
    Agent agent = deployment_.Register(hierarchy, path);
    deployment_.Issue(agent);
    return agent;
  }

  ca::Status Acknowledge(const Agent& agent, int version) {
    return acknowledgements()
        .Acknowledge({agent.hierarchy, agent.number, version, clock_.Now()}, Event(agent))
        .status();
  }
  ca::AuditEvent Event(const Agent& agent) {
    return EventIn(deployment_.HierarchyOf(agent), "AcknowledgeTrustBundle");
  }

  // acknowledged/live
  std::string Count(const ca::Hierarchy& hierarchy, int version) {
    const auto count = Must(acknowledgements().Count(hierarchy.id, version, clock_.Now()));
    return fmt::format("{}/{}", count.acknowledged, count.live);
  }

  std::vector<LiveAgent> Stragglers(int version, int page_size = 100,
                                    const std::string& page_token = "") {
    return Must(acknowledgements().ListStragglers(
        {acme_.id, version, clock_.Now(), page_size, page_token}));
  }

  const ca::Hierarchy& acme_ = deployment_.acme;
};
INSTANTIATE_CONTRACT(AcknowledgementStoreContract);

TEST_P(AcknowledgementStoreContract, CountsWhoHoldsAVersionOrALaterOne) {
  const Agent one = NewAgent(acme_, "a/one");
  const Agent two = NewAgent(acme_, "a/two");
  NewAgent(acme_, "a/three");
  EXPECT_EQ(Count(acme_, 2), "0/3");
  Must(Acknowledge(one, 1));
  EXPECT_EQ(Count(acme_, 2), "0/3");
  Must(Acknowledge(one, 3));
  Must(Acknowledge(two, 2));
  EXPECT_EQ(Count(acme_, 1), "2/3");
  EXPECT_EQ(Count(acme_, 2), "2/3");
  EXPECT_EQ(Count(acme_, 3), "1/3");
}

TEST_P(AcknowledgementStoreContract, DoesNotForgetANewerVersionForAnOlderOne) {
  const Agent one = NewAgent(acme_, "a/one");
  Must(Acknowledge(one, 3));
  Must(Acknowledge(one, 2));
  EXPECT_EQ(Count(acme_, 3), "1/1");
}

TEST_P(AcknowledgementStoreContract, MayBeToldTwice) {
  const Agent one = NewAgent(acme_, "a/one");
  Must(Acknowledge(one, 2));
  ExpectSame(world_.Events().back(), Event(one));
  const size_t events = world_.Events().size();
  Must(Acknowledge(one, 2));
  EXPECT_EQ(world_.Events().size(), events + 1) << "that was a decision, too";
  EXPECT_EQ(Count(acme_, 2), "1/1");
}

TEST_P(AcknowledgementStoreContract, KnowsNoVersionThatIsNotPublished) {
  Publish(deployment_.globex, 1);
  Publish(deployment_.globex, 2);
  const Agent one = NewAgent(acme_, "a/one");
  const Agent other = NewAgent(deployment_.globex, "a/other");
  const size_t events = world_.Events().size();
  for (const int version : {4, 0, -1}) {
    EXPECT_EQ(Acknowledge(one, version).code(), StatusCode::kNotFound) << version;
  }
  EXPECT_EQ(Acknowledge(other, 3).code(), StatusCode::kNotFound) << "acme has one, globex has not";
  EXPECT_EQ(world_.Events().size(), events);
}

TEST_P(AcknowledgementStoreContract, CountsOneHierarchyOnly) {
  Publish(deployment_.globex, 1);
  NewAgent(acme_, "a/one");
  Must(Acknowledge(NewAgent(deployment_.globex, "a/one"), 1));
  EXPECT_EQ(Count(acme_, 1), "0/1");
  EXPECT_EQ(Count(deployment_.globex, 1), "1/1");
}

TEST_P(AcknowledgementStoreContract, CountsAnAgentOnceHoweverManyCertificatesItHas) {
  const Agent one = NewAgent(acme_, "a/one");
  deployment_.Issue(one);
  EXPECT_EQ(Count(acme_, 1), "0/1");
  EXPECT_EQ(Stragglers(1).size(), 1u);
}

TEST_P(AcknowledgementStoreContract, CountsNobodyWhoseCertificateStandsNoMore) {
  deployment_.Register(acme_, "a/never-enrolled");
  NewAgent(acme_, "a/expiring");
  const Agent revoked = deployment_.Register(acme_, "a/revoked");
  const auto certificate = deployment_.Issue(revoked);
  EXPECT_EQ(Count(acme_, 1), "0/2");
  Must(revocations()
           .Revoke({.hierarchy = acme_.id,
                    .target = certificate.record.serial,
                    .invalidity_date = std::nullopt,
                    .now = clock_.Now()},
                   EventIn(acme_, "Revoke"))
           .status());
  EXPECT_EQ(Count(acme_, 1), "0/1");
  clock_.Advance(std::chrono::hours(1));
  EXPECT_EQ(Count(acme_, 1), "0/0");
}

// They know what is in the database.
TEST_P(AcknowledgementStoreContract, CountsNoneOfOurOwnServers) {
  Publish(deployment_.system, 1);
  Agent server = ca::testing::AgentOf(deployment_.system, "server/host");
  server.role = "server";
  deployment_.Issue(deployment_.Register(server));
  NewAgent(deployment_.system, "operator/one");
  EXPECT_EQ(Count(deployment_.system, 1), "0/1");
}

TEST_P(AcknowledgementStoreContract, ListsStragglersWithOwnerAndWhatTheyHoldPageByPage) {
  const Agent one = NewAgent(acme_, "a/one");
  Must(Acknowledge(NewAgent(acme_, "a/two"), 2));
  NewAgent(acme_, "a/three");
  Must(Acknowledge(one, 1));

  const auto all = Stragglers(2);
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].id, one.id);
  EXPECT_EQ(all[0].owner, one.owner);
  EXPECT_EQ(all[0].acknowledged_version, 1);
  EXPECT_EQ(all[1].id, ca::testing::IdOf(acme_, "a/three"));
  EXPECT_EQ(all[1].acknowledged_version, 0);

  const auto first = Stragglers(2, 1);
  ASSERT_EQ(first.size(), 1u);
  const auto second = Stragglers(2, 1, first[0].id.ToString());
  ASSERT_EQ(second.size(), 1u);
  EXPECT_EQ(second[0].id, all[1].id);
  EXPECT_TRUE(Stragglers(2, 1, second[0].id.ToString()).empty());
}

}  // namespace
}  // namespace contract
