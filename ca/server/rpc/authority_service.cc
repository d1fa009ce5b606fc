#include "ca/server/rpc/authority_service.h"

#include "ca/server/rpc/authority_mapping.h"
#include "ca/server/rpc/common_mapping.h"

namespace server {

using ca::Action;
using ca::Status;

grpc::ServerUnaryReactor* AuthorityService::ListAuthorities(
    grpc::CallbackServerContext* context, const agentpki::v1::ListAuthoritiesRequest* request,
    agentpki::v1::ListAuthoritiesResponse* response) {
  return call_gate_.HandleReading(
      context, Action::kListAuthorities, [=, this](ca::Call& call) -> ca::Status {
        const auto catalog = catalogs_.Snapshot();
        const auto hierarchy = TRY(catalog->FindByName(request->hierarchy()));
        call.event().hierarchy = hierarchy->id();
        TRY(authorization_.Require(call.caller(), Action::kListAuthorities, hierarchy->id()));
        const ca::TimePoint now = clock_.Now();
        for (const auto& view : hierarchy->ViewsAt(now)) {
          *response->add_authorities() = ToProto(view);
        }
        *response->mutable_now() = ToProto(now);
        return ca::Ok();
      });
}

grpc::ServerUnaryReactor* AuthorityService::PrepareAuthority(
    grpc::CallbackServerContext* context, const agentpki::v1::PrepareAuthorityRequest* request,
    agentpki::v1::PrepareAuthorityResponse* response) {
  return call_gate_.Handle(context, Action::kPrepareAuthority, "",
                           [=, this](ca::Call& call) -> ca::Result<ca::RecordedDecision> {
                             auto view = TRY(request->root()
                                                 ? rotation_.PrepareRoot(call, request->hierarchy())
                                                 : rotation_.Prepare(call, request->hierarchy()));
                             *response->mutable_authority() = ToProto(*view);
                             return std::move(view).decision();
                           });
}

grpc::ServerUnaryReactor* AuthorityService::ActivateAuthority(
    grpc::CallbackServerContext* context, const agentpki::v1::ActivateAuthorityRequest* request,
    agentpki::v1::ActivateAuthorityResponse* response) {
  return call_gate_.Handle(context, Action::kActivateAuthority, "",
                           [=, this](ca::Call& call) -> ca::Result<ca::RecordedDecision> {
                             auto view = TRY(rotation_.Activate(call, request->authority(),
                                                                StragglerPolicyFrom(*request)));
                             *response->mutable_authority() = ToProto(*view);
                             return std::move(view).decision();
                           });
}

grpc::ServerUnaryReactor* AuthorityService::RollBackAuthority(
    grpc::CallbackServerContext* context, const agentpki::v1::RollBackAuthorityRequest* request,
    agentpki::v1::RollBackAuthorityResponse* response) {
  return call_gate_.Handle(context, Action::kRollBackAuthority, "",
                           [=, this](ca::Call& call) -> ca::Result<ca::RecordedDecision> {
                             auto view = TRY(rotation_.RollBack(call, request->hierarchy()));
                             *response->mutable_authority() = ToProto(*view);
                             return std::move(view).decision();
                           });
}

grpc::ServerUnaryReactor* AuthorityService::TaintAuthority(
    grpc::CallbackServerContext* context, const agentpki::v1::TaintAuthorityRequest* request,
    agentpki::v1::TaintAuthorityResponse* response) {
  return call_gate_.Handle(
      context, Action::kTaintAuthority, "",
      [=, this](ca::Call& call) -> ca::Result<ca::RecordedDecision> {
        auto view = TRY(rotation_.Taint(call, request->authority(), request->reason()));
        *response->mutable_authority() = ToProto(*view);
        return std::move(view).decision();
      });
}

grpc::ServerUnaryReactor* AuthorityService::RevokeAuthority(
    grpc::CallbackServerContext* context, const agentpki::v1::RevokeAuthorityRequest* request,
    agentpki::v1::RevokeAuthorityResponse* response) {
  return call_gate_.Handle(
      context, Action::kRevokeAuthority, "",
      [=, this](ca::Call& call) -> ca::Result<ca::RecordedDecision> {
        const auto reason = TRY(ReasonFrom(*request));
        auto revoked = TRY(rotation_.Revoke(call, request->authority(), reason, request->note()));
        *response = ToProto(*revoked);
        return std::move(revoked).decision();
      });
}

grpc::ServerUnaryReactor* AuthorityService::CreateCertificationRequest(
    grpc::CallbackServerContext* context,
    const agentpki::v1::CreateCertificationRequestRequest* request,
    agentpki::v1::CreateCertificationRequestResponse* response) {
  return call_gate_.HandleReading(
      context, Action::kCreateCertificationRequest, [=, this](ca::Call& call) -> ca::Status {
        const auto made = TRY(external_issuing_.Request(call, request->authority()));
        *response = TRY(ToProto(made));
        return ca::Ok();
      });
}

grpc::ServerUnaryReactor* AuthorityService::ImportAuthority(
    grpc::CallbackServerContext* context, const agentpki::v1::ImportAuthorityRequest* request,
    agentpki::v1::ImportAuthorityResponse* response) {
  return call_gate_.Handle(context, Action::kImportAuthority, "",
                           [=, this](ca::Call& call) -> ca::Result<ca::RecordedDecision> {
                             const std::vector<ca::Bytes> brought(request->certificates().begin(),
                                                                  request->certificates().end());
                             auto view =
                                 TRY(external_issuing_.Import(call, request->authority(), brought));
                             *response->mutable_authority() = ToProto(*view);
                             return std::move(view).decision();
                           });
}

grpc::ServerUnaryReactor* AuthorityService::ListStragglers(
    grpc::CallbackServerContext* context, const agentpki::v1::ListStragglersRequest* request,
    agentpki::v1::ListStragglersResponse* response) {
  return call_gate_.HandleReading(
      context, Action::kListStragglers, [=, this](ca::Call& call) -> ca::Status {
        const int page_size =
            TRY(PageSizeFrom(request->page_size(), ca::StragglerQuery::kPageSizeMax));
        const auto found = TRY(
            bundles_.ListStragglers(call, request->hierarchy(), page_size, request->page_token()));
        *response = ToProto(found, page_size);
        return ca::Ok();
      });
}

}  // namespace server
