#pragma once

#include "agentpki/v1/revocation.pb.h"
#include "ca/certificates/revocations.h"

namespace server {

agentpki::v1::RevokeResponse ToProto(const ca::RevocationOutcome& outcome);

ca::Result<ca::RevocationRequest> FromProto(const agentpki::v1::RevokeRequest& request);

}  // namespace server
