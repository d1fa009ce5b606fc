#include "ca/server/rpc/registry_service.h"

#include "ca/server/rpc/common_mapping.h"
#include "ca/server/rpc/registry_mapping.h"

namespace server {

using ca::Action;
using ca::Status;

grpc::ServerUnaryReactor* RegistryService::RegisterAgent(
    grpc::CallbackServerContext* context, const agentpki::v1::RegisterAgentRequest* request,
    agentpki::v1::RegisterAgentResponse* response) {
  return call_gate_.Handle(context, Action::kRegisterAgent, "",
                           [=, this](ca::Call& call) -> ca::Result<ca::RecordedDecision> {
                             const auto asked = TRY(FromProto(*request));
                             auto agent = TRY(registration_.RegisterAgent(call, asked));
                             const auto catalog = catalogs_.Snapshot();
                             *response->mutable_agent() =
                                 ToProto(*agent, catalog->Find(agent->hierarchy)->hierarchy());
                             return std::move(agent).decision();
                           });
}

grpc::ServerUnaryReactor* RegistryService::GetAgent(grpc::CallbackServerContext* context,
                                                    const agentpki::v1::GetAgentRequest* request,
                                                    agentpki::v1::GetAgentResponse* response) {
  return call_gate_.HandleReading(
      context, Action::kGetAgent, [=, this](ca::Call& call) -> ca::Status {
        const ca::SpiffeId id = TRY(SpiffeIdFrom("spiffe_id", request->spiffe_id()));
        call.event().subject = id.ToString();
        const auto catalog = catalogs_.Snapshot();
        const auto hierarchy = TRY(catalog->FindByTrustDomain(id.trust_domain()));
        call.event().hierarchy = hierarchy->id();
        TRY(authorization_.Require(call.caller(), Action::kGetAgent, hierarchy->id()));
        const ca::Agent agent = TRY(registry_.FindAgent(hierarchy->id(), id));
        *response->mutable_agent() = ToProto(agent, hierarchy->hierarchy());
        return ca::Ok();
      });
}

grpc::ServerUnaryReactor* RegistryService::ListAgents(
    grpc::CallbackServerContext* context, const agentpki::v1::ListAgentsRequest* request,
    agentpki::v1::ListAgentsResponse* response) {
  return call_gate_.HandleReading(
      context, Action::kListAgents, [=, this](ca::Call& call) -> ca::Status {
        const auto catalog = catalogs_.Snapshot();
        const auto hierarchy = TRY(catalog->FindByName(request->hierarchy()));
        call.event().hierarchy = hierarchy->id();
        TRY(authorization_.Require(call.caller(), Action::kListAgents, hierarchy->id()));
        const auto query = TRY(FromProto(*request, hierarchy->hierarchy()));
        const auto agents = TRY(registry_.ListAgents(query));
        for (const ca::Agent& agent : agents) {
          *response->add_agents() = ToProto(agent, hierarchy->hierarchy());
        }
        if (static_cast<int>(agents.size()) == query.page_size) {
          response->set_next_page_token(agents.back().id.ToString());
        }
        return ca::Ok();
      });
}

grpc::ServerUnaryReactor* RegistryService::CreateJoinToken(
    grpc::CallbackServerContext* context, const agentpki::v1::CreateJoinTokenRequest* request,
    agentpki::v1::CreateJoinTokenResponse* response) {
  return call_gate_.Handle(
      context, Action::kCreateJoinToken, "",
      [=, this](ca::Call& call) -> ca::Result<ca::RecordedDecision> {
        const ca::SpiffeId id = TRY(SpiffeIdFrom("spiffe_id", request->spiffe_id()));
        auto created = TRY(registration_.CreateJoinToken(call, id, LifetimeFrom(*request)));
        response->set_token(created->token.ToText().Reveal());
        *response->mutable_join_token() = ToProto(created->record, clock_.Now());
        return std::move(created).decision();
      });
}

grpc::ServerUnaryReactor* RegistryService::ListJoinTokens(
    grpc::CallbackServerContext* context, const agentpki::v1::ListJoinTokensRequest* request,
    agentpki::v1::ListJoinTokensResponse* response) {
  return call_gate_.HandleReading(
      context, Action::kListJoinTokens, [=, this](ca::Call& call) -> ca::Status {
        const auto catalog = catalogs_.Snapshot();
        const auto hierarchy = TRY(catalog->FindByName(request->hierarchy()));
        call.event().hierarchy = hierarchy->id();
        TRY(authorization_.Require(call.caller(), Action::kListJoinTokens, hierarchy->id()));
        const auto query = TRY(FromProto(*request, hierarchy->hierarchy()));
        const auto tokens = TRY(registry_.ListJoinTokens(query));
        for (const auto& token : tokens) {
          *response->add_join_tokens() = ToProto(token, clock_.Now());
        }
        if (static_cast<int>(tokens.size()) == query.page_size) {
          response->set_next_page_token(tokens.back().Id());
        }
        return ca::Ok();
      });
}

grpc::ServerUnaryReactor* RegistryService::RevokeJoinToken(
    grpc::CallbackServerContext* context, const agentpki::v1::RevokeJoinTokenRequest* request,
    agentpki::v1::RevokeJoinTokenResponse* response) {
  return call_gate_.Handle(
      context, Action::kRevokeJoinToken, "",
      [=, this](ca::Call& call) -> ca::Result<ca::RecordedDecision> {
        const auto catalog = catalogs_.Snapshot();
        const auto hierarchy = TRY(catalog->FindByName(request->hierarchy()));
        auto token = TRY(registration_.RevokeJoinToken(call, hierarchy->id(), request->id()));
        *response->mutable_join_token() = ToProto(*token, clock_.Now());
        return std::move(token).decision();
      });
}

}  // namespace server
