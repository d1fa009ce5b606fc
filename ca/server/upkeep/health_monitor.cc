#include "ca/server/upkeep/health_monitor.h"

#include <spdlog/spdlog.h>

#include <algorithm>

namespace server {
namespace {

constexpr std::chrono::seconds kInterval(2);
constexpr std::chrono::seconds kPatience(10);

bool AllHealthy(const std::vector<Component>& components) {
  return std::all_of(components.begin(), components.end(), [](const Component& component) {
    return component.healthy || !component.tenants.empty();
  });
}

void LogChanges(const std::vector<Component>& before, const std::vector<Component>& now) {
  for (size_t i = 0; i < now.size(); ++i) {
    if (!before.empty() && before[i].healthy == now[i].healthy) continue;
    if (now[i].healthy) {
      spdlog::info("{} is well", now[i].name);
    } else {
      spdlog::error("{} is not well: {}", now[i].name, now[i].detail);
    }
  }
}

}  // namespace

HealthMonitor::HealthMonitor(std::vector<Check> checks, std::function<void(bool)> tell)
    : checks_(std::move(checks)), tell_(std::move(tell)), looks_(checks_.size()) {
  // One that hangs holds up no other.
  for (size_t i = 0; i < checks_.size(); ++i) threads_.emplace_back([this, i] { LookForEver(i); });
  threads_.emplace_back([this] { JudgeForEver(); });
}

HealthMonitor::~HealthMonitor() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

std::vector<Component> HealthMonitor::Components() const {
  const std::lock_guard lock(mutex_);
  return components_;
}

void HealthMonitor::LookForEver(size_t i) {
  Look& look = looks_[i];
  std::unique_lock lock(mutex_);
  while (!is_stopping_) {
    look.is_under_way = true;
    look.begun = Steady::now();
    lock.unlock();
    const ca::Status status = checks_[i].look();
    lock.lock();
    look.is_under_way = false;
    look.is_known = true;
    look.status = status;
    ++news_count_;
    changed_.notify_all();
    const auto due = Steady::now() + kInterval;
    changed_.wait_until(lock, due, [&] { return is_stopping_ || Steady::now() >= due; });
  }
}

void HealthMonitor::JudgeForEver() {
  std::unique_lock lock(mutex_);
  while (!is_stopping_) {
    const unsigned judged_count = news_count_;
    std::vector<Component> now = Judged();
    if (!now.empty()) {
      const std::vector<Component> before = std::exchange(components_, now);
      lock.unlock();
      LogChanges(before, now);
      if (before.empty() || AllHealthy(before) != AllHealthy(now)) tell_(AllHealthy(now));
      lock.lock();
    }
    changed_.wait_for(lock, kInterval, [&] { return is_stopping_ || news_count_ != judged_count; });
  }
}

// Empty as long as there is one of which nothing can be said yet.
std::vector<Component> HealthMonitor::Judged() const {
  std::vector<Component> components;
  for (size_t i = 0; i < checks_.size(); ++i) {
    const Look& look = looks_[i];
    const auto waited = Steady::now() - look.begun;
    if (look.is_under_way && waited >= kPatience) {
      components.push_back(
          {checks_[i].name, false,
           fmt::format("it has not answered for {} s",
                       std::chrono::duration_cast<std::chrono::seconds>(waited).count()),
           checks_[i].tenants});
    } else if (look.is_known) {
      components.push_back({checks_[i].name, look.status.ok(),
                            look.status.ok() ? "ok" : ca::MessageOf(look.status),
                            checks_[i].tenants});
    } else {
      return {};
    }
  }
  return components;
}

}  // namespace server
