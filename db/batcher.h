#pragma once

#include <semaphore.h>

#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <vector>

namespace db {

// LevelDB's writer queue: callers block, and one of them, the leader, commits for all that wait.
// Items that arrive during a commit form the next batch, so the batch grows with the load and no
// caller waits for a timer. Thread-safe.
template <typename Item, typename Outcome>
class Batcher {
 public:
  struct Entry {
    const Item* item = nullptr;
    std::optional<Outcome> outcome;
  };
  using Batch = std::vector<Entry*>;

  // `commit` sets the outcome of each entry of the batch; it does not throw. `fits` says whether an
  // item may join the batch so far; an item that does not fit waits for the next batch.
  Batcher(size_t batch_max, size_t leaders_max, std::function<bool(const Batch&, const Item&)> fits,
          std::function<void(Batch&)> commit)
      : batch_max_(batch_max),
        leaders_max_(leaders_max),
        fits_(std::move(fits)),
        commit_(std::move(commit)) {}

  Outcome Submit(const Item& item) {
    Waiter self;
    self.item = &item;
    if (!LeadOrEnqueue(self)) {
      self.AwaitTurn();
      // Woken with an outcome: return it. Woken without: lead.
      if (self.outcome) return *std::move(self.outcome);
    }
    Batch batch = TakeBatch(self);
    commit_(batch);
    StepDown();
    for (Entry* entry : batch) {
      // The released thread returns, and its entry is destroyed.
      if (entry != &self) static_cast<Waiter*>(entry)->GiveTurn();
    }
    return *std::move(self.outcome);
  }

 private:
  // Sleeps outside the lock, so that a woken thread need not wait for the lock. Not
  // std::binary_semaphore: it yields in a loop before it sleeps, which burns the processor under
  // load.
  struct Waiter : Entry {
    Waiter() { sem_init(&turn_, 0, 0); }
    ~Waiter() { sem_destroy(&turn_); }
    Waiter(const Waiter&) = delete;
    Waiter& operator=(const Waiter&) = delete;
    void AwaitTurn() {
      while (sem_wait(&turn_) != 0) continue;  // a signal
    }
    void GiveTurn() { sem_post(&turn_); }

   private:
    sem_t turn_;
  };

  bool LeadOrEnqueue(Waiter& self) {
    const std::lock_guard lock(mutex_);
    if (queue_.empty() && leaders_ < leaders_max_) {
      ++leaders_;
      return true;
    }
    queue_.push_back(&self);
    return false;
  }

  // The leader, and the waiting items that fit.
  Batch TakeBatch(Waiter& leader) {
    const std::lock_guard lock(mutex_);
    if (appointed_ == &leader) appointed_ = nullptr;
    Batch batch{&leader};
    std::deque<Waiter*> rest;
    for (Waiter* waiter : queue_) {
      if (batch.size() < batch_max_ && fits_(batch, *waiter->item)) {
        batch.push_back(waiter);
      } else {
        rest.push_back(waiter);
      }
    }
    queue_.swap(rest);
    AppointLeader();
    return batch;
  }

  void StepDown() {
    const std::lock_guard lock(mutex_);
    --leaders_;
    AppointLeader();
  }

  // The thread that waits longest leads next, if another leader is allowed. One is appointed at a
  // time: two that wake together would split one batch between them.
  void AppointLeader() {
    if (queue_.empty() || leaders_ == leaders_max_ || appointed_) return;
    appointed_ = queue_.front();
    queue_.pop_front();
    ++leaders_;
    appointed_->GiveTurn();
  }

  const size_t batch_max_;
  const size_t leaders_max_;
  const std::function<bool(const Batch&, const Item&)> fits_;
  const std::function<void(Batch&)> commit_;
  std::mutex mutex_;
  std::deque<Waiter*> queue_;
  Waiter* appointed_ = nullptr;  // to lead; it has not taken its batch yet
  size_t leaders_ = 0;
};

}  // namespace db
