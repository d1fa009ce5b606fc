// Trust bundles: published in versions, read, and acknowledged.

#include "ca/authorities/trust_bundles.h"

#include "ca/authorities/rotation.h"
#include "tests/ca/authorities/rotation_use_case_test.h"

namespace ca {
namespace {

using std::chrono::hours;
using testing::IsRefusal;
using testing::Must;

class TrustBundlesTest : public testing::RotationStoryTest {
 protected:
  // Publishes what is to be published, and returns the newest: "2: root/1 issuing/1 issuing/2".
  std::string Newest(const Hierarchy& hierarchy) {
    Must(deployment_.catalogs->Reload());
    Must(bundles_.Publish(*deployment_.Now(hierarchy), "conductor"));
    const auto catalog = deployment_.catalogs->Snapshot();
    const TrustBundleRecord* const bundle = catalog->Find(hierarchy.id)->NewestTrustBundle();
    if (!bundle) return "none";
    std::string text = std::to_string(bundle->version) + ":";
    for (const AuthorityId id : bundle->authorities) {
      text += NameOf(hierarchy, *Must(catalog->FindAuthority(id)))
                  .replace(0, hierarchy.Name().size() + 1, " ");
    }
    return text;
  }
  std::string Newest() { return Newest(acme_); }

  Caller CallerOf(const Agent& agent) {
    return {.id = agent.id, .hierarchy = agent.hierarchy, .serial = std::nullopt};
  }
  Result<TrustBundle> Get(const Caller& caller, const std::string& hierarchy = "") {
    return bundles_.Get(CallBy(caller, Action::kGetTrustBundle), hierarchy);
  }
  Status Acknowledge(const Caller& caller, int version) {
    return bundles_.Acknowledge(CallBy(caller, Action::kAcknowledgeTrustBundle), version).status();
  }

  const Hierarchy& acme_ = deployment_.acme;
  const Agent agent_ = deployment_.Register(acme_, "billing/bot");
  const Caller caller_ = CallerOf(agent_);
};

// ---- publishing ---------------------------------------------------------------------------------

TEST_F(TrustBundlesTest, HasAVersionForEveryChangeAndNoOther) {
  EXPECT_EQ(Newest(), "1: root/1 issuing/1");
  EXPECT_EQ(Newest(), "1: root/1 issuing/1");
  deployment_.ActivateSuccessor(acme_);
  EXPECT_EQ(Newest(), "2: root/1 issuing/1 issuing/2");
  clock_.Advance(acme_.LongestLifetime());
  EXPECT_EQ(Newest(), "2: root/1 issuing/1 issuing/2") << "its last certificate still stands";
  clock_.Advance(std::chrono::microseconds(1));
  EXPECT_EQ(Newest(), "3: root/1 issuing/2");
}

TEST_F(TrustBundlesTest, CountsVersionsInEachHierarchy) {
  EXPECT_EQ(Newest(), "1: root/1 issuing/1");
  EXPECT_EQ(Newest(deployment_.globex), "1: root/1 issuing/1");
}

TEST_F(TrustBundlesTest, LeavesOutWhatIsRevoked) {
  EXPECT_EQ(Newest(), "1: root/1 issuing/1");
  const auto issuer = Must(deployment_.catalog->Find(acme_.id)->ActiveIssuer());
  revocations_.Add(Revocation{.serial = *issuer->serial(),
                              .hierarchy = acme_.id,
                              .authority = issuer->issuer(),
                              .not_after = issuer->validity().not_after,
                              .revoked_at = clock_.Now(),
                              .invalidity_date = std::nullopt});
  EXPECT_EQ(Newest(), "2: root/1");
}

TEST_F(TrustBundlesTest, NeverPublishesOneThatTrustsNobody) {
  EXPECT_EQ(Newest(), "1: root/1 issuing/1");
  clock_.Advance(acme_.root_lifetime + hours(1));
  EXPECT_EQ(Newest(), "1: root/1 issuing/1");
}

TEST_F(TrustBundlesTest, IsPublishedOnceByTwo) {
  const auto other_catalogs = Must(LiveCatalog::Load(ports_.stores(), ports_.keys));
  TrustBundles other(*other_catalogs, authorization_, ports_.activations, ports_.acknowledgements,
                     ports_.registry, revocations_, clock_);
  Must(bundles_.Publish(*deployment_.Now(acme_), "one"));
  Must(other.Publish(*Must(other_catalogs->Find(acme_.id)), "two"));  // it has not heard of it yet
  EXPECT_EQ(Must(ports_.activations.LoadTrustBundles()).size(), 1u);
  EXPECT_EQ(ports_.events.All().back().action, "PublishTrustBundle");
  EXPECT_EQ(ports_.events.All().back().actor, "one");
  EXPECT_EQ(ports_.events.All().back().subject, "acme/prod/bundle/1");
}

// ---- reading ------------------------------------------------------------------------------------

TEST_F(TrustBundlesTest, IsReadByEveryAgentOfTheHierarchy) {
  EXPECT_EQ(Get(caller_).status().code(), StatusCode::kUnavailable) << "not published yet";
  Newest();
  const TrustBundle bundle = Must(Get(caller_));
  const auto authorities = deployment_.catalog->Find(acme_.id)->authorities();
  EXPECT_EQ(bundle.hierarchy, "acme/prod");
  EXPECT_EQ(bundle.trust_domain, acme_.trust_domain);
  EXPECT_EQ(bundle.version, 1);
  EXPECT_EQ(bundle.roots, std::vector{authorities[0]->certificate()});
  EXPECT_EQ(bundle.issuing, std::vector{authorities[1]->certificate()});
  EXPECT_EQ(Must(Get(caller_, "acme/prod")).version, 1);
}

TEST_F(TrustBundlesTest, OfAnotherHierarchyTakesARoleOverIt) {
  Newest();
  const Caller other = CallerOf(deployment_.Register(deployment_.globex, "billing/bot"));
  EXPECT_TRUE(
      IsRefusal(Get(other, "acme/prod").status(), StatusCode::kPermissionDenied, "caller.role"));
  EXPECT_EQ(Must(Get(OperatorWith(Role::kAuditor, acme_.id), "acme/prod")).version, 1);
  EXPECT_TRUE(
      IsRefusal(Get(OperatorWith(Role::kAuditor, deployment_.globex.id), "acme/prod").status(),
                StatusCode::kPermissionDenied, "caller.role"));
}

TEST_F(TrustBundlesTest, IsNotForThoseWhoAreDisabledOrUnknown) {
  Newest();
  const Caller unknown{
      .id = testing::IdOf(acme_, "no/body"), .hierarchy = acme_.id, .serial = std::nullopt};
  EXPECT_TRUE(IsRefusal(Get(unknown).status(), StatusCode::kPermissionDenied, "agent.unknown"));
  ports_.registry.Disable(agent_.id);
  EXPECT_TRUE(IsRefusal(Get(caller_).status(), StatusCode::kPermissionDenied, "agent.disabled"));
  EXPECT_TRUE(IsRefusal(Acknowledge(caller_, 1), StatusCode::kPermissionDenied, "agent.disabled"));
}

// ---- acknowledging ------------------------------------------------------------------------------

TEST_F(TrustBundlesTest, CountsWhoHoldsAnAuthority) {
  deployment_.Issue(agent_);
  Newest();
  deployment_.ActivateSuccessor(acme_);
  const AuthorityId second = Must(deployment_.catalog->Find(acme_.id)->ActiveIssuer())->id();
  EXPECT_FALSE(Must(bundles_.ProgressOf(*deployment_.Now(acme_), second)));
  Newest();
  Must(Acknowledge(caller_, 1));
  const auto before = Must(bundles_.ProgressOf(*deployment_.Now(acme_), second));
  EXPECT_EQ(before->version, 2);
  EXPECT_EQ(before->Percent(), 0);
  Must(Acknowledge(caller_, 2));
  EXPECT_EQ(Must(bundles_.ProgressOf(*deployment_.Now(acme_), second))->Percent(), 100);
  EXPECT_EQ(ports_.events.All().back().subject, "acme/prod/bundle/2");
  EXPECT_EQ(Acknowledge(caller_, 3).code(), StatusCode::kNotFound);
}

TEST(BundleProgressTest, CallsNothingAllThatIsNot) {
  EXPECT_EQ((BundleProgress{.count = {.live = 1000, .acknowledged = 999}}).Percent(), 99);
  EXPECT_EQ((BundleProgress{.count = {.live = 1000, .acknowledged = 1000}}).Percent(), 100);
  EXPECT_EQ((BundleProgress{}).Percent(), 100) << "nobody is behind";
}

TEST_F(TrustBundlesTest, ListsWhoIsBehindToReaders) {
  deployment_.Issue(agent_);
  Newest();
  const auto found = Must(bundles_.ListStragglers(
      CallBy(OperatorWith(Role::kAuditor, acme_.id), Action::kListStragglers), "acme/prod", 10,
      ""));
  EXPECT_EQ(found.progress.version, 1);
  EXPECT_EQ(found.progress.count.live, 1);
  ASSERT_EQ(found.agents.size(), 1u);
  EXPECT_EQ(found.agents[0].id, agent_.id);
  EXPECT_TRUE(IsRefusal(
      bundles_.ListStragglers(CallBy(caller_, Action::kListStragglers), "acme/prod", 10, "")
          .status(),
      StatusCode::kPermissionDenied, "caller.role"));
}

}  // namespace
}  // namespace ca
