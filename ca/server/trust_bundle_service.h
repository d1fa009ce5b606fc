#pragma once

#include "agentpki/v1/trust_bundle.grpc.pb.h"
#include "ca/server/door.h"
#include "ca/server/trust_bundle_watch.h"
#include "ca/trust_bundles.h"

namespace server {

class TrustBundleService final : public agentpki::v1::TrustBundleService::CallbackService {
 public:
  TrustBundleService(Door& door, const ca::TrustBundles& bundles, TrustBundleWatch& watch)
      : door_(door), bundles_(bundles), watch_(watch) {}

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
  Door& door_;
  const ca::TrustBundles& bundles_;
  TrustBundleWatch& watch_;
};

}  // namespace server
