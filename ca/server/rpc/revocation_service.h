#pragma once

#include "agentpki/v1/revocation.grpc.pb.h"
#include "ca/certificates/revocations.h"
#include "ca/server/rpc/call_gate.h"

namespace server {

class RevocationService final : public agentpki::v1::RevocationService::CallbackService {
 public:
  RevocationService(CallGate& call_gate, const ca::Revocations& revocations)
      : call_gate_(call_gate), revocations_(revocations) {}

  grpc::ServerUnaryReactor* Revoke(grpc::CallbackServerContext* context,
                                   const agentpki::v1::RevokeRequest* request,
                                   agentpki::v1::RevokeResponse* response) override;

 private:
  CallGate& call_gate_;
  const ca::Revocations& revocations_;
};

}  // namespace server
