#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "ca/server/rpc/trust_bundle_stream.h"

namespace server {

// All streams of trust bundles. Once a second, one thread closes streams whose caller's certificate
// is no longer valid, and sends new bundles. Before it sends one, it checks again that the caller
// may have it. Thread-safe.
class TrustBundleWatch {
 public:
  static constexpr size_t kStreamsMax = 4096;
  static constexpr size_t kStreamsPerCallerMax = 8;

  // Both outlive it.
  TrustBundleWatch(const CallGate& call_gate, const ca::TrustBundles& bundles)
      : call_gate_(call_gate), bundles_(bundles) {}
  ~TrustBundleWatch() { Stop(); }

  void Start();
  // Ends every stream with kUnavailable, and takes no new ones. Gives readers 500 ms to receive the
  // status.
  void Stop();

  // Adds a stream whose subject is set. kResourceExhausted at one of the two bounds above;
  // kUnavailable after Stop().
  ca::Status Add(std::shared_ptr<TrustBundleStream> stream);

  // Does once what the thread does each second. For tests.
  void Look();

 private:
  using Streams = std::vector<std::shared_ptr<TrustBundleStream>>;

  void WatchForEver();
  Streams Open();
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
