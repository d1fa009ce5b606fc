#include "ca/server/rpc/operator_service.h"

#include "ca/server/rpc/operator_mapping.h"

namespace server {

using ca::Action;
using ca::AuditEvent;
using ca::Caller;
using ca::Status;

grpc::ServerUnaryReactor* OperatorService::ListGrants(grpc::CallbackServerContext* context,
                                                      const agentpki::v1::ListGrantsRequest*,
                                                      agentpki::v1::ListGrantsResponse* response) {
  return call_gate_.Handle(context, Action::kListGrants, "",
                           [=, this](const Caller& caller, AuditEvent&) -> Status {
                             const auto grants = TRY(operators_.List(caller));
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
      context, Action::kAddGrant, "", [=, this](const Caller& caller, AuditEvent& event) -> Status {
        const auto& grant = request->grant();
        const ca::Role role = TRY(ca::RoleFrom(grant.role()));
        const auto added =
            TRY(operators_.Add(caller, grant.operator_(), role, ScopeFrom(grant), event));
        *response->mutable_grant() = ToProto(added, *catalogs_.Snapshot());
        return ca::Ok();
      });
}

grpc::ServerUnaryReactor* OperatorService::RemoveGrant(
    grpc::CallbackServerContext* context, const agentpki::v1::RemoveGrantRequest* request,
    agentpki::v1::RemoveGrantResponse* response) {
  return call_gate_.Handle(context, Action::kRemoveGrant, "",
                           [=, this](const Caller& caller, AuditEvent& event) -> Status {
                             const auto& grant = request->grant();
                             const ca::Role role = TRY(ca::RoleFrom(grant.role()));
                             const auto removed = TRY(operators_.Remove(
                                 caller, grant.operator_(), role, ScopeFrom(grant), event));
                             *response->mutable_grant() = ToProto(removed, *catalogs_.Snapshot());
                             return ca::Ok();
                           });
}

}  // namespace server
