#include "ca/server/rpc/trust_bundle_service.h"

#include "ca/server/rpc/trust_bundle_mapping.h"

namespace server {

using ca::Action;
using ca::Status;

grpc::ServerUnaryReactor* TrustBundleService::GetTrustBundle(
    grpc::CallbackServerContext* context, const agentpki::v1::GetTrustBundleRequest* request,
    agentpki::v1::GetTrustBundleResponse* response) {
  return call_gate_.HandleReading(
      context, Action::kGetTrustBundle, [=, this](ca::Call& call) -> ca::Status {
        const auto bundle = TRY(bundles_.Get(call, request->hierarchy()));
        *response->mutable_bundle() = ToProto(bundle);
        return ca::Ok();
      });
}

grpc::ServerWriteReactor<agentpki::v1::WatchTrustBundleResponse>*
TrustBundleService::WatchTrustBundle(grpc::CallbackServerContext* context,
                                     const agentpki::v1::WatchTrustBundleRequest* request) {
  const auto stream = TrustBundleStream::New(context, call_gate_, bundles_);
  // A copy of the name: the call, and its request, may end before the work does.
  call_gate_.Open(context, Action::kWatchTrustBundle, stream,
                  [this, stream, hierarchy = request->hierarchy()](ca::Call& call) -> ca::Status {
                    const ca::HierarchyId id =
                        TRY(bundles_.Permit(call, Action::kWatchTrustBundle, hierarchy));
                    stream->SetSubject(call.caller(), id);
                    return watch_.Add(stream);
                  });
  return stream.get();
}

grpc::ServerUnaryReactor* TrustBundleService::AcknowledgeTrustBundle(
    grpc::CallbackServerContext* context,
    const agentpki::v1::AcknowledgeTrustBundleRequest* request,
    agentpki::v1::AcknowledgeTrustBundleResponse*) {
  return call_gate_.Handle(context, Action::kAcknowledgeTrustBundle, "",
                           [=, this](ca::Call& call) -> ca::Result<ca::RecordedDecision> {
                             return bundles_.Acknowledge(call, request->version());
                           });
}

}  // namespace server
