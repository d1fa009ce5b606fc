#include "ca/server/rpc/approval_service.h"

#include "ca/model/hierarchy_declaration.h"
#include "ca/server/rpc/proto_mapping.h"

namespace server {

using ca::Action;
using ca::AuditEvent;
using ca::Caller;
using ca::Status;

agentpki::v1::Approval ApprovalService::ToProto(const ca::Approval& approval) const {
  const auto catalog = catalogs_.Snapshot();
  const auto system = catalog->System();
  const auto name_of = [&](const ca::SpiffeId& id) {
    return system.ok() ? OperatorNameOf(**system, id) : id.ToString();
  };
  agentpki::v1::Approval message;
  message.set_id(approval.id);
  const ca::Hierarchy* const hierarchy = catalog->Find(approval.hierarchy);
  if (hierarchy) message.set_hierarchy(hierarchy->Name());
  message.set_kind(std::string(NameOf(approval.kind)));
  message.set_state(std::string(NameOf(approval.StateAt(clock_.Now()))));
  for (const std::string& change : approval.changes) message.add_changes(change);
  message.set_digest(ca::Hex(approval.digest));
  message.set_requested_by(name_of(approval.requested_by));
  *message.mutable_requested_at() = server::ToProto(approval.requested_at);
  *message.mutable_expires_at() = server::ToProto(approval.expires_at);
  if (approval.decision) {
    message.set_decided_by(name_of(approval.decision->by));
    *message.mutable_decided_at() = server::ToProto(approval.decision->at);
    message.set_reason(approval.decision->reason);
  }
  if (approval.used_at) *message.mutable_used_at() = server::ToProto(*approval.used_at);
  if (approval.withdrawn_at) {
    *message.mutable_withdrawn_at() = server::ToProto(*approval.withdrawn_at);
  }
  return message;
}

grpc::ServerUnaryReactor* ApprovalService::ListApprovals(
    grpc::CallbackServerContext* context, const agentpki::v1::ListApprovalsRequest* request,
    agentpki::v1::ListApprovalsResponse* response) {
  return call_gate_.Handle(
      context, Action::kListApprovals, "",
      [=, this](const Caller& caller, AuditEvent& event) -> Status {
        const int page_size =
            TRY(PageSizeFrom(request->page_size(), ca::ApprovalQuery::kPageSizeMax));
        const auto which =
            request->all() ? ca::Approvals::Which::kAll : ca::Approvals::Which::kPending;
        const auto found = TRY(approvals_.List(caller, request->hierarchy(), which, page_size,
                                               request->page_token(), event));
        for (const ca::Approval& approval : found) *response->add_approvals() = ToProto(approval);
        if (static_cast<int>(found.size()) == page_size) {
          response->set_next_page_token(found.back().id);
        }
        *response->mutable_now() = server::ToProto(clock_.Now());
        return ca::Ok();
      });
}

grpc::ServerUnaryReactor* ApprovalService::ApproveChange(
    grpc::CallbackServerContext* context, const agentpki::v1::ApproveChangeRequest* request,
    agentpki::v1::ApproveChangeResponse* response) {
  return call_gate_.Handle(context, Action::kApproveChange, "",
                           [=, this](const Caller& caller, AuditEvent& event) -> Status {
                             const auto approval = TRY(approvals_.Approve(
                                 caller, request->id(), request->reason(), event));
                             *response->mutable_approval() = ToProto(approval);
                             return ca::Ok();
                           });
}

grpc::ServerUnaryReactor* ApprovalService::DenyChange(
    grpc::CallbackServerContext* context, const agentpki::v1::DenyChangeRequest* request,
    agentpki::v1::DenyChangeResponse* response) {
  return call_gate_.Handle(
      context, Action::kDenyChange, "",
      [=, this](const Caller& caller, AuditEvent& event) -> Status {
        const auto approval = TRY(approvals_.Deny(caller, request->id(), request->reason(), event));
        *response->mutable_approval() = ToProto(approval);
        return ca::Ok();
      });
}

grpc::ServerUnaryReactor* ApprovalService::WithdrawApproval(
    grpc::CallbackServerContext* context, const agentpki::v1::WithdrawApprovalRequest* request,
    agentpki::v1::WithdrawApprovalResponse* response) {
  return call_gate_.Handle(context, Action::kWithdrawApproval, "",
                           [=, this](const Caller& caller, AuditEvent& event) -> Status {
                             const auto approval =
                                 TRY(approvals_.Withdraw(caller, request->id(), event));
                             *response->mutable_approval() = ToProto(approval);
                             return ca::Ok();
                           });
}

}  // namespace server
