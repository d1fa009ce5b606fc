// The next issuing authority waits until enough agents hold a trust bundle with it, or for so long.

#include "ca/authorities/provisioning.h"
#include "ca/authorities/rotation.h"
#include "ca/certificates/enrollment.h"
#include "tests/ca/authorities/rotation_use_case_test.h"

namespace ca {
namespace {

using std::chrono::hours;
using std::chrono::seconds;
using testing::IsRefusal;
using testing::Must;

// In a hierarchy that waits until half of its agents have acknowledged. Certificates stand for a
// week, so that who is live stays so.
Hierarchy Initech() {
  CertificateProfile profile;
  profile.name = "agent";
  profile.lifetime = CertificateProfile::kLifetimeMax;
  return {.tenant = "initech",
          .environment = "prod",
          .trust_domain = Must(TrustDomain::Parse("prod.initech.example")),
          .rotate_every = hours(24 * 3),
          .acknowledged_share = 50,
          .acknowledge_within = hours(48),
          .profiles = {profile}};
}

class RotationGateTest : public testing::RotationStoryTest {
 protected:
  RotationGateTest() {
    Must(deployment_.catalogs->Reload());
    deployment_.catalog = deployment_.catalogs->Snapshot();
    for (int i = 1; i <= 4; ++i) {
      agents_.push_back(deployment_.Register(hierarchy_, fmt::format("agent/{}", i)));
      deployment_.Issue(agents_.back());
    }
    Must(bundles_.Publish(*deployment_.Now(hierarchy_), "conductor"));
  }

  void Acknowledge(int agent, int version) {
    const Agent& who = agents_.at(static_cast<size_t>(agent - 1));
    Must(bundles_.Acknowledge(
        CallBy({.id = who.id, .hierarchy = who.hierarchy, .serial = std::nullopt},
               Action::kAcknowledgeTrustBundle),
        version));
  }

  void Prepare() {
    Must(rotation_.Prepare(CallBy(admin_, Action::kPrepareAuthority), "initech/prod"));
    clock_.Advance(Hierarchy::kPublishAheadMin);
  }
  Status Activate(StragglerPolicy policy = StragglerPolicy::kWait, int generation = 2) {
    return rotation_
        .Activate(CallBy(admin_, Action::kActivateAuthority),
                  fmt::format("initech/prod/issuing/{}", generation), policy)
        .status();
  }

  // Time goes on until the next is due, and so does the conductor.
  void GoOnUntilDue() {
    clock_.Advance(hierarchy_.rotate_every - hierarchy_.publish_ahead);
    Must(rotation_.Advance(*deployment_.Now(hierarchy_)));
    clock_.Advance(hierarchy_.publish_ahead);
    Must(rotation_.Advance(*deployment_.Now(hierarchy_)));
  }
  int ActiveGeneration() {
    return Must(deployment_.catalogs->Snapshot()->Find(hierarchy_.id)->ActiveIssuer())
        ->generation();
  }

  const Hierarchy hierarchy_ =
      Must(Provisioning(ports_.stores(), ports_.keys, testing::Directory(), clock_)
               .hierarchies.EnsureHierarchy(Initech(), "init"));
  const Caller admin_ = OperatorWith(Role::kAdmin);
  std::vector<Agent> agents_;
};

// ---- by hand ------------------------------------------------------------------------------------

TEST_F(RotationGateTest, KeepsAnOperatorFromLeavingAgentsBehindByMistake) {
  Prepare();
  Acknowledge(3, 2);
  const Status refused = Activate();
  EXPECT_TRUE(IsRefusal(refused, StatusCode::kFailedPrecondition, "authority.not-acknowledged"));
  EXPECT_NE(MessageOf(refused).find("25% of 4 live agents"), std::string::npos) << refused;
  EXPECT_NE(MessageOf(refused).find("/agent/1"), std::string::npos) << refused;
  EXPECT_EQ(MessageOf(refused).find("/agent/3"), std::string::npos) << refused;

  Must(Activate(StragglerPolicy::kLeaveBehind));
  EXPECT_EQ(LastEvent().rule, "authority.despite-stragglers");
  EXPECT_EQ(LastEvent().reason,
            "25% of 4 live agents have acknowledged trust bundle 2; 3 have not");
  EXPECT_EQ(ports_.events.All().back().rule, LastEvent().rule) << "it is on record";
}

TEST_F(RotationGateTest, OpensWhenEnoughHaveAcknowledged) {
  Prepare();
  Acknowledge(1, 1);  // which does not have it
  Acknowledge(2, 2);
  EXPECT_FALSE(Activate().ok());
  Acknowledge(1, 2);
  Must(Activate());
  EXPECT_EQ(LastEvent().rule, "authority.acknowledged");
  EXPECT_EQ(LastEvent().reason,
            "50% of 4 live agents have acknowledged trust bundle 2; 2 have not");
}

TEST_F(RotationGateTest, NamesThreeStragglersAndCountsTheOthers) {
  Prepare();
  EXPECT_NE(MessageOf(Activate()).find("/agent/3 and 1 more"), std::string::npos) << Activate();
}

TEST_F(RotationGateTest, OpensWhenNobodyIsLive) {
  Prepare();
  clock_.Advance(CertificateProfile::kLifetimeMax);
  Must(Activate());
}

TEST_F(RotationGateTest, LetsARollBackThrough) {
  Prepare();
  Must(Activate(StragglerPolicy::kLeaveBehind));
  EXPECT_EQ(
      Must(rotation_.RollBack(CallBy(admin_, Action::kRollBackAuthority), "initech/prod")).name,
      "initech/prod/issuing/1");
  Must(Activate());  // it has issued, so it is no news
}

// ---- on schedule --------------------------------------------------------------------------------

TEST_F(RotationGateTest, MakesTheScheduleWaitForAcknowledgements) {
  GoOnUntilDue();
  EXPECT_EQ(ActiveGeneration(), 1);
  Acknowledge(1, 2);
  Acknowledge(2, 2);
  clock_.Advance(seconds(10));
  Must(rotation_.Advance(*deployment_.Now(hierarchy_)));
  EXPECT_EQ(ActiveGeneration(), 2);
  const AuditEvent event = ports_.events.All().back();
  EXPECT_EQ(event.action, "ActivateAuthority");
  EXPECT_EQ(event.rule, "authority.acknowledged");
}

TEST_F(RotationGateTest, MakesTheScheduleWaitNoLongerThanItSays) {
  GoOnUntilDue();
  clock_.Advance(hierarchy_.acknowledge_within - hierarchy_.publish_ahead - seconds(1));
  Must(rotation_.Advance(*deployment_.Now(hierarchy_)));
  EXPECT_EQ(ActiveGeneration(), 1);
  clock_.Advance(seconds(10));
  Must(rotation_.Advance(*deployment_.Now(hierarchy_)));
  EXPECT_EQ(ActiveGeneration(), 2);
  const AuditEvent event = ports_.events.All().back();
  EXPECT_EQ(event.rule, "authority.acknowledge-deadline");
  EXPECT_EQ(event.reason, "0% of 4 live agents have acknowledged trust bundle 2; 4 have not");
}

// Counting is expensive where there are many.
TEST_F(RotationGateTest, DoesNotCountEverySecond) {
  GoOnUntilDue();
  const int counted = ports_.acknowledgements.count_count();
  for (int i = 0; i < 9; ++i) {
    clock_.Advance(seconds(1));
    Must(rotation_.Advance(*deployment_.Now(hierarchy_)));
  }
  EXPECT_EQ(ports_.acknowledgements.count_count(), counted);
  clock_.Advance(seconds(1));
  Must(rotation_.Advance(*deployment_.Now(hierarchy_)));
  EXPECT_EQ(ports_.acknowledgements.count_count(), counted + 1);
}

}  // namespace
}  // namespace ca
