#include "ca/server/health_monitor.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>

namespace server {
namespace {

constexpr std::chrono::seconds kInterval(2);

bool AllHealthy(const std::vector<Component>& components) {
  return std::all_of(components.begin(), components.end(),
                     [](const Component& component) { return component.healthy; });
}

}  // namespace

HealthMonitor::HealthMonitor(std::vector<Check> checks, std::function<void(bool)> tell)
    : checks_(std::move(checks)), tell_(std::move(tell)), thread_([this] { Watch(); }) {}

HealthMonitor::~HealthMonitor() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  stop_.notify_one();
  thread_.join();
}

std::vector<Component> HealthMonitor::Components() const {
  const std::lock_guard lock(mutex_);
  return components_;
}

void HealthMonitor::Watch() {
  for (;;) {
    LookOnce();
    std::unique_lock lock(mutex_);
    if (stop_.wait_for(lock, kInterval, [this] { return is_stopping_; })) return;
  }
}

void HealthMonitor::LookOnce() {
  std::vector<Component> seen;
  for (const Check& check : checks_) {
    const ca::Status status = check.look();
    seen.push_back({check.name, status.ok(), status.ok() ? "ok" : ca::MessageOf(status)});
  }
  std::vector<Component> before;
  {
    const std::lock_guard lock(mutex_);
    before = std::exchange(components_, seen);
  }
  for (size_t i = 0; i < seen.size(); ++i) {
    if (!before.empty() && before[i].healthy == seen[i].healthy) continue;
    if (seen[i].healthy) {
      spdlog::info("{} is well", seen[i].name);
    } else {
      spdlog::error("{} is not well: {}", seen[i].name, seen[i].detail);
    }
  }
  if (before.empty() || AllHealthy(before) != AllHealthy(seen)) tell_(AllHealthy(seen));
}

}  // namespace server
