// The end of the key of one authority.

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

class KeyDestructionContract : public ActivationContract {
 protected:
  ca::Status Decide(const Hierarchy& hierarchy, AuthorityId authority, int last_sequence) {
    return authorities().DecideKeyDestruction(authority, last_sequence, "it is spent",
                                              EventIn(hierarchy, "DecideKeyDestruction"));
  }
  ca::Status RecordDestroyed(const Hierarchy& hierarchy, AuthorityId authority) {
    return authorities().RecordKeyDestroyed(authority, EventIn(hierarchy, "DestroyKey"));
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
  EXPECT_EQ(Must(activations().LoadActivations()).size(), 2u);
}

}  // namespace
}  // namespace contract
