#pragma once

#include "agentpki/v1/authority.pb.h"
#include "tools/agentpki/session.h"

namespace cli {

// One authority, as the verbs below the noun authority show it.
void PrintAuthority(const agentpki::v1::Authority& authority, const Session& session);

}  // namespace cli
