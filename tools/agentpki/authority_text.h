#pragma once

#include "agentpki/v1/authority.pb.h"
#include "tools/agentpki/session.h"

namespace cli {

// Prints one authority, in the format of the session.
void PrintAuthority(const agentpki::v1::Authority& authority, const Session& session);

}  // namespace cli
