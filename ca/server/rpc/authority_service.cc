#include "ca/server/rpc/authority_service.h"

#include "ca/server/rpc/authority_mapping.h"
#include "ca/server/rpc/common_mapping.h"

namespace server {

using ca::Action;
using ca::AuditEvent;
using ca::Caller;
using ca::Status;

grpc::ServerUnaryReactor* AuthorityService::ListAuthorities(
    grpc::CallbackServerContext* context, const agentpki::v1::ListAuthoritiesRequest* request,
    agentpki::v1::ListAuthoritiesResponse* response) {
  return call_gate_.Handle(
      context, Action::kListAuthorities, "",
      [=, this](const Caller& caller, AuditEvent& event) -> Status {
        const auto catalog = catalogs_.Snapshot();
        const ca::Hierarchy* hierarchy = TRY(catalog->FindByName(request->hierarchy()));
        event.hierarchy = hierarchy->id;
        TRY(authorization_.Require(caller, Action::kListAuthorities, hierarchy->id));
        const ca::TimePoint now = clock_.Now();
        for (const auto& view : ca::AuthoritiesAt(*catalog, *hierarchy, now)) {
          *response->add_authorities() = ToProto(view);
        }
        *response->mutable_now() = ToProto(now);
        return ca::Ok();
      });
}

grpc::ServerUnaryReactor* AuthorityService::PrepareAuthority(
    grpc::CallbackServerContext* context, const agentpki::v1::PrepareAuthorityRequest* request,
    agentpki::v1::PrepareAuthorityResponse* response) {
  return call_gate_.Handle(
      context, Action::kPrepareAuthority, "",
      [=, this](const Caller& caller, AuditEvent& event) -> Status {
        const auto view =
            TRY(request->root() ? rotation_.PrepareRoot(caller, request->hierarchy(), event)
                                : rotation_.Prepare(caller, request->hierarchy(), event));
        *response->mutable_authority() = ToProto(view);
        return ca::Ok();
      });
}

grpc::ServerUnaryReactor* AuthorityService::ActivateAuthority(
    grpc::CallbackServerContext* context, const agentpki::v1::ActivateAuthorityRequest* request,
    agentpki::v1::ActivateAuthorityResponse* response) {
  return call_gate_.Handle(context, Action::kActivateAuthority, "",
                           [=, this](const Caller& caller, AuditEvent& event) -> Status {
                             const auto view =
                                 TRY(rotation_.Activate(caller, request->authority(),
                                                        StragglerPolicyFrom(*request), event));
                             *response->mutable_authority() = ToProto(view);
                             return ca::Ok();
                           });
}

grpc::ServerUnaryReactor* AuthorityService::RollBackAuthority(
    grpc::CallbackServerContext* context, const agentpki::v1::RollBackAuthorityRequest* request,
    agentpki::v1::RollBackAuthorityResponse* response) {
  return call_gate_.Handle(context, Action::kRollBackAuthority, "",
                           [=, this](const Caller& caller, AuditEvent& event) -> Status {
                             const auto view =
                                 TRY(rotation_.RollBack(caller, request->hierarchy(), event));
                             *response->mutable_authority() = ToProto(view);
                             return ca::Ok();
                           });
}

grpc::ServerUnaryReactor* AuthorityService::TaintAuthority(
    grpc::CallbackServerContext* context, const agentpki::v1::TaintAuthorityRequest* request,
    agentpki::v1::TaintAuthorityResponse* response) {
  return call_gate_.Handle(context, Action::kTaintAuthority, "",
                           [=, this](const Caller& caller, AuditEvent& event) -> Status {
                             const auto view = TRY(rotation_.Taint(caller, request->authority(),
                                                                   request->reason(), event));
                             *response->mutable_authority() = ToProto(view);
                             return ca::Ok();
                           });
}

grpc::ServerUnaryReactor* AuthorityService::RevokeAuthority(
    grpc::CallbackServerContext* context, const agentpki::v1::RevokeAuthorityRequest* request,
    agentpki::v1::RevokeAuthorityResponse* response) {
  return call_gate_.Handle(context, Action::kRevokeAuthority, "",
                           [=, this](const Caller& caller, AuditEvent& event) -> Status {
                             const auto reason = TRY(ReasonFrom(*request));
                             const auto revoked = TRY(rotation_.Revoke(
                                 caller, request->authority(), reason, request->note(), event));
                             *response = ToProto(revoked);
                             return ca::Ok();
                           });
}

grpc::ServerUnaryReactor* AuthorityService::CreateCertificationRequest(
    grpc::CallbackServerContext* context,
    const agentpki::v1::CreateCertificationRequestRequest* request,
    agentpki::v1::CreateCertificationRequestResponse* response) {
  return call_gate_.Handle(
      context, Action::kCreateCertificationRequest, "",
      [=, this](const Caller& caller, AuditEvent& event) -> Status {
        const auto made = TRY(external_issuing_.Request(caller, request->authority(), event));
        *response = TRY(ToProto(made));
        return ca::Ok();
      });
}

grpc::ServerUnaryReactor* AuthorityService::ImportAuthority(
    grpc::CallbackServerContext* context, const agentpki::v1::ImportAuthorityRequest* request,
    agentpki::v1::ImportAuthorityResponse* response) {
  return call_gate_.Handle(context, Action::kImportAuthority, "",
                           [=, this](const Caller& caller, AuditEvent& event) -> Status {
                             const std::vector<ca::Bytes> brought(request->certificates().begin(),
                                                                  request->certificates().end());
                             const auto view = TRY(external_issuing_.Import(
                                 caller, request->authority(), brought, event));
                             *response->mutable_authority() = ToProto(view);
                             return ca::Ok();
                           });
}

grpc::ServerUnaryReactor* AuthorityService::ListStragglers(
    grpc::CallbackServerContext* context, const agentpki::v1::ListStragglersRequest* request,
    agentpki::v1::ListStragglersResponse* response) {
  return call_gate_.Handle(
      context, Action::kListStragglers, "",
      [=, this](const Caller& caller, AuditEvent& event) -> Status {
        const int page_size =
            TRY(PageSizeFrom(request->page_size(), ca::StragglerQuery::kPageSizeMax));
        const auto found = TRY(bundles_.ListStragglers(caller, request->hierarchy(), page_size,
                                                       request->page_token(), event));
        *response = ToProto(found, page_size);
        return ca::Ok();
      });
}

}  // namespace server
