#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <thread>
#include <type_traits>
#include <utility>

#include "ca/base/result.h"

namespace hsm {

// The call that a watched thread is in, for the message after a timeout.
class Progress {
 public:
  // `call` is a string literal.
  void Enter(const char* call) { call_.store(call, std::memory_order_relaxed); }
  const char* call() const { return call_.load(std::memory_order_relaxed); }

 private:
  std::atomic<const char*> call_ = "its start";
};

// Runs `work`, a function from Progress& to a Result<T>, in a thread of its own, and returns its
// result. kUnavailable if it has not returned after `timeout`.
//
// The thread then goes on alone, because nothing can stop a thread in a C library. If it returns
// later, its result is destroyed in that thread.
template <typename Work>
auto RunWithin(std::chrono::milliseconds timeout, std::string_view what, Work work) {
  using Outcome = std::invoke_result_t<Work&, Progress&>;
  struct Shared {
    Progress progress;
    std::mutex mutex;
    std::condition_variable is_done;
    std::optional<Outcome> outcome;
    bool is_abandoned = false;
  };
  const auto shared = std::make_shared<Shared>();

  std::thread thread([shared, work = std::move(work)]() mutable {
    Outcome outcome = work(shared->progress);
    const std::lock_guard lock(shared->mutex);
    if (shared->is_abandoned) return;
    shared->outcome.emplace(std::move(outcome));
    shared->is_done.notify_one();
  });

  std::unique_lock lock(shared->mutex);
  if (!shared->is_done.wait_for(lock, timeout, [&] { return shared->outcome.has_value(); })) {
    shared->is_abandoned = true;
    thread.detach();
    return Outcome(ca::Error(ca::StatusCode::kUnavailable,
                             "{} hangs in {} for {} ms already; end this process", what,
                             shared->progress.call(), timeout.count()));
  }
  lock.unlock();
  thread.join();
  return std::move(*shared->outcome);
}

}  // namespace hsm
