#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <vector>

namespace db {

// LevelDB's writer queue: callers block, one of them commits for all that wait. What arrives while
// a commit is under way forms the next batch, so the batch grows with the load and nobody waits for
// a timer. Thread-safe.
template <typename Item, typename Outcome>
class Batcher {
 public:
  struct Entry {
    const Item* item = nullptr;
    std::optional<Outcome> outcome;
  };
  using Batch = std::vector<Entry*>;

  // `commit` gives each entry of the batch its outcome; it does not throw. `fits` says whether an
  // item may join the batch so far; what does not waits for the next.
  Batcher(size_t batch_max, size_t leaders_max, std::function<bool(const Batch&, const Item&)> fits,
          std::function<void(Batch&)> commit)
      : batch_max_(batch_max),
        leaders_max_(leaders_max),
        fits_(std::move(fits)),
        commit_(std::move(commit)) {}

  Outcome Submit(const Item& item) {
    Waiter self;
    self.item = &item;
    std::unique_lock lock(mutex_);
    queue_.push_back(&self);
    self.wake.wait(
        lock, [&] { return self.is_done || (queue_.front() == &self && leaders_ < leaders_max_); });
    if (self.is_done) return *std::move(self.outcome);

    Batch batch = TakeBatch();
    ++leaders_;
    WakeNextLeader();
    lock.unlock();
    commit_(batch);
    lock.lock();
    --leaders_;
    for (Entry* entry : batch) {
      auto* const waiter = static_cast<Waiter*>(entry);
      waiter->is_done = true;
      waiter->wake.notify_one();  // under the lock: once it is free, the waiter may be gone
    }
    WakeNextLeader();
    return *std::move(self.outcome);
  }

 private:
  struct Waiter : Entry {
    bool is_done = false;  // guards `outcome`, which the leader writes without the lock
    std::condition_variable wake;
  };

  // From the front, so the leader, who is there, is always in it.
  Batch TakeBatch() {
    Batch batch;
    std::deque<Waiter*> rest;
    for (Waiter* waiter : queue_) {
      if (batch.size() < batch_max_ && (batch.empty() || fits_(batch, *waiter->item))) {
        batch.push_back(waiter);
      } else {
        rest.push_back(waiter);
      }
    }
    queue_.swap(rest);
    return batch;
  }

  void WakeNextLeader() {
    if (!queue_.empty() && leaders_ < leaders_max_) queue_.front()->wake.notify_one();
  }

  const size_t batch_max_;
  const size_t leaders_max_;
  const std::function<bool(const Batch&, const Item&)> fits_;
  const std::function<void(Batch&)> commit_;
  std::mutex mutex_;
  std::deque<Waiter*> queue_;
  size_t leaders_ = 0;
};

}  // namespace db
