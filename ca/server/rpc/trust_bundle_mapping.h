#pragma once

#include "agentpki/v1/trust_bundle.pb.h"
#include "ca/authorities/trust_bundles.h"

namespace server {

agentpki::v1::TrustBundle ToProto(const ca::TrustBundle& bundle);

}  // namespace server
