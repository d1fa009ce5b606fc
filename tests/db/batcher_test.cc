// The queue in which callers commit for each other. Run it under ThreadSanitizer, too.

#include "db/batcher.h"

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <latch>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "tests/db/sleeping_threads.h"

namespace db {
namespace {

using testing::SleepingThreads;

// Items are numbers. Each commit waits until the test lets it go on.
class BatcherTest : public ::testing::Test {
 protected:
  using TestBatcher = Batcher<int, std::string>;
  using Batches = std::vector<std::vector<int>>;

  struct Limits {
    size_t batch = 100;
    size_t leaders = 1;
  };

  void Make(
      Limits limits, bool (*fits)(int first, int item) = [](int, int) { return true; }) {
    batcher_ = std::make_unique<TestBatcher>(
        limits.batch, limits.leaders,
        [fits](const TestBatcher::Batch& batch, const int& item) {
          return fits(*batch.front()->item, item);
        },
        [this](TestBatcher::Batch& batch) { Commit(batch); });
  }

  // From a thread of its own, which is in the queue or in a commit when this returns.
  void Submit(int item) {
    threads_.Start([this, item] {
      const std::string outcome = batcher_->Submit(item);
      const std::lock_guard lock(mutex_);
      outcomes_[item] = outcome;
    });
    threads_.WaitUntilAllSleep();
  }

  void LetOneCommitGoOn() {
    const std::lock_guard lock(mutex_);
    ++permits_;
    changed_.notify_all();
  }

  // Those that have begun, in order, once there are so many.
  Batches AwaitBatches(size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return begun_.size() >= count; });
    return begun_;
  }
  Batches BatchesSoFar() {
    const std::lock_guard lock(mutex_);
    return begun_;
  }

  void TearDown() override {
    {
      const std::lock_guard lock(mutex_);
      permits_ = 1000;
      changed_.notify_all();
    }
    threads_.Join();
  }

  SleepingThreads threads_;
  std::map<int, std::string> outcomes_;

 private:
  void Commit(TestBatcher::Batch& batch) {
    std::unique_lock lock(mutex_);
    std::vector<int>& items = begun_.emplace_back();
    for (const auto* entry : batch) items.push_back(*entry->item);
    changed_.notify_all();
    changed_.wait(lock, [&] { return permits_ > 0; });
    --permits_;
    for (auto* entry : batch) entry->outcome = "committed " + std::to_string(*entry->item);
  }

  std::unique_ptr<TestBatcher> batcher_;
  std::mutex mutex_;
  std::condition_variable changed_;
  int permits_ = 0;
  Batches begun_;
};

TEST_F(BatcherTest, CommitsALoneItemAtOnce) {
  Make({});
  Submit(1);
  EXPECT_EQ(AwaitBatches(1), (Batches{{1}}));
}

TEST_F(BatcherTest, GathersWhatArrivesDuringACommitIntoTheNextBatch) {
  Make({});
  for (const int item : {1, 2, 3, 4}) Submit(item);
  EXPECT_EQ(BatchesSoFar(), (Batches{{1}}));
  LetOneCommitGoOn();
  EXPECT_EQ(AwaitBatches(2), (Batches{{1}, {2, 3, 4}}));
}

TEST_F(BatcherTest, GivesEachItemItsOwnOutcome) {
  Make({});
  for (const int item : {1, 2, 3}) Submit(item);
  TearDown();
  EXPECT_EQ(outcomes_, (std::map<int, std::string>{
                           {1, "committed 1"}, {2, "committed 2"}, {3, "committed 3"}}));
}

TEST_F(BatcherTest, MakesNoBatchLargerThanItsBound) {
  Make({.batch = 2});
  for (const int item : {1, 2, 3, 4, 5, 6}) Submit(item);
  for (size_t begun = 1; begun <= 3; ++begun) {
    AwaitBatches(begun);
    LetOneCommitGoOn();
  }
  EXPECT_EQ(AwaitBatches(4), (Batches{{1}, {2, 3}, {4, 5}, {6}}));
}

TEST_F(BatcherTest, CommitsAsManyBatchesAtOnceAsThereMayBeLeaders) {
  Make({.leaders = 2});
  for (const int item : {1, 2, 3, 4}) Submit(item);
  EXPECT_EQ(BatchesSoFar(), (Batches{{1}, {2}}));
  LetOneCommitGoOn();
  EXPECT_EQ(AwaitBatches(3), (Batches{{1}, {2}, {3, 4}}));
}

bool HaveTheSameParity(int first, int item) { return first % 2 == item % 2; }

TEST_F(BatcherTest, LeavesWhatDoesNotFitForTheNextBatch) {
  Make({}, HaveTheSameParity);
  for (const int item : {1, 2, 3, 4, 5}) Submit(item);
  LetOneCommitGoOn();
  AwaitBatches(2);
  LetOneCommitGoOn();
  EXPECT_EQ(AwaitBatches(3), (Batches{{1}, {2, 4}, {3, 5}}));
}

TEST_F(BatcherTest, TakesWhatHasWaitedLongestEvenWhenItFitsNothingElse) {
  Make({}, HaveTheSameParity);
  for (const int item : {1, 2, 3}) Submit(item);
  LetOneCommitGoOn();
  AwaitBatches(2);  // {2} is under way; 3 waits, and more that would go with 2 arrive
  for (const int item : {4, 6, 8}) Submit(item);
  LetOneCommitGoOn();
  EXPECT_EQ(AwaitBatches(3), (Batches{{1}, {2}, {3}}));
}

TEST_F(BatcherTest, LetsASecondLeaderTakeWhatDidNotFitTheFirst) {
  Make({.leaders = 2}, HaveTheSameParity);
  for (const int item : {1, 3, 2, 4, 5}) Submit(item);
  EXPECT_EQ(BatchesSoFar(), (Batches{{1}, {3}}));
  LetOneCommitGoOn();
  EXPECT_EQ(AwaitBatches(3), (Batches{{1}, {3}, {2, 4}}));
  LetOneCommitGoOn();
  EXPECT_EQ(AwaitBatches(4), (Batches{{1}, {3}, {2, 4}, {5}}));
}

TEST(BatcherUnderLoadTest, CommitsEveryItemOnceWithinItsBounds) {
  constexpr int kThreads = 8;
  constexpr int kItemsOfEach = 500;
  constexpr size_t kBatchMax = 3;
  constexpr int kLeadersMax = 2;
  using Number = std::unique_ptr<int>;  // outcomes may be move-only
  std::atomic<int> leaders = 0;
  std::atomic<bool> kept_its_bounds = true;
  std::vector<std::atomic<int>> committed(kThreads * kItemsOfEach);
  Batcher<int, Number> batcher(
      kBatchMax, kLeadersMax, [](const auto&, const int& item) { return item % 7 != 0; },
      [&](Batcher<int, Number>::Batch& batch) {
        if (++leaders > kLeadersMax || batch.size() > kBatchMax) kept_its_bounds = false;
        std::this_thread::yield();  // so that the others queue up
        for (auto* entry : batch) {
          ++committed[static_cast<size_t>(*entry->item)];
          entry->outcome = std::make_unique<int>(*entry->item * 2);
        }
        --leaders;
      });

  std::atomic<int> wrong_outcomes = 0;
  std::latch start(kThreads);
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      start.arrive_and_wait();
      for (int i = 0; i < kItemsOfEach; ++i) {
        const int item = t * kItemsOfEach + i;
        if (*batcher.Submit(item) != item * 2) ++wrong_outcomes;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();

  EXPECT_TRUE(kept_its_bounds);
  EXPECT_EQ(wrong_outcomes, 0);
  for (const auto& times : committed) EXPECT_EQ(times, 1);
}

}  // namespace
}  // namespace db
