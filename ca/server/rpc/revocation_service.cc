#include "ca/server/rpc/revocation_service.h"

#include "ca/server/rpc/revocation_mapping.h"

namespace server {

using ca::Action;

grpc::ServerUnaryReactor* RevocationService::Revoke(grpc::CallbackServerContext* context,
                                                    const agentpki::v1::RevokeRequest* request,
                                                    agentpki::v1::RevokeResponse* response) {
  if (request->dry_run()) {
    return call_gate_.HandleReading(
        context, Action::kPreviewRevocation, [=, this](ca::Call& call) -> ca::Status {
          const ca::RevocationRequest order = TRY(FromProto(*request));
          const ca::RevocationOutcome outcome = TRY(revocations_.Preview(call, order));
          *response = ToProto(outcome);
          return ca::Ok();
        });
  }
  return call_gate_.Handle(context, Action::kRevoke, "",
                           [=, this](ca::Call& call) -> ca::Result<ca::RecordedDecision> {
                             const ca::RevocationRequest order = TRY(FromProto(*request));
                             auto outcome = TRY(revocations_.Revoke(call, order));
                             *response = ToProto(*outcome);
                             return std::move(outcome).decision();
                           });
}

}  // namespace server
