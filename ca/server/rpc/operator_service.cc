#include "ca/server/rpc/operator_service.h"

#include "ca/model/hierarchy_declaration.h"

namespace server {
namespace {

using ca::Action;
using ca::AuditEvent;
using ca::Caller;
using ca::Status;

ca::GrantScope ScopeOf(const agentpki::v1::Grant& grant) {
  return {.hierarchy = grant.hierarchy(), .tenant = grant.tenant()};
}

}  // namespace

agentpki::v1::Grant OperatorService::ToProto(const ca::OperatorGrant& of) const {
  const auto catalog = catalogs_.Snapshot();
  const auto system = catalog->System();
  agentpki::v1::Grant message;
  message.set_operator_(system.ok() ? OperatorNameOf(**system, of.operator_id)
                                    : of.operator_id.ToString());
  message.set_role(std::string(NameOf(of.grant.role)));
  message.set_tenant(of.grant.tenant);
  if (of.grant.hierarchy) message.set_hierarchy(ScopeText(of.grant, *catalog));
  return message;
}

grpc::ServerUnaryReactor* OperatorService::ListGrants(grpc::CallbackServerContext* context,
                                                      const agentpki::v1::ListGrantsRequest*,
                                                      agentpki::v1::ListGrantsResponse* response) {
  return call_gate_.Handle(context, Action::kListGrants, "",
                           [=, this](const Caller& caller, AuditEvent&) -> Status {
                             const auto grants = TRY(operators_.List(caller));
                             for (const auto& of : grants) *response->add_grants() = ToProto(of);
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
            TRY(operators_.Add(caller, grant.operator_(), role, ScopeOf(grant), event));
        *response->mutable_grant() = ToProto(added);
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
                                 caller, grant.operator_(), role, ScopeOf(grant), event));
                             *response->mutable_grant() = ToProto(removed);
                             return ca::Ok();
                           });
}

}  // namespace server
