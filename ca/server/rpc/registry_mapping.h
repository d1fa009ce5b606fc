#pragma once

#include <chrono>

#include "agentpki/v1/registry.pb.h"
#include "ca/certificates/registration.h"

namespace server {

agentpki::v1::Agent ToProto(const ca::Agent& agent, const ca::Hierarchy& hierarchy);
agentpki::v1::JoinToken ToProto(const ca::JoinTokenRecord& token, ca::TimePoint now);

ca::Result<ca::AgentRegistration> FromProto(const agentpki::v1::RegisterAgentRequest& request);
ca::Result<ca::AgentQuery> FromProto(const agentpki::v1::ListAgentsRequest& request,
                                     const ca::Hierarchy& hierarchy);
ca::Result<ca::JoinTokenQuery> FromProto(const agentpki::v1::ListJoinTokensRequest& request,
                                         const ca::Hierarchy& hierarchy);
// A request without a lifetime asks for the default, one hour. The bounds are checked by
// ca::Registration.
std::chrono::seconds LifetimeFrom(const agentpki::v1::CreateJoinTokenRequest& request);

}  // namespace server
