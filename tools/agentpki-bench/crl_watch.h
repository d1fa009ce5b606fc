#pragma once

#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>

#include "tools/agentpki-bench/http_client.h"
#include "tools/agentpki-bench/latency.h"

namespace bench {

constexpr std::chrono::milliseconds kPollPause(5);

// Polls one CRL every kPollPause, on a thread of its own. Thread-safe.
class CrlWatch {
 public:
  using Steady = std::chrono::steady_clock;

  // kFailedPrecondition or kUnavailable if no CRL is served there.
  static ca::Result<std::unique_ptr<CrlWatch>> At(const std::string& url);
  ~CrlWatch();

  // `serial`: lower-case hex. It was revoked at `since`.
  void Expect(const std::string& serial, Steady::time_point since);
  // Waits until the CRL lists all expected serials. Returns the time from each `since` to the poll
  // that first listed the serial, and starts afresh. kUnavailable after `timeout`.
  ca::Result<Latencies> WaitForAll(std::chrono::seconds timeout);

  // The newest CRL.
  size_t entry_count() const;
  ca::Bytes der() const;

 private:
  explicit CrlWatch(Url url) : url_(url), http_(std::move(url)) {}
  ca::Status Poll();
  void NoteListed(Steady::time_point now);

  const Url url_;
  HttpClient http_;   // used by the thread only
  std::string etag_;  // used by the thread only
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  ca::Bytes der_;
  std::set<std::string> serials_;
  std::map<std::string, Steady::time_point> expected_;
  Latencies latencies_;
  bool is_over_ = false;
  std::thread thread_;
};

}  // namespace bench
