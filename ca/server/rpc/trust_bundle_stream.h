#pragma once

#include <memory>
#include <mutex>
#include <optional>

#include "agentpki/v1/trust_bundle.grpc.pb.h"
#include "ca/authorities/trust_bundles.h"
#include "ca/server/rpc/call_gate.h"

namespace server {

// One WatchTrustBundle call. It holds one bundle at most, the one that is being sent: a reader that
// is slow misses versions, and costs no memory. Thread-safe.
class TrustBundleStream final
    : public grpc::ServerWriteReactor<agentpki::v1::WatchTrustBundleResponse>,
      public CallGate::Stream {
 public:
  // gRPC keeps it until the call is done, and so does whoever holds it. `call gate` and `bundles`
  // outlive it.
  static std::shared_ptr<TrustBundleStream> New(grpc::CallbackServerContext* context,
                                                const CallGate& call_gate,
                                                const ca::TrustBundles& bundles);

  // Of whom and what it is; said once, before it begins.
  void SetSubject(ca::Caller caller, ca::HierarchyId hierarchy);
  const ca::Caller& caller() const { return caller_; }
  ca::HierarchyId hierarchy() const { return hierarchy_; }

  // Whether it has begun, has not ended, is not busy with another and has not sent this version.
  bool Wants(int version) const;
  // Sends a bundle that it wants.
  void Offer(const ca::TrustBundle& bundle);

  bool HasBegun() const;
  bool HasEnded() const;
  // Whether a bundle is on its way to a reader who has not taken it yet.
  bool IsSending() const;
  // Ends it by the call gate; when it has not begun, as soon as it does, because until then the
  // call gate needs the call.
  void End(const ca::Status& why);
  // Ends a call whose end waits for a reader that takes nothing.
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
  // The caller holds the lock.
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
  std::optional<grpc::Status> end_;  // said, or to be said when what is being sent has been
  bool is_done_ = false;             // the context is gone
  std::shared_ptr<TrustBundleStream> self_;
  agentpki::v1::WatchTrustBundleResponse message_;  // being sent
};

}  // namespace server
