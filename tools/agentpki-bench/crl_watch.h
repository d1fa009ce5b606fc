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

// One CRL, fetched every 5 ms on a thread of its own. Thread-safe.
class CrlWatch {
 public:
  using Steady = std::chrono::steady_clock;

  // kFailedPrecondition or kUnavailable when there is no CRL.
  static ca::Result<std::unique_ptr<CrlWatch>> At(const std::string& url);
  ~CrlWatch();

  void Expect(const std::string& serial, Steady::time_point since);
  // Until the CRL lists all that is expected. kUnavailable when it does not within `timeout`.
  // From `since` to the CRL in which each was first seen; starts afresh.
  ca::Result<Latencies> WaitForAll(std::chrono::seconds timeout);

  // Of the newest.
  size_t entry_count() const;
  ca::Bytes der() const;

 private:
  explicit CrlWatch(Url url) : url_(url), http_(std::move(url)) {}
  ca::Status Poll();
  void NoteListed(Steady::time_point now);

  const Url url_;
  HttpClient http_;   // of the thread
  std::string etag_;  // of the thread
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
