#pragma once

#include "agentpki/v1/revocation.grpc.pb.h"
#include "ca/revoking.h"
#include "ca/server/door.h"

namespace server {

class RevocationService final : public agentpki::v1::RevocationService::CallbackService {
 public:
  RevocationService(Door& door, const ca::Revoking& revoking) : door_(door), revoking_(revoking) {}

  grpc::ServerUnaryReactor* Revoke(grpc::CallbackServerContext* context,
                                   const agentpki::v1::RevokeRequest* request,
                                   agentpki::v1::RevokeResponse* response) override;

 private:
  Door& door_;
  const ca::Revoking& revoking_;
};

}  // namespace server
