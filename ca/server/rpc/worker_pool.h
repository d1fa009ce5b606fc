#pragma once

#include <atomic>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <utility>

namespace server {

// Threads for the use cases, which block. Thread-safe. There is no queue: a call that waited in one
// would be answered too late.
class WorkerPool {
 public:
  explicit WorkerPool(int size) : size_(size), threads_(static_cast<size_t>(size)) {}
  ~WorkerPool() { threads_.join(); }

  // Runs `work` on a thread of the pool; false if every thread is busy.
  template <typename Work>
  bool TryRun(Work work) {
    if (in_progress_.fetch_add(1) >= size_) {
      in_progress_.fetch_sub(1);
      return false;
    }
    boost::asio::post(threads_, [this, work = std::move(work)]() mutable {
      work();
      in_progress_.fetch_sub(1);
    });
    return true;
  }

 private:
  const int size_;
  std::atomic<int> in_progress_ = 0;
  boost::asio::thread_pool threads_;
};

}  // namespace server
