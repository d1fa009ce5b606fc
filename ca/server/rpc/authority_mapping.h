#pragma once

#include "agentpki/v1/authority.pb.h"
#include "ca/authorities/external_issuing.h"
#include "ca/authorities/rotation.h"
#include "ca/authorities/trust_bundles.h"
#include "ca/catalog/authority_view.h"

namespace server {

agentpki::v1::Authority ToProto(const ca::AuthorityView& view);
// Errors: those of ca::Csr::Parse().
ca::Result<agentpki::v1::CreateCertificationRequestResponse> ToProto(
    const ca::AuthorityRequest& request);
agentpki::v1::RevokeAuthorityResponse ToProto(const ca::Rotation::RevokedAuthority& revoked);
// A page that has `page_size` agents names its last one as the next page's token.
agentpki::v1::ListStragglersResponse ToProto(const ca::Stragglers& stragglers, int page_size);

// A request without a reason means CA compromise.
ca::Result<ca::RevocationReason> ReasonFrom(const agentpki::v1::RevokeAuthorityRequest& request);
ca::StragglerPolicy StragglerPolicyFrom(const agentpki::v1::ActivateAuthorityRequest& request);

}  // namespace server
