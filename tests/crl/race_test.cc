// Several publishers at once.

#include <atomic>
#include <thread>

#include "tests/crl/crl_test.h"
#include "tests/crl/crowded_store.h"

namespace crl {
namespace {

using ca::StatusCode;
using testing::CrlTest;
using testing::Must;
using testing::Replica;

class RaceTest : public CrlTest {};

TEST_F(RaceTest, BeginsAgainWhenAnotherReplicaPublishedMeanwhile) {
  std::optional<ca::SerialNumber> seen_by_the_other;
  testing::CrowdedStore store(ports_.crls);
  store.before_publish = [&] {
    if (seen_by_the_other) return;
    seen_by_the_other = RevokeOne();
    EXPECT_TRUE(Lists(PublishOne(), *seen_by_the_other));
  };
  Replica slow(ports_, store, clock_);
  const auto published = PublishBy(slow);
  ASSERT_EQ(published.size(), 1u);
  EXPECT_EQ(published[0].number, 2);
  EXPECT_TRUE(Lists(published[0], *seen_by_the_other));
}

TEST_F(RaceTest, ListsInTheNextRoundWhatIsRevokedWhileItSigns) {
  testing::CrowdedStore store(ports_.crls);
  Replica replica(ports_, store, clock_);
  std::optional<ca::SerialNumber> late;
  store.before_publish = [&] {
    if (late) return;
    late = RevokeOne();
    Must(replica.CatchUp());
  };
  EXPECT_FALSE(Lists(PublishBy(replica).at(0), *late));
  EXPECT_TRUE(Lists(PublishBy(replica).at(0), *late));
}

TEST_F(RaceTest, GivesUpWhenItIsOvertakenAgainAndAgain) {
  int overtaken = 0;
  testing::CrowdedStore store(ports_.crls);
  store.before_publish = [&] {
    ++overtaken;
    RevokeOne();
    PublishOne();
  };
  Replica slow(ports_, store, clock_);
  const auto round = slow.publisher.PublishDue({issuer_});
  EXPECT_EQ(round.error.code(), StatusCode::kAborted);
  EXPECT_TRUE(round.published.empty());
  EXPECT_EQ(overtaken, 5);
}

// One authority, a stream of revocations, and several replicas that publish at once, as conductors.
class CrowdTest : public RaceTest, public ::testing::WithParamInterface<bool> {
 protected:
  static constexpr int kReplicas = 3;
  static constexpr int kRevocations = 60;

  std::vector<ca::PublishedCrl> PublishInACrowd() {
    std::atomic<bool> is_over = false;
    std::mutex mutex;
    std::vector<ca::PublishedCrl> all;
    std::vector<std::thread> threads;
    for (int i = 0; i < kReplicas; ++i) {
      threads.emplace_back([&] {
        Replica replica(ports_, ports_.crls, clock_, {.deltas = GetParam()});
        for (bool is_last = false; !is_last;) {
          is_last = is_over;
          auto round = replica.publisher.PublishDue({issuer_});
          if (!round.error.ok()) {  // overtaken too often; the CRL is due again
            EXPECT_EQ(round.error.code(), StatusCode::kAborted);
            is_last = false;
          }
          const std::lock_guard lock(mutex);
          for (auto& crl : round.published) all.push_back(std::move(crl));
        }
      });
    }
    for (int i = 0; i < kRevocations; ++i) {
      RevokeOne();
      clock_.Advance(std::chrono::milliseconds(500));
    }
    clock_.Advance(std::chrono::seconds(1));
    is_over = true;
    for (std::thread& thread : threads) thread.join();
    std::sort(all.begin(), all.end(),
              [](const auto& a, const auto& b) { return a.number < b.number; });
    return all;
  }
};

TEST_P(CrowdTest, NumbersStrictlyIncreaseAndAHigherOneNeverListsLess) {
  const auto all = PublishInACrowd();
  std::map<std::int64_t, std::vector<ca::SerialNumber>> complete;
  std::vector<ca::SerialNumber> before;
  for (size_t i = 0; i < all.size(); ++i) {
    EXPECT_EQ(all[i].number, static_cast<std::int64_t>(i) + 1);
    auto listed = testing::SerialsOf(ReadBack(all[i]));
    if (all[i].base_number == 0) {
      complete[all[i].number] = listed;
    } else {
      const auto& base = complete.at(all[i].base_number);
      listed.insert(listed.end(), base.begin(), base.end());
      std::sort(listed.begin(), listed.end());
    }
    EXPECT_TRUE(std::includes(listed.begin(), listed.end(), before.begin(), before.end())) << i;
    before = std::move(listed);
  }
  EXPECT_EQ(before.size(), static_cast<size_t>(kRevocations));
  EXPECT_GT(all.size(), 3u);
}
INSTANTIATE_TEST_SUITE_P(WithAndWithoutDeltas, CrowdTest, ::testing::Bool());

}  // namespace
}  // namespace crl
