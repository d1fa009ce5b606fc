#pragma once

#include "agentpki/v1/trust_bundle.grpc.pb.h"
#include "ca/authorities/trust_bundles.h"
#include "ca/server/rpc/call_gate.h"
#include "ca/server/rpc/trust_bundle_watch.h"

namespace server {

class TrustBundleService final : public agentpki::v1::TrustBundleService::CallbackService {
 public:
  TrustBundleService(CallGate& call_gate, const ca::TrustBundles& bundles, TrustBundleWatch& watch)
      : call_gate_(call_gate), bundles_(bundles), watch_(watch) {}

  grpc::ServerUnaryReactor* GetTrustBundle(grpc::CallbackServerContext* context,
                                           const agentpki::v1::GetTrustBundleRequest* request,
                                           agentpki::v1::GetTrustBundleResponse* response) override;
  grpc::ServerWriteReactor<agentpki::v1::WatchTrustBundleResponse>* WatchTrustBundle(
      grpc::CallbackServerContext* context,
      const agentpki::v1::WatchTrustBundleRequest* request) override;
  grpc::ServerUnaryReactor* AcknowledgeTrustBundle(
      grpc::CallbackServerContext* context,
      const agentpki::v1::AcknowledgeTrustBundleRequest* request,
      agentpki::v1::AcknowledgeTrustBundleResponse* response) override;

 private:
  CallGate& call_gate_;
  const ca::TrustBundles& bundles_;
  TrustBundleWatch& watch_;
};

}  // namespace server
