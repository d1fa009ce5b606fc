#include "crl/shelf.h"

#include "tests/crl/crl_test.h"

namespace crl {
namespace {

using testing::Must;
using testing::seconds;

class ShelfTest : public testing::CrlTest {
 protected:
  ShelfTest() : CrlTest({.deltas = true}) {}
  Shelf shelf_;
};

TEST_F(ShelfTest, HasNothingAtFirst) {
  Must(shelf_.Refresh(ports_.crls));
  EXPECT_EQ(shelf_.Find(issuer_->id(), 0), nullptr);
  EXPECT_TRUE(shelf_.All().empty());
}

TEST_F(ShelfTest, HasTheNewestCrlOfEachShardAndTheOldOneForWhoHoldsIt) {
  const ca::PublishedCrl first = PublishOne();
  Must(shelf_.Refresh(ports_.crls));
  const auto held = shelf_.Find(issuer_->id(), 0);
  ASSERT_TRUE(held);
  EXPECT_EQ(held->crl.der, first.der);

  RevokeOne();
  clock_.Advance(seconds(1));
  const ca::PublishedCrl second = PublishOne();
  EXPECT_EQ(shelf_.Find(issuer_->id(), 0), held);
  Must(shelf_.Refresh(ports_.crls));
  EXPECT_EQ(shelf_.Find(issuer_->id(), 0)->crl.der, second.der);
  EXPECT_EQ(held->crl.der, first.der);
  EXPECT_NE(shelf_.Find(issuer_->id(), 0)->etag, held->etag);
  EXPECT_EQ(shelf_.Find(issuer_->id(), 1), nullptr);
  EXPECT_EQ(shelf_.Find(root_->id(), 0), nullptr);
  EXPECT_EQ(shelf_.All().size(), 1u);
}

TEST_F(ShelfTest, TellsADeltaFromTheCompleteCrl) {
  PublishOne();
  clock_.Advance(seconds(1));
  const ca::PublishedCrl delta = PublishOne();
  Must(shelf_.Refresh(ports_.crls));
  ASSERT_TRUE(shelf_.FindDelta(issuer_->id(), 0));
  EXPECT_EQ(shelf_.FindDelta(issuer_->id(), 0)->crl.number, delta.number);
  EXPECT_EQ(shelf_.Find(issuer_->id(), 0)->crl.number, 1);
  EXPECT_EQ(shelf_.All().size(), 2u);
}

TEST_F(ShelfTest, LeavesInPlaceWhatIsStillTheNewest) {
  PublishOne();
  Must(shelf_.Refresh(ports_.crls));
  const auto before = shelf_.Find(issuer_->id(), 0);
  Must(shelf_.Refresh(ports_.crls));
  EXPECT_EQ(shelf_.Find(issuer_->id(), 0), before);
}

// RFC 9110 section 8.8.3: quoted, and the same on every replica.
TEST_F(ShelfTest, QuotesAnEtagThatAnotherReplicaGivesToo) {
  PublishOne();
  Shelf other;
  Must(shelf_.Refresh(ports_.crls));
  Must(other.Refresh(ports_.crls));
  const std::string etag = shelf_.Find(issuer_->id(), 0)->etag;
  EXPECT_EQ(etag, other.Find(issuer_->id(), 0)->etag);
  EXPECT_EQ(etag.size(), 34u);
  EXPECT_TRUE(etag.starts_with('"') && etag.ends_with('"'));
}

TEST_F(ShelfTest, KeepsWhatItHasWhileTheStoreIsAway) {
  PublishOne();
  Must(shelf_.Refresh(ports_.crls));
  ports_.crls.TakeAway();
  EXPECT_EQ(shelf_.Refresh(ports_.crls).code(), ca::StatusCode::kUnavailable);
  EXPECT_TRUE(shelf_.Find(issuer_->id(), 0));
}

}  // namespace
}  // namespace crl
