#include "ca/server/rpc/trust_bundle_watch.h"

#include <algorithm>
#include <map>

namespace server {
namespace {

using ca::Error;
using ca::Status;
using ca::StatusCode;

constexpr std::chrono::seconds kInterval(1);
constexpr std::chrono::milliseconds kLastWordMax(500);
constexpr std::chrono::milliseconds kLastWordPause(5);

}  // namespace

void TrustBundleWatch::Start() {
  thread_ = std::thread([this] { WatchForEver(); });
}

void TrustBundleWatch::Stop() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
  const Streams streams = Open();
  for (const auto& stream : streams) {
    stream->End(Error(StatusCode::kUnavailable, "the server stops; watch again"));
  }
  // Readers receive the status. A stream whose reader does not read is cut off.
  const auto is_sending = [](const auto& stream) { return stream->IsSending(); };
  const auto until = std::chrono::steady_clock::now() + kLastWordMax;
  while (std::any_of(streams.begin(), streams.end(), is_sending) &&
         std::chrono::steady_clock::now() < until) {
    std::this_thread::sleep_for(kLastWordPause);
  }
  for (const auto& stream : streams) stream->Abandon();
}

Status TrustBundleWatch::Add(std::shared_ptr<TrustBundleStream> stream) {
  const std::lock_guard lock(mutex_);
  if (is_stopping_) return Error(StatusCode::kUnavailable, "the server stops; watch again");
  std::erase_if(streams_, [](const auto& other) { return other->HasEnded(); });
  if (streams_.size() >= kStreamsMax) {
    return Error(StatusCode::kResourceExhausted,
                 "the server has reached its limit of {} streams; watch another replica, or retry",
                 kStreamsMax);
  }
  const auto own = std::count_if(streams_.begin(), streams_.end(), [&](const auto& other) {
    return other->caller().id == stream->caller().id;
  });
  if (static_cast<size_t>(own) >= kStreamsPerCallerMax) {
    return Error(StatusCode::kResourceExhausted, "{} has {} streams already; end one",
                 stream->caller().Name(), own);
  }
  streams_.push_back(std::move(stream));
  return ca::Ok();
}

TrustBundleWatch::Streams TrustBundleWatch::Open() {
  const std::lock_guard lock(mutex_);
  std::erase_if(streams_, [](const auto& stream) { return stream->HasEnded(); });
  return streams_;
}

void TrustBundleWatch::WatchForEver() {
  std::unique_lock lock(mutex_);
  while (!is_stopping_) {
    lock.unlock();
    Look();
    lock.lock();
    changed_.wait_for(lock, kInterval, [this] { return is_stopping_; });
  }
}

void TrustBundleWatch::Look() {
  std::map<ca::HierarchyId, std::optional<ca::TrustBundle>> newest;
  for (const auto& stream : Open()) {
    if (!stream->HasBegun()) continue;
    const auto [found, is_new] = newest.try_emplace(stream->hierarchy());
    if (is_new) found->second = bundles_.Newest(stream->hierarchy());
    LookAt(*stream, found->second);
  }
}

void TrustBundleWatch::LookAt(TrustBundleStream& stream,
                              const std::optional<ca::TrustBundle>& newest) const {
  auto caller = call_gate_.Verify(stream);
  if (!caller.ok()) {
    stream.End(caller.status());
    return;
  }
  if (!newest || !stream.Wants(newest->version)) return;
  // End() records a refusal; a permission is not recorded again.
  ca::Call call(ca::Action::kWatchTrustBundle, {}, *std::move(caller));
  const Status permitted = bundles_.Permit(call, call.action(), newest->hierarchy).status();
  if (permitted.code() == StatusCode::kUnavailable) return;  // ask again at the next look
  if (permitted.ok()) {
    stream.Offer(*newest);
  } else {
    stream.End(permitted);
  }
}

}  // namespace server
