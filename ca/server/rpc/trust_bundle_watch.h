#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "ca/server/rpc/trust_bundle_stream.h"

namespace server {

// All streams of trust bundles, watched over by one thread: once a second it ends those whose
// caller's certificate stands no more, and sends what is new, after it has looked up again that the
// caller may have it. Thread-safe.
class TrustBundleWatch {
 public:
  static constexpr size_t kStreamsMax = 4096;
  static constexpr size_t kStreamsPerCallerMax = 8;

  // Both outlive it.
  TrustBundleWatch(const CallGate& call_gate, const ca::TrustBundles& bundles)
      : call_gate_(call_gate), bundles_(bundles) {}
  ~TrustBundleWatch() { Stop(); }

  void Start();
  // Ends every stream at once, kUnavailable; none begins any more.
  void Stop();

  // Takes a stream that has its subject. kResourceExhausted when there are as many as may be;
  // kUnavailable when it has stopped.
  ca::Status Add(std::shared_ptr<TrustBundleStream> stream);

  // Looks at every stream, once. For tests; the thread does it too.
  void Look();

 private:
  using Streams = std::vector<std::shared_ptr<TrustBundleStream>>;

  void WatchForEver();
  Streams Standing();
  void LookAt(TrustBundleStream& stream, const std::optional<ca::TrustBundle>& newest) const;

  const CallGate& call_gate_;
  const ca::TrustBundles& bundles_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool is_stopping_ = false;
  Streams streams_;
  std::thread thread_;
};

}  // namespace server
