#include "ca/server/rpc/worker_pool.h"

#include <gtest/gtest.h>

#include <latch>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

namespace server {
namespace {

TEST(WorkerPoolTest, RunsWork) {
  std::latch ran(1);
  WorkerPool pool(1);
  EXPECT_TRUE(pool.TryRun([&] { ran.count_down(); }));
  ran.wait();
}

TEST(WorkerPoolTest, RunsOneCallOnEachThreadAndRefusesTheNext) {
  constexpr int kSize = 3;
  std::latch all_in(kSize);
  std::latch go_on(1);
  WorkerPool pool(kSize);
  for (int i = 0; i < kSize; ++i) {
    EXPECT_TRUE(pool.TryRun([&] {
      all_in.count_down();
      go_on.wait();
    }));
  }
  all_in.wait();  // hangs unless they run at the same time
  EXPECT_FALSE(pool.TryRun([] { ADD_FAILURE() << "it was turned away"; }));
  go_on.count_down();
}

TEST(WorkerPoolTest, TakesWorkAgainWhenAThreadIsFree) {
  WorkerPool pool(1);
  for (int i = 0; i < 100; ++i) {
    std::latch ran(1);
    while (!pool.TryRun([&] { ran.count_down(); })) std::this_thread::yield();
    ran.wait();
  }
}

TEST(WorkerPoolTest, FinishesRunningWorkBeforeItIsDestroyed) {
  std::atomic<int> finished = 0;
  {
    WorkerPool pool(4);
    for (int i = 0; i < 4; ++i) {
      EXPECT_TRUE(pool.TryRun([&] {
        std::this_thread::yield();
        ++finished;
      }));
    }
  }
  EXPECT_EQ(finished, 4);
}

TEST(WorkerPoolTest, RunsAcceptedWorkExactlyOnce) {
  constexpr int kCallers = 8;
  constexpr int kEach = 500;
  std::atomic<int> taken = 0;
  std::atomic<int> ran = 0;
  std::atomic<int> at_once = 0;
  std::atomic<bool> kept_its_bound = true;
  {
    WorkerPool pool(3);
    std::vector<std::thread> callers;
    for (int c = 0; c < kCallers; ++c) {
      callers.emplace_back([&] {
        for (int i = 0; i < kEach; ++i) {
          const bool is_taken = pool.TryRun([&] {
            if (++at_once > 3) kept_its_bound = false;
            ++ran;
            --at_once;
          });
          if (is_taken) ++taken;
        }
      });
    }
    for (std::thread& caller : callers) caller.join();
  }
  EXPECT_EQ(ran, taken);
  EXPECT_GT(ran, 0);
  EXPECT_TRUE(kept_its_bound);
}

TEST(WorkerPoolTest, DestroysTheWorkAfterItRan) {
  const auto held = std::make_shared<int>(1);
  {
    WorkerPool pool(1);
    EXPECT_TRUE(pool.TryRun([held] {}));
  }
  EXPECT_EQ(held.use_count(), 1);
}

}  // namespace
}  // namespace server
