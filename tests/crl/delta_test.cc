// Delta CRLs between complete ones.

#include "tests/crl/crl_test.h"

namespace crl {
namespace {

using testing::CrlTest;
using testing::hours;
using testing::minutes;
using testing::Must;
using testing::Replica;
using testing::seconds;

class DeltaTest : public CrlTest {
 protected:
  DeltaTest() : CrlTest({.deltas = true}) {
    for (int i = 0; i < 12; ++i) base_.push_back(RevokeOne());
    std::sort(base_.begin(), base_.end());
    complete_ = PublishOne();
    clock_.Advance(seconds(1));
  }

  std::vector<ca::SerialNumber> base_;
  ca::PublishedCrl complete_;
};

TEST_F(DeltaTest, BeginsWithACompleteCrl) {
  EXPECT_EQ(complete_.base_number, 0);
  EXPECT_EQ(testing::SerialsOf(ReadBack(complete_)), base_);
}

// The complete CRL contains the URL of the delta, so there must be one.
TEST_F(DeltaTest, FollowsACompleteCrlWithAnEmptyDeltaASecondLater) {
  clock_.Advance(-seconds(1));
  EXPECT_TRUE(Publish().empty());
  clock_.Advance(seconds(1));
  const ca::PublishedCrl delta = PublishOne();
  EXPECT_EQ(delta.number, 2);
  EXPECT_EQ(delta.base_number, 1);
  EXPECT_TRUE(ReadBack(delta).revoked.empty());
  EXPECT_GT(delta.this_update, complete_.this_update);
  clock_.Advance(minutes(5));
  EXPECT_TRUE(Publish().empty());
}

TEST_F(DeltaTest, EndsWithACompleteCrlThatPointsToNone) {
  ASSERT_EQ(PublishOne().base_number, 1);
  replica_.options.deltas = false;
  const ca::PublishedCrl complete = PublishOne();
  EXPECT_EQ(complete.base_number, 0);
  const auto parsed = testing::Parse(complete.der);
  EXPECT_EQ(X509_CRL_get_ext_by_NID(parsed.get(), NID_freshest_crl, -1), -1);
  clock_.Advance(seconds(1));
  EXPECT_TRUE(Publish().empty());
}

TEST_F(DeltaTest, ListsWhatWasRevokedSinceTheBase) {
  std::vector<ca::SerialNumber> added;
  for (int i = 0; i < 3; ++i) {
    added.push_back(RevokeOne());
    std::sort(added.begin(), added.end());
    const ca::PublishedCrl delta = PublishOne();
    EXPECT_EQ(delta.number, 2 + i);
    EXPECT_EQ(delta.base_number, 1);
    EXPECT_EQ(testing::SerialsOf(ReadBack(delta)), added);
    clock_.Advance(seconds(1));
  }
}

TEST_F(DeltaTest, GivesWayToACompleteCrlWhenItWouldListMoreThanAQuarterOfIt) {
  for (int i = 0; i < 4; ++i) RevokeOne();
  EXPECT_EQ(PublishOne().base_number, 1);  // 4 of 16
  clock_.Advance(seconds(1));
  RevokeOne();
  const ca::PublishedCrl complete = PublishOne();  // 5 of 17
  EXPECT_EQ(complete.base_number, 0);
  EXPECT_EQ(complete.number, 3);
  EXPECT_EQ(ReadBack(complete).revoked.size(), 17u);

  clock_.Advance(seconds(1));
  const auto serial = RevokeOne();
  const ca::PublishedCrl delta = PublishOne();
  EXPECT_EQ(delta.base_number, 3);
  EXPECT_EQ(testing::SerialsOf(ReadBack(delta)), std::vector{serial});
}

TEST_F(DeltaTest, GivesWayToACompleteCrlAtHalfItsLife) {
  const auto serial = RevokeOne();
  PublishOne();
  clock_.Set(complete_.this_update + minutes(30));
  const ca::PublishedCrl complete = PublishOne();
  EXPECT_EQ(complete.base_number, 0);
  EXPECT_TRUE(Lists(complete, serial));
}

// A complete CRL of another publisher is not the base of our deltas.
TEST_F(DeltaTest, BeginsWithACompleteCrlAgainAfterAnotherReplicaPublished) {
  PublishOne();
  Replica other(ports_, ports_.crls, clock_, {.deltas = true});
  EXPECT_EQ(PublishBy(other).front().base_number, 0);
  clock_.Advance(seconds(1));
  const auto serial = RevokeOne();
  const ca::PublishedCrl crl = PublishOne();
  EXPECT_EQ(crl.base_number, 0);
  EXPECT_EQ(crl.number, 4);
  EXPECT_TRUE(Lists(crl, serial));
}

// RFC 5280 section 5.2.3: complete and delta CRLs share one sequence of numbers, and the base with
// the delta lists the same as a complete CRL of that moment would.
TEST_F(DeltaTest, SaysWithItsBaseWhatACompleteCrlWouldOverAnHourOfRevocations) {
  ReadCrl complete = ReadBack(complete_);
  std::int64_t last_number = complete_.number;
  int deltas = 0;
  for (int i = 0; i < 120; ++i) {
    RevokeOne();
    for (const ca::PublishedCrl& crl : Publish()) {
      EXPECT_GT(crl.number, last_number);
      last_number = crl.number;
      if (crl.base_number == 0) {
        complete = ReadBack(crl);
        continue;
      }
      ++deltas;
      EXPECT_EQ(crl.base_number, complete.number);
      auto serials = testing::SerialsOf(ReadBack(crl));
      const auto base = testing::SerialsOf(complete);
      serials.insert(serials.end(), base.begin(), base.end());
      std::sort(serials.begin(), serials.end());
      Must(replica_.CatchUp());
      std::vector<ca::SerialNumber> expected;
      for (const auto& listed : replica_.index.Listed(issuer_->id(), 0)) {
        expected.push_back(listed.serial);
      }
      EXPECT_EQ(serials, expected);
    }
    clock_.Advance(seconds(30));
  }
  EXPECT_GT(deltas, 90);
}

}  // namespace
}  // namespace crl
