#include "ca/server/upkeep/consistency_watch.h"

#include <spdlog/spdlog.h>

#include <algorithm>

namespace server {
namespace {

using ca::Status;

constexpr std::chrono::seconds kPause(1);
constexpr size_t kLoggedMax = 5;  // `agentpki status check` lists the others

std::string FirstOf(const std::vector<Discrepancy>& discrepancies) {
  std::string text;
  for (size_t i = 0; i < std::min(discrepancies.size(), kLoggedMax); ++i) {
    const Discrepancy& one = discrepancies[i];
    text += fmt::format("{}{}{}{}: {}", i == 0 ? "" : "; ", one.where,
                        one.serial.empty() ? "" : " of ", one.serial, one.what);
  }
  return text;
}

}  // namespace

ConsistencyWatch::ConsistencyWatch(const ca::LiveCatalog& catalogs, Check check, Metrics& metrics,
                                   const ca::Clock& clock)
    : catalogs_(catalogs),
      check_(std::move(check)),
      metrics_(metrics),
      clock_(clock),
      due_(clock.Now() + kFirstAfter) {}

void ConsistencyWatch::Start() {
  thread_ = std::thread([this] { WatchForEver(); });
}

void ConsistencyWatch::Stop() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

bool ConsistencyWatch::IsStopping() const {
  const std::lock_guard lock(mutex_);
  return is_stopping_;
}

void ConsistencyWatch::WatchForEver() {
  while (!IsStopping()) {
    CheckWhenDue();
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, kPause, [&] { return is_stopping_; });
  }
}

void ConsistencyWatch::CheckWhenDue() {
  if (clock_.Now() < due_) return;
  std::chrono::minutes interval = kInterval;
  const auto catalog = catalogs_.Snapshot();
  for (const ca::HierarchySnapshotPtr& hierarchy : catalog->hierarchies()) {
    const Status status = CheckOne(*hierarchy);
    if (status.ok()) continue;
    if (IsStopping()) return;
    spdlog::warn("status check of {}: not done: {}", hierarchy->name(), status.ToString());
    interval = kRetryInterval;
  }
  due_ = clock_.Now() + interval;
}

Status ConsistencyWatch::CheckOne(const ca::HierarchySnapshot& hierarchy) const {
  const auto report = TRY(check_(hierarchy, [this] { return IsStopping(); }));
  metrics_.SetStatusChecked(hierarchy.name(), report.discrepancy_count, clock_.Now());
  if (report.discrepancy_count == 0) return ca::Ok();
  spdlog::error("status check of {}: ledger, OCSP and CRL differ {} times: {}", hierarchy.name(),
                report.discrepancy_count, FirstOf(report.discrepancies));
  return ca::Ok();
}

}  // namespace server
