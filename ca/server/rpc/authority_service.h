#pragma once

#include "agentpki/v1/authority.grpc.pb.h"
#include "ca/authorities/external_issuing.h"
#include "ca/authorities/rotation.h"
#include "ca/server/rpc/call_gate.h"

namespace server {

class AuthorityService final : public agentpki::v1::AuthorityService::CallbackService {
 public:
  AuthorityService(CallGate& call_gate, const ca::LiveCatalog& catalogs,
                   const ca::Authorization& authorization, ca::Rotation& rotation,
                   ca::ExternalIssuing& external_issuing, const ca::TrustBundles& bundles,
                   const ca::Clock& clock)
      : call_gate_(call_gate),
        catalogs_(catalogs),
        authorization_(authorization),
        rotation_(rotation),
        external_issuing_(external_issuing),
        bundles_(bundles),
        clock_(clock) {}

  grpc::ServerUnaryReactor* ListAuthorities(
      grpc::CallbackServerContext* context, const agentpki::v1::ListAuthoritiesRequest* request,
      agentpki::v1::ListAuthoritiesResponse* response) override;
  grpc::ServerUnaryReactor* PrepareAuthority(
      grpc::CallbackServerContext* context, const agentpki::v1::PrepareAuthorityRequest* request,
      agentpki::v1::PrepareAuthorityResponse* response) override;
  grpc::ServerUnaryReactor* ActivateAuthority(
      grpc::CallbackServerContext* context, const agentpki::v1::ActivateAuthorityRequest* request,
      agentpki::v1::ActivateAuthorityResponse* response) override;
  grpc::ServerUnaryReactor* RollBackAuthority(
      grpc::CallbackServerContext* context, const agentpki::v1::RollBackAuthorityRequest* request,
      agentpki::v1::RollBackAuthorityResponse* response) override;
  grpc::ServerUnaryReactor* TaintAuthority(grpc::CallbackServerContext* context,
                                           const agentpki::v1::TaintAuthorityRequest* request,
                                           agentpki::v1::TaintAuthorityResponse* response) override;
  grpc::ServerUnaryReactor* RevokeAuthority(
      grpc::CallbackServerContext* context, const agentpki::v1::RevokeAuthorityRequest* request,
      agentpki::v1::RevokeAuthorityResponse* response) override;
  grpc::ServerUnaryReactor* CreateCertificationRequest(
      grpc::CallbackServerContext* context,
      const agentpki::v1::CreateCertificationRequestRequest* request,
      agentpki::v1::CreateCertificationRequestResponse* response) override;
  grpc::ServerUnaryReactor* ImportAuthority(
      grpc::CallbackServerContext* context, const agentpki::v1::ImportAuthorityRequest* request,
      agentpki::v1::ImportAuthorityResponse* response) override;
  grpc::ServerUnaryReactor* ListStragglers(grpc::CallbackServerContext* context,
                                           const agentpki::v1::ListStragglersRequest* request,
                                           agentpki::v1::ListStragglersResponse* response) override;

 private:
  CallGate& call_gate_;
  const ca::LiveCatalog& catalogs_;
  const ca::Authorization& authorization_;
  ca::Rotation& rotation_;
  ca::ExternalIssuing& external_issuing_;
  const ca::TrustBundles& bundles_;
  const ca::Clock& clock_;
};

}  // namespace server
