// Which authority issues, which is to be trusted, and how the key of one ends.

#include <gtest/gtest.h>

#include "tests/contract/hierarchy_store_fixture.h"

namespace contract {
namespace {

using ca::AuthorityId;
using ca::AuthorityKind;
using ca::AuthorityRecord;
using ca::Hierarchy;
using ca::StatusCode;
using ca::testing::AcmeProd;
using ca::testing::GlobexProd;
using ca::testing::Must;

// ---- activations --------------------------------------------------------------------------------

INSTANTIATE_CONTRACT(ActivationContract);

TEST_P(ActivationContract, KeepsThemInTheirOrder) {
  const Hierarchy acme = Must(Create(AcmeProd()));
  const Hierarchy globex = Must(Create(GlobexProd()));
  const AuthorityId first = NewAuthority(acme, 1).id;
  const AuthorityId second = NewAuthority(acme, 2).id;
  const AuthorityId other = NewAuthority(globex, 1).id;
  Must(Activate(acme, 1, first));
  Must(Activate(globex, 1, other));
  EXPECT_EQ(Find(first).published_at, clock_.Now());
  clock_.Advance(std::chrono::hours(1));
  Must(Activate(acme, 2, second));
  Must(Activate(acme, 3, first));  // back again

  const auto loaded = Must(hierarchies().LoadActivations());

  ASSERT_EQ(loaded.size(), 4u);
  EXPECT_EQ(loaded[0].authority, first);
  EXPECT_EQ(loaded[1].authority, second);
  EXPECT_EQ(loaded[1].at, clock_.Now());
  EXPECT_EQ(loaded[2].authority, first);
  EXPECT_EQ(loaded[2].sequence, 3);
  EXPECT_EQ(loaded[3].authority, other);
  EXPECT_EQ(loaded[3].hierarchy, globex.id);
}

TEST_P(ActivationContract, LetsOneOfTwoAtOnce) {
  const Hierarchy acme = Must(Create(AcmeProd()));
  const AuthorityId first = NewAuthority(acme, 1).id;
  const AuthorityId second = NewAuthority(acme, 2).id;
  Must(Activate(acme, 1, first));
  EXPECT_EQ(Activate(acme, 1, second).code(), StatusCode::kAborted);
  EXPECT_EQ(Activate(acme, 3, second).code(), StatusCode::kAborted) << "leaves a gap";
  EXPECT_EQ(Must(hierarchies().LoadActivations()).size(), 1u);
}

TEST_P(ActivationContract, WantsACertificate) {
  const Hierarchy acme = Must(Create(AcmeProd()));
  const AuthorityRecord planned = PlanRoot(acme);
  EXPECT_FALSE(Activate(acme, 1, planned.id).ok());
  EXPECT_TRUE(Must(hierarchies().LoadActivations()).empty());
}

TEST_P(ActivationContract, LeavesAnEvent) {
  const Hierarchy acme = Must(Create(AcmeProd()));
  const AuthorityId first = NewAuthority(acme, 1).id;
  Must(Activate(acme, 1, first));
  ExpectSame(world_.Events().back(), EventIn(acme, "ActivateAuthority"));
  const size_t events = world_.Events().size();
  EXPECT_EQ(Activate(acme, 1, first).code(), StatusCode::kAborted);
  EXPECT_EQ(world_.Events().size(), events);
}

// ---- before its time ----------------------------------------------------------------------------

TEST_P(ActivationContract, KeepsATaintAndActivatesItNoMore) {
  const Hierarchy acme = Must(Create(AcmeProd()));
  const AuthorityId first = NewAuthority(acme, 1).id;
  const AuthorityId second = NewAuthority(acme, 2).id;
  Must(Activate(acme, 1, first));
  EXPECT_EQ(Find(second).taint, std::nullopt);
  const ca::TimePoint at = clock_.Now();
  Must(hierarchies().TaintAuthority(second, "an advisory", EventIn(acme, "TaintAuthority")));
  ExpectSame(world_.Events().back(), EventIn(acme, "TaintAuthority"));
  EXPECT_EQ(Find(second).taint, (ca::Taint{"an advisory", at, false}));
  EXPECT_EQ(Activate(acme, 2, second).code(), StatusCode::kAborted);

  clock_.Advance(std::chrono::minutes(1));
  const size_t events = world_.Events().size();
  Must(hierarchies().TaintAuthority(second, "another", EventIn(acme, "TaintAuthority")));
  EXPECT_EQ(world_.Events().size(), events) << "the first stands";
  EXPECT_EQ(Find(second).taint, (ca::Taint{"an advisory", at, false}));

  Must(hierarchies()
           .RevokeAuthority(second, ca::RevocationReason::kCaCompromise, "it was stolen",
                            EventIn(acme, "RevokeAuthority"))
           .status());
  EXPECT_EQ(Find(second).taint, (ca::Taint{"it was stolen", at, true}));
  ExpectSame(world_.Events().back(), EventIn(acme, "RevokeAuthority"));
  EXPECT_EQ(Find(first).taint, std::nullopt);
}

// ---- the end of a key ---------------------------------------------------------------------------

class KeyDestructionContract : public ActivationContract {
 protected:
  ca::Status Decide(const Hierarchy& hierarchy, AuthorityId authority, int last_sequence) {
    return hierarchies().DecideKeyDestruction(authority, last_sequence, "it is spent",
                                              EventIn(hierarchy, "DecideKeyDestruction"));
  }
  ca::Status RecordDestroyed(const Hierarchy& hierarchy, AuthorityId authority) {
    return hierarchies().RecordKeyDestroyed(authority, EventIn(hierarchy, "DestroyKey"));
  }
};
INSTANTIATE_CONTRACT(KeyDestructionContract);

TEST_P(KeyDestructionContract, IsDecidedAndThenDone) {
  const Hierarchy acme = Must(Create(AcmeProd()));
  const AuthorityId first = NewAuthority(acme, 1).id;
  EXPECT_EQ(Find(first).key_destruction, std::nullopt);
  Must(Decide(acme, first, 0));
  const ca::KeyDestruction decided{"it is spent", clock_.Now(), std::nullopt};
  EXPECT_EQ(Find(first).key_destruction, decided);
  ExpectSame(world_.Events().back(), EventIn(acme, "DecideKeyDestruction"));

  clock_.Advance(std::chrono::minutes(1));
  Must(RecordDestroyed(acme, first));
  EXPECT_EQ(Find(first).key_destruction,
            (ca::KeyDestruction{"it is spent", decided.decided_at, clock_.Now()}));
  ExpectSame(world_.Events().back(), EventIn(acme, "DestroyKey"));
}

TEST_P(KeyDestructionContract, IsRecordedOnceHoweverOftenItIsRepeated) {
  const Hierarchy acme = Must(Create(AcmeProd()));
  const AuthorityId first = NewAuthority(acme, 1).id;
  Must(Decide(acme, first, 0));
  Must(RecordDestroyed(acme, first));
  const auto standing = Find(first).key_destruction;
  const size_t events = world_.Events().size();
  clock_.Advance(std::chrono::minutes(1));
  Must(Decide(acme, first, 0));
  Must(Decide(acme, first, 7));
  Must(RecordDestroyed(acme, first));
  EXPECT_EQ(Find(first).key_destruction, standing);
  EXPECT_EQ(world_.Events().size(), events);
}

TEST_P(KeyDestructionContract, IsNotDoneBeforeItIsDecided) {
  const Hierarchy acme = Must(Create(AcmeProd()));
  const AuthorityId first = NewAuthority(acme, 1).id;
  EXPECT_EQ(RecordDestroyed(acme, first).code(), StatusCode::kFailedPrecondition);
  EXPECT_EQ(Find(first).key_destruction, std::nullopt);
}

TEST_P(KeyDestructionContract, NeedsNoCertificate) {
  const Hierarchy acme = Must(Create(AcmeProd()));
  const AuthorityRecord root = PlanRoot(acme);
  const AuthorityRecord responder = Must(Plan(acme, AuthorityKind::kResponder, 1, root.id));
  Must(Decide(acme, responder.id, 0));
  EXPECT_TRUE(Find(responder.id).key_destruction);
}

TEST_P(KeyDestructionContract, IsNeverOfTheAuthorityThatIssues) {
  const Hierarchy acme = Must(Create(AcmeProd()));
  const AuthorityId first = NewAuthority(acme, 1).id;
  Must(Activate(acme, 1, first));
  EXPECT_TRUE(ca::testing::IsRefusal(Decide(acme, first, 1), StatusCode::kFailedPrecondition,
                                     "key.in-use"));
  EXPECT_EQ(Find(first).key_destruction, std::nullopt);
}

TEST_P(KeyDestructionContract, IsNeverOfARootBeforeAllThatItHasCertified) {
  const Hierarchy acme = Must(Create(AcmeProd()));
  const AuthorityRecord root = PlanRoot(acme);
  const AuthorityRecord issuing = Must(Plan(acme, AuthorityKind::kIssuing, 1, root.id));
  EXPECT_TRUE(ca::testing::IsRefusal(Decide(acme, root.id, 0), StatusCode::kFailedPrecondition,
                                     "key.in-use"));
  Must(Decide(acme, issuing.id, 0));
  Must(Decide(acme, root.id, 0));
}

// By a catalog that is older than an activation: of this one, or there and back again.
TEST_P(KeyDestructionContract, IsNotDecidedByWhoDoesNotKnowTheLastActivation) {
  const Hierarchy acme = Must(Create(AcmeProd()));
  const AuthorityId first = NewAuthority(acme, 1).id;
  const AuthorityId second = NewAuthority(acme, 2).id;
  Must(Activate(acme, 1, first));
  Must(Activate(acme, 2, second));
  EXPECT_EQ(Decide(acme, first, 1).code(), StatusCode::kAborted);
  Must(Activate(acme, 3, first));
  Must(Activate(acme, 4, second));
  EXPECT_EQ(Decide(acme, first, 2).code(), StatusCode::kAborted);
  EXPECT_EQ(Find(first).key_destruction, std::nullopt);
  Must(Decide(acme, first, 4));
}

TEST_P(KeyDestructionContract, KeepsAnAuthorityFromIssuingForEver) {
  const Hierarchy acme = Must(Create(AcmeProd()));
  const AuthorityId first = NewAuthority(acme, 1).id;
  const AuthorityId second = NewAuthority(acme, 2).id;
  Must(Activate(acme, 1, first));
  Must(Activate(acme, 2, second));
  Must(Decide(acme, first, 2));
  EXPECT_EQ(Activate(acme, 3, first).code(), StatusCode::kAborted);
  Must(RecordDestroyed(acme, first));
  EXPECT_EQ(Activate(acme, 3, first).code(), StatusCode::kAborted);
  EXPECT_EQ(Must(hierarchies().LoadActivations()).size(), 2u);
}

// ---- trust bundles ------------------------------------------------------------------------------

class TrustBundleContract : public ActivationContract {
 protected:
  ca::Status Publish(const Hierarchy& hierarchy, int version,
                     std::vector<AuthorityId> authorities) {
    return hierarchies().PublishTrustBundle(
        {hierarchy.id, version, std::move(authorities), clock_.Now()},
        EventIn(hierarchy, "PublishTrustBundle"));
  }
};
INSTANTIATE_CONTRACT(TrustBundleContract);

TEST_P(TrustBundleContract, KeepsEveryVersion) {
  const Hierarchy acme = Must(Create(AcmeProd()));
  const Hierarchy globex = Must(Create(GlobexProd()));
  const AuthorityId first = NewAuthority(acme, 1).id;
  const AuthorityId second = NewAuthority(acme, 2).id;
  const AuthorityId other = NewAuthority(globex, 1).id;
  const ca::TimePoint begin = clock_.Now();
  Must(Publish(acme, 1, {first}));
  Must(Publish(globex, 1, {other}));
  clock_.Advance(std::chrono::hours(1));
  Must(Publish(acme, 2, {first, second}));

  const std::vector<ca::TrustBundleRecord> expected = {
      {acme.id, 1, {first}, begin},
      {acme.id, 2, {first, second}, clock_.Now()},
      {globex.id, 1, {other}, begin},
  };
  EXPECT_EQ(Must(hierarchies().LoadTrustBundles()), expected);
}

TEST_P(TrustBundleContract, LetsOneOfTwoAtOnce) {
  const Hierarchy acme = Must(Create(AcmeProd()));
  const AuthorityId first = NewAuthority(acme, 1).id;
  Must(Publish(acme, 1, {first}));
  const size_t events = world_.Events().size();
  EXPECT_EQ(Publish(acme, 1, {first}).code(), StatusCode::kAborted);
  EXPECT_EQ(Publish(acme, 3, {first}).code(), StatusCode::kAborted) << "leaves a gap";
  EXPECT_EQ(Must(hierarchies().LoadTrustBundles()).size(), 1u);
  EXPECT_EQ(world_.Events().size(), events);
}

TEST_P(TrustBundleContract, LeavesAnEvent) {
  const Hierarchy acme = Must(Create(AcmeProd()));
  Must(Publish(acme, 1, {NewAuthority(acme, 1).id}));
  ExpectSame(world_.Events().back(), EventIn(acme, "PublishTrustBundle"));
}

}  // namespace
}  // namespace contract
