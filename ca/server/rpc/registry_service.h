#pragma once

#include "agentpki/v1/registry.grpc.pb.h"
#include "ca/certificates/registration.h"
#include "ca/server/rpc/call_gate.h"

namespace server {

class RegistryService final : public agentpki::v1::RegistryService::CallbackService {
 public:
  RegistryService(CallGate& call_gate, const ca::LiveCatalog& catalogs,
                  const ca::Authorization& authorization, const ca::Registration& registration,
                  ca::Registry& registry, const ca::Clock& clock)
      : call_gate_(call_gate),
        catalogs_(catalogs),
        authorization_(authorization),
        registration_(registration),
        registry_(registry),
        clock_(clock) {}

  grpc::ServerUnaryReactor* RegisterAgent(grpc::CallbackServerContext* context,
                                          const agentpki::v1::RegisterAgentRequest* request,
                                          agentpki::v1::RegisterAgentResponse* response) override;
  grpc::ServerUnaryReactor* GetAgent(grpc::CallbackServerContext* context,
                                     const agentpki::v1::GetAgentRequest* request,
                                     agentpki::v1::GetAgentResponse* response) override;
  grpc::ServerUnaryReactor* ListAgents(grpc::CallbackServerContext* context,
                                       const agentpki::v1::ListAgentsRequest* request,
                                       agentpki::v1::ListAgentsResponse* response) override;
  grpc::ServerUnaryReactor* CreateJoinToken(
      grpc::CallbackServerContext* context, const agentpki::v1::CreateJoinTokenRequest* request,
      agentpki::v1::CreateJoinTokenResponse* response) override;
  grpc::ServerUnaryReactor* ListJoinTokens(grpc::CallbackServerContext* context,
                                           const agentpki::v1::ListJoinTokensRequest* request,
                                           agentpki::v1::ListJoinTokensResponse* response) override;
  grpc::ServerUnaryReactor* RevokeJoinToken(
      grpc::CallbackServerContext* context, const agentpki::v1::RevokeJoinTokenRequest* request,
      agentpki::v1::RevokeJoinTokenResponse* response) override;

 private:
  CallGate& call_gate_;
  const ca::LiveCatalog& catalogs_;
  const ca::Authorization& authorization_;
  const ca::Registration& registration_;
  ca::Registry& registry_;
  const ca::Clock& clock_;
};

}  // namespace server
