#include "crl/crl_cache.h"

#include "tests/crl/crl_test.h"

namespace crl {
namespace {

using testing::Must;
using testing::seconds;

class CrlCacheTest : public testing::CrlTest {
 protected:
  CrlCacheTest() : CrlTest({.deltas = true}) {}
  CrlCache crl_cache_;
};

TEST_F(CrlCacheTest, HasNothingAtFirst) {
  Must(crl_cache_.Refresh(ports_.crls));
  EXPECT_EQ(crl_cache_.Find(issuer_->id(), 0), nullptr);
  EXPECT_TRUE(crl_cache_.All().empty());
}

TEST_F(CrlCacheTest, HasTheNewestCrlOfEachShardAndKeepsAnOldOneThatIsHeld) {
  const ca::PublishedCrl first = PublishOne();
  Must(crl_cache_.Refresh(ports_.crls));
  const auto held = crl_cache_.Find(issuer_->id(), 0);
  ASSERT_TRUE(held);
  EXPECT_EQ(held->crl.der, first.der);

  RevokeOne();
  clock_.Advance(seconds(1));
  const ca::PublishedCrl second = PublishOne();
  EXPECT_EQ(crl_cache_.Find(issuer_->id(), 0), held);
  Must(crl_cache_.Refresh(ports_.crls));
  EXPECT_EQ(crl_cache_.Find(issuer_->id(), 0)->crl.der, second.der);
  EXPECT_EQ(held->crl.der, first.der);
  EXPECT_NE(crl_cache_.Find(issuer_->id(), 0)->etag, held->etag);
  EXPECT_EQ(crl_cache_.Find(issuer_->id(), 1), nullptr);
  EXPECT_EQ(crl_cache_.Find(root_->id(), 0), nullptr);
  EXPECT_EQ(crl_cache_.All().size(), 1u);
}

TEST_F(CrlCacheTest, TellsADeltaFromTheCompleteCrl) {
  PublishOne();
  clock_.Advance(seconds(1));
  const ca::PublishedCrl delta = PublishOne();
  Must(crl_cache_.Refresh(ports_.crls));
  ASSERT_TRUE(crl_cache_.FindDelta(issuer_->id(), 0));
  EXPECT_EQ(crl_cache_.FindDelta(issuer_->id(), 0)->crl.number, delta.number);
  EXPECT_EQ(crl_cache_.Find(issuer_->id(), 0)->crl.number, 1);
  EXPECT_EQ(crl_cache_.All().size(), 2u);
}

TEST_F(CrlCacheTest, LeavesInPlaceWhatIsStillTheNewest) {
  PublishOne();
  Must(crl_cache_.Refresh(ports_.crls));
  const auto before = crl_cache_.Find(issuer_->id(), 0);
  Must(crl_cache_.Refresh(ports_.crls));
  EXPECT_EQ(crl_cache_.Find(issuer_->id(), 0), before);
}

// RFC 9110 section 8.8.3: an etag is quoted. It must be the same on every replica.
TEST_F(CrlCacheTest, QuotesAnEtagThatAnotherReplicaGivesToo) {
  PublishOne();
  CrlCache other;
  Must(crl_cache_.Refresh(ports_.crls));
  Must(other.Refresh(ports_.crls));
  const std::string etag = crl_cache_.Find(issuer_->id(), 0)->etag;
  EXPECT_EQ(etag, other.Find(issuer_->id(), 0)->etag);
  EXPECT_EQ(etag.size(), 34u);
  EXPECT_TRUE(etag.starts_with('"') && etag.ends_with('"'));
}

TEST_F(CrlCacheTest, KeepsItsCrlsWhileTheStoreIsUnavailable) {
  PublishOne();
  Must(crl_cache_.Refresh(ports_.crls));
  ports_.crls.TakeAway();
  EXPECT_EQ(crl_cache_.Refresh(ports_.crls).code(), ca::StatusCode::kUnavailable);
  EXPECT_TRUE(crl_cache_.Find(issuer_->id(), 0));
}

}  // namespace
}  // namespace crl
