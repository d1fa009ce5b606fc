#include "ca/server/run/stop_deadline.h"

#include <spdlog/spdlog.h>
#include <unistd.h>

#include <chrono>

namespace server {
namespace {

constexpr std::chrono::seconds kStopMax(15);
constexpr int kTemporaryFailure = 75;  // EX_TEMPFAIL

}  // namespace

StopDeadline::~StopDeadline() {
  {
    const std::lock_guard lock(mutex_);
    is_over_ = true;
  }
  changed_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void StopDeadline::Begin() {
  thread_ = std::thread([this] { Watch(); });
}

void StopDeadline::Watch() {
  std::unique_lock lock(mutex_);
  if (changed_.wait_for(lock, kStopMax, [this] { return is_over_; })) return;
  spdlog::critical("the server did not stop within {} s: calls in progress are abandoned",
                   kStopMax.count());
  _exit(kTemporaryFailure);
}

}  // namespace server
