#include "ca/server/rpc/operator_service.h"

#include "ca/server/rpc/operator_mapping.h"

namespace server {

using ca::Action;
using ca::Status;

grpc::ServerUnaryReactor* OperatorService::ListGrants(grpc::CallbackServerContext* context,
                                                      const agentpki::v1::ListGrantsRequest*,
                                                      agentpki::v1::ListGrantsResponse* response) {
  return call_gate_.HandleReading(context, Action::kListGrants,
                                  [=, this](ca::Call& call) -> ca::Status {
                                    const auto grants = TRY(operators_.List(call));
                                    const auto catalog = catalogs_.Snapshot();
                                    for (const ca::OperatorGrant& granted : grants) {
                                      *response->add_grants() = ToProto(granted, *catalog);
                                    }
                                    return ca::Ok();
                                  });
}

grpc::ServerUnaryReactor* OperatorService::AddGrant(grpc::CallbackServerContext* context,
                                                    const agentpki::v1::AddGrantRequest* request,
                                                    agentpki::v1::AddGrantResponse* response) {
  return call_gate_.Handle(
      context, Action::kAddGrant, "",
      [=, this](ca::Call& call) -> ca::Result<ca::RecordedDecision> {
        const auto& grant = request->grant();
        const ca::Role role = TRY(ca::RoleFrom(grant.role()));
        auto added = TRY(operators_.Add(call, grant.operator_(), role, ScopeFrom(grant)));
        *response->mutable_grant() = ToProto(*added, *catalogs_.Snapshot());
        return std::move(added).decision();
      });
}

grpc::ServerUnaryReactor* OperatorService::RemoveGrant(
    grpc::CallbackServerContext* context, const agentpki::v1::RemoveGrantRequest* request,
    agentpki::v1::RemoveGrantResponse* response) {
  return call_gate_.Handle(
      context, Action::kRemoveGrant, "",
      [=, this](ca::Call& call) -> ca::Result<ca::RecordedDecision> {
        const auto& grant = request->grant();
        const ca::Role role = TRY(ca::RoleFrom(grant.role()));
        auto removed = TRY(operators_.Remove(call, grant.operator_(), role, ScopeFrom(grant)));
        *response->mutable_grant() = ToProto(*removed, *catalogs_.Snapshot());
        return std::move(removed).decision();
      });
}

}  // namespace server
