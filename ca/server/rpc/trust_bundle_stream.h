#pragma once

#include <memory>
#include <mutex>
#include <optional>

#include "agentpki/v1/trust_bundle.grpc.pb.h"
#include "ca/authorities/trust_bundles.h"
#include "ca/server/rpc/call_gate.h"

namespace server {

// One WatchTrustBundle call. It holds at most one bundle, the one that is being sent. A slow reader
// therefore misses versions, and needs no more memory than a fast one. Thread-safe.
class TrustBundleStream final
    : public grpc::ServerWriteReactor<agentpki::v1::WatchTrustBundleResponse>,
      public CallGate::Stream {
 public:
  // The stream lives until gRPC has ended the call and nobody else holds it. `call_gate` and
  // `bundles` outlive it.
  static std::shared_ptr<TrustBundleStream> New(grpc::CallbackServerContext* context,
                                                const CallGate& call_gate,
                                                const ca::TrustBundles& bundles);

  // Sets the caller and the hierarchy of the stream. Call it once, before the stream begins.
  void SetSubject(ca::Caller caller, ca::HierarchyId hierarchy);
  const ca::Caller& caller() const { return caller_; }
  ca::HierarchyId hierarchy() const { return hierarchy_; }

  // Whether Offer() would send this version: the stream has begun and has not ended, it is not
  // sending another bundle, and it has not sent this version.
  bool Wants(int version) const;
  // Sends the bundle if the stream wants its version.
  void Offer(const ca::TrustBundle& bundle);

  bool HasBegun() const;
  bool HasEnded() const;
  // Whether the reader has not yet taken the bundle that is being sent.
  bool IsSending() const;
  // Ends the stream through the call gate. A stream that has not begun ends when it begins, because
  // until then the call gate uses the call.
  void End(const ca::Status& why);
  // Cancels the call if its end waits for a reader that does not read.
  void Abandon();

  void OnWriteDone(bool is_written) override;
  void OnCancel() override;
  void OnDone() override;

 private:
  TrustBundleStream(grpc::CallbackServerContext* context, const CallGate& call_gate,
                    const ca::TrustBundles& bundles)
      : context_(context), call_gate_(call_gate), bundles_(bundles) {}

  void Begin() override;
  void Finish(const grpc::Status& status, const std::string& rule) override;
  // Needs the lock.
  bool WantsLocked(int version) const;

  grpc::CallbackServerContext* const context_;
  const CallGate& call_gate_;
  const ca::TrustBundles& bundles_;
  ca::Caller caller_;
  ca::HierarchyId hierarchy_{};

  mutable std::mutex mutex_;
  bool has_begun_ = false;
  std::optional<ca::Status> end_at_begin_;
  bool is_writing_ = false;
  int sent_version_ = 0;
  std::optional<grpc::Status> end_;  // sent, or to be sent after the bundle that is being sent
  bool is_done_ = false;             // gRPC has destroyed the context
  std::shared_ptr<TrustBundleStream> self_;
  agentpki::v1::WatchTrustBundleResponse message_;  // the bundle that is being sent
};

}  // namespace server
