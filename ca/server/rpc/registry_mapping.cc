#include "ca/server/rpc/registry_mapping.h"

#include "ca/server/rpc/common_mapping.h"

namespace server {
namespace {

using ca::Error;
using ca::Result;
using ca::StatusCode;

constexpr std::chrono::seconds kLifetimeDefault = std::chrono::hours(1);

agentpki::v1::JoinToken::State ToProto(ca::JoinTokenRecord::State state) {
  switch (state) {
    case ca::JoinTokenRecord::State::kReady:
      return agentpki::v1::JoinToken::READY;
    case ca::JoinTokenRecord::State::kUsed:
      return agentpki::v1::JoinToken::USED;
    case ca::JoinTokenRecord::State::kExpired:
      return agentpki::v1::JoinToken::EXPIRED;
    case ca::JoinTokenRecord::State::kRevoked:
      return agentpki::v1::JoinToken::REVOKED;
  }
  return agentpki::v1::JoinToken::STATE_UNSPECIFIED;
}

}  // namespace

agentpki::v1::Agent ToProto(const ca::Agent& agent, const ca::Hierarchy& hierarchy) {
  agentpki::v1::Agent message;
  message.set_spiffe_id(agent.id.ToString());
  message.set_hierarchy(hierarchy.Name());
  message.set_owner(agent.owner);
  message.set_role(agent.role);
  message.set_version(agent.version);
  message.set_profile(agent.profile);
  for (const std::string& name : agent.dns_names) message.add_dns_names(name);
  for (const ca::IpAddress& address : agent.ip_addresses) {
    message.add_ip_addresses(address.ToString());
  }
  message.set_disabled(agent.disabled);
  *message.mutable_registered_at() = ToProto(agent.registered_at);
  return message;
}

agentpki::v1::JoinToken ToProto(const ca::JoinTokenRecord& token, ca::TimePoint now) {
  agentpki::v1::JoinToken message;
  message.set_id(token.Id());
  message.set_spiffe_id(token.agent.ToString());
  message.set_state(ToProto(token.StateAt(now)));
  message.set_created_by(token.created_by);
  *message.mutable_created_at() = ToProto(token.created_at);
  *message.mutable_expires_at() = ToProto(token.expires_at);
  if (token.used_at != ca::TimePoint{}) *message.mutable_used_at() = ToProto(token.used_at);
  message.set_used_by_request(token.used_by_request);
  return message;
}

Result<ca::AgentRegistration> FromProto(const agentpki::v1::RegisterAgentRequest& request) {
  const agentpki::v1::Agent& agent = request.agent();
  if (!agent.hierarchy().empty() || agent.disabled() || agent.has_registered_at()) {
    return Error(
        StatusCode::kInvalidArgument,
        "agent: hierarchy, disabled and registered_at are the server's to say; leave them out");
  }
  ca::SpiffeId id = TRY(SpiffeIdFrom("agent.spiffe_id", agent.spiffe_id()));
  ca::AgentRegistration registration{
      .id = std::move(id),
      .owner = agent.owner(),
      .role = agent.role(),
      .version = agent.version(),
      .profile = agent.profile(),
      .dns_names = {agent.dns_names().begin(), agent.dns_names().end()},
  };
  if (agent.ip_addresses_size() > static_cast<int>(ca::Agent::kHostNamesMax)) {
    return Error(StatusCode::kInvalidArgument, "agent.ip_addresses: write at most {}",
                 ca::Agent::kHostNamesMax);
  }
  for (const std::string& text : agent.ip_addresses()) {
    auto address = ca::IpAddress::Parse(text);
    if (!address.ok()) return ca::Annotate(address.status(), "agent.ip_addresses: ");
    registration.ip_addresses.push_back(*std::move(address));
  }
  return registration;
}

Result<ca::AgentQuery> FromProto(const agentpki::v1::ListAgentsRequest& request,
                                 const ca::Hierarchy& hierarchy) {
  const int page_size = TRY(PageSizeFrom(request.page_size(), ca::AgentQuery::kPageSizeMax));
  return ca::AgentQuery{.hierarchy = hierarchy.id,
                        .owner = request.owner(),
                        .page_size = page_size,
                        .page_token = request.page_token()};
}

Result<ca::JoinTokenQuery> FromProto(const agentpki::v1::ListJoinTokensRequest& request,
                                     const ca::Hierarchy& hierarchy) {
  ca::JoinTokenQuery query{
      .hierarchy = hierarchy.id, .agent = std::nullopt, .page_token = request.page_token()};
  query.page_size = TRY(PageSizeFrom(request.page_size(), ca::JoinTokenQuery::kPageSizeMax));
  if (!request.spiffe_id().empty()) {
    query.agent = TRY(SpiffeIdFrom("spiffe_id", request.spiffe_id()));
  }
  return query;
}

std::chrono::seconds LifetimeFrom(const agentpki::v1::CreateJoinTokenRequest& request) {
  return request.has_lifetime() ? std::chrono::seconds(request.lifetime().seconds())
                                : kLifetimeDefault;
}

}  // namespace server
