#include "tools/agentpki-bench/crl_watch.h"

#include "tools/agentpki-bench/revocation_status.h"

namespace bench {

using ca::Error;
using ca::Result;
using ca::Status;
using ca::StatusCode;

Result<std::unique_ptr<CrlWatch>> CrlWatch::At(const std::string& url) {
  const Url parsed = TRY(Url::Parse(url));
  std::unique_ptr<CrlWatch> watch(new CrlWatch(parsed));
  TRY(watch->Poll());
  watch->thread_ = std::thread([self = watch.get()] {
    std::unique_lock lock(self->mutex_);
    while (!self->changed_.wait_for(lock, kPollPause, [self] { return self->is_over_; })) {
      lock.unlock();
      // The next poll makes up for a failed one. If all fail, WaitForAll() fails.
      (void)self->Poll();
      lock.lock();
    }
  });
  return watch;
}

CrlWatch::~CrlWatch() {
  {
    const std::lock_guard lock(mutex_);
    is_over_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

Status CrlWatch::Poll() {
  HttpAnswer answer = TRY(http_.Get(url_.path, etag_));
  if (answer.status == 304) return ca::Ok();
  const auto seen = Steady::now();
  if (answer.status != 200) {
    return Error(StatusCode::kUnavailable, "{}: HTTP status {}", url_.At(url_.path), answer.status);
  }
  std::set<std::string> serials = TRY(SerialsOf(answer.body));
  etag_ = answer.etag;
  const std::lock_guard lock(mutex_);
  serials_ = std::move(serials);
  der_ = std::move(answer.body);
  NoteListed(seen);
  changed_.notify_all();
  return ca::Ok();
}

void CrlWatch::NoteListed(Steady::time_point now) {
  std::erase_if(expected_, [&](const auto& expected) {
    if (!serials_.contains(expected.first)) return false;
    latencies_.Add(std::max(now - expected.second, Steady::duration::zero()));
    return true;
  });
}

void CrlWatch::Expect(const std::string& serial, Steady::time_point since) {
  const std::lock_guard lock(mutex_);
  expected_[serial] = since;
  NoteListed(Steady::now());
}

Result<Latencies> CrlWatch::WaitForAll(std::chrono::seconds timeout) {
  std::unique_lock lock(mutex_);
  if (changed_.wait_for(lock, timeout, [this] { return expected_.empty(); })) {
    return std::exchange(latencies_, {});
  }
  return Error(StatusCode::kUnavailable,
               "{} still does not list {} revoked certificates after {} s", url_.At(url_.path),
               expected_.size(), timeout.count());
}

size_t CrlWatch::entry_count() const {
  const std::lock_guard lock(mutex_);
  return serials_.size();
}

ca::Bytes CrlWatch::der() const {
  const std::lock_guard lock(mutex_);
  return der_;
}

}  // namespace bench
