#include "ca/server/rpc/revocation_service.h"

#include "ca/server/rpc/revocation_mapping.h"

namespace server {

using ca::Action;

grpc::ServerUnaryReactor* RevocationService::Revoke(grpc::CallbackServerContext* context,
                                                    const agentpki::v1::RevokeRequest* request,
                                                    agentpki::v1::RevokeResponse* response) {
  const Action action = request->dry_run() ? Action::kPreviewRevocation : Action::kRevoke;
  return call_gate_.Handle(
      context, action, "",
      [=, this](const ca::Caller& caller, ca::AuditEvent& event) -> ca::Status {
        const ca::RevocationRequest order = TRY(FromProto(*request));
        const auto outcome =
            TRY(action == Action::kRevoke ? revocations_.Revoke(caller, order, event)
                                          : revocations_.Preview(caller, order, event));
        *response = ToProto(outcome);
        return ca::Ok();
      });
}

}  // namespace server
