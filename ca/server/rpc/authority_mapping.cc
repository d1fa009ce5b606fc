#include "ca/server/rpc/authority_mapping.h"

#include "ca/server/rpc/common_mapping.h"
#include "ca/x509/csr.h"

namespace server {

using ca::Result;

agentpki::v1::Authority ToProto(const ca::AuthorityView& view) {
  agentpki::v1::Authority message;
  message.set_name(view.name);
  message.set_hierarchy(view.hierarchy);
  message.set_kind(std::string(NameOf(view.record.kind)));
  message.set_generation(view.record.generation);
  message.set_state(std::string(NameOf(view.state)));
  message.set_key_label(view.record.key_label);
  if (const auto& destruction = view.record.key_destruction) {
    *message.mutable_key_destruction_decided_at() = ToProto(destruction->decided_at);
    if (destruction->destroyed_at) {
      *message.mutable_key_destroyed_at() = ToProto(*destruction->destroyed_at);
    }
  }
  if (const auto& taint = view.record.taint) {
    *message.mutable_tainted_at() = ToProto(taint->at);
    message.set_taint(taint->reason);
    message.set_revoked(taint->is_revoked);
  }
  if (!view.validity) return message;
  message.set_fingerprint(ca::Hex(ca::Sha256(view.record.certificate)));
  *message.mutable_published_at() = ToProto(view.record.published_at);
  if (view.active_since) *message.mutable_active_since() = ToProto(*view.active_since);
  if (view.active_until) *message.mutable_active_until() = ToProto(*view.active_until);
  if (view.retiring_until) *message.mutable_retiring_until() = ToProto(*view.retiring_until);
  *message.mutable_not_after() = ToProto(view.validity->not_after);
  return message;
}

Result<agentpki::v1::CreateCertificationRequestResponse> ToProto(
    const ca::AuthorityRequest& request) {
  const ca::Csr csr = TRY(ca::Csr::Parse(request.der));
  agentpki::v1::CreateCertificationRequestResponse message;
  *message.mutable_authority() = ToProto(request.view);
  message.set_certification_request(request.der);
  message.set_key_fingerprint(ca::Hex(csr.public_key().fingerprint()));
  return message;
}

agentpki::v1::RevokeAuthorityResponse ToProto(const ca::Rotation::RevokedAuthority& revoked) {
  agentpki::v1::RevokeAuthorityResponse message;
  *message.mutable_authority() = ToProto(revoked.view);
  message.set_revoked_count(revoked.revoked_count);
  return message;
}

agentpki::v1::ListStragglersResponse ToProto(const ca::Stragglers& stragglers, int page_size) {
  agentpki::v1::ListStragglersResponse message;
  message.set_version(stragglers.progress.version);
  *message.mutable_published_at() = ToProto(stragglers.progress.published_at);
  message.set_live_count(stragglers.progress.count.live);
  message.set_acknowledged_count(stragglers.progress.count.acknowledged);
  for (const ca::LiveAgent& agent : stragglers.agents) {
    agentpki::v1::Straggler& straggler = *message.add_stragglers();
    straggler.set_spiffe_id(agent.id.ToString());
    straggler.set_owner(agent.owner);
    straggler.set_acknowledged_version(agent.acknowledged_version);
  }
  if (static_cast<int>(stragglers.agents.size()) == page_size) {
    message.set_next_page_token(stragglers.agents.back().id.ToString());
  }
  return message;
}

Result<ca::RevocationReason> ReasonFrom(const agentpki::v1::RevokeAuthorityRequest& request) {
  if (request.reason().empty()) return ca::RevocationReason::kCaCompromise;
  return ca::RevocationReasonFrom(request.reason());
}

ca::StragglerPolicy StragglerPolicyFrom(const agentpki::v1::ActivateAuthorityRequest& request) {
  return request.despite_stragglers() ? ca::StragglerPolicy::kLeaveBehind
                                      : ca::StragglerPolicy::kWait;
}

}  // namespace server
