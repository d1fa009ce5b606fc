#pragma once

#include <unistd.h>

#include <atomic>
#include <chrono>
#include <fstream>
#include <list>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace db::testing {

// Threads that a test starts, and can wait for until they wait: nothing else tells that a caller
// stands in a queue.
class SleepingThreads {
 public:
  ~SleepingThreads() { Join(); }

  template <typename Work>
  void Start(Work work) {
    One& one = threads_.emplace_back();
    one.thread = std::thread([&one, work = std::move(work)]() mutable {
      one.id = gettid();
      work();
      one.has_ended = true;
    });
  }

  // Until none has done anything for some milliseconds but sleep, or end.
  void WaitUntilAllSleep() {
    constexpr int kQuietPolls = 5;
    std::vector<std::string> before;
    for (int quiet = 0; quiet < kQuietPolls;) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
      std::vector<std::string> now;
      bool all_sleep = true;
      for (const One& one : threads_) {
        now.push_back(SwitchesIfAsleep(one));
        all_sleep = all_sleep && !now.back().empty();
      }
      quiet = all_sleep && now == before ? quiet + 1 : 0;
      before = std::move(now);
    }
  }

  void Join() {
    for (One& one : threads_) {
      if (one.thread.joinable()) one.thread.join();
    }
    threads_.clear();
  }

 private:
  struct One {
    std::thread thread;
    std::atomic<pid_t> id = 0;
    std::atomic<bool> has_ended = false;
  };

  // How often the thread has gone to sleep, if it sleeps now; "" otherwise.
  static std::string SwitchesIfAsleep(const One& one) {
    if (one.has_ended) return "ended";
    std::ifstream status("/proc/self/task/" + std::to_string(one.id) + "/status");
    bool is_asleep = false;
    for (std::string line; std::getline(status, line);) {
      if (line.starts_with("State:")) is_asleep = line.find('S', 6) != std::string::npos;
      if (line.starts_with("voluntary_ctxt_switches:")) return is_asleep ? line : "";
    }
    return "";
  }

  std::list<One> threads_;
};

}  // namespace db::testing
