#include "ca/server/rpc/approval_service.h"

#include "ca/server/rpc/approval_mapping.h"
#include "ca/server/rpc/common_mapping.h"

namespace server {

using ca::Action;
using ca::Status;

agentpki::v1::Approval ApprovalService::Described(const ca::Approval& approval) const {
  return ToProto(approval, *catalogs_.Snapshot(), clock_.Now());
}

grpc::ServerUnaryReactor* ApprovalService::ListApprovals(
    grpc::CallbackServerContext* context, const agentpki::v1::ListApprovalsRequest* request,
    agentpki::v1::ListApprovalsResponse* response) {
  return call_gate_.HandleReading(
      context, Action::kListApprovals, [=, this](ca::Call& call) -> ca::Status {
        const int page_size =
            TRY(PageSizeFrom(request->page_size(), ca::ApprovalQuery::kPageSizeMax));
        const auto which =
            request->all() ? ca::Approvals::Which::kAll : ca::Approvals::Which::kPending;
        const auto found = TRY(
            approvals_.List(call, request->hierarchy(), which, page_size, request->page_token()));
        for (const ca::Approval& approval : found) *response->add_approvals() = Described(approval);
        if (static_cast<int>(found.size()) == page_size) {
          response->set_next_page_token(found.back().id);
        }
        *response->mutable_now() = ToProto(clock_.Now());
        return ca::Ok();
      });
}

grpc::ServerUnaryReactor* ApprovalService::ApproveChange(
    grpc::CallbackServerContext* context, const agentpki::v1::ApproveChangeRequest* request,
    agentpki::v1::ApproveChangeResponse* response) {
  return call_gate_.Handle(context, Action::kApproveChange, "",
                           [=, this](ca::Call& call) -> ca::Result<ca::RecordedDecision> {
                             auto approval =
                                 TRY(approvals_.Approve(call, request->id(), request->reason()));
                             *response->mutable_approval() = Described(*approval);
                             return std::move(approval).decision();
                           });
}

grpc::ServerUnaryReactor* ApprovalService::DenyChange(
    grpc::CallbackServerContext* context, const agentpki::v1::DenyChangeRequest* request,
    agentpki::v1::DenyChangeResponse* response) {
  return call_gate_.Handle(context, Action::kDenyChange, "",
                           [=, this](ca::Call& call) -> ca::Result<ca::RecordedDecision> {
                             auto approval =
                                 TRY(approvals_.Deny(call, request->id(), request->reason()));
                             *response->mutable_approval() = Described(*approval);
                             return std::move(approval).decision();
                           });
}

grpc::ServerUnaryReactor* ApprovalService::WithdrawApproval(
    grpc::CallbackServerContext* context, const agentpki::v1::WithdrawApprovalRequest* request,
    agentpki::v1::WithdrawApprovalResponse* response) {
  return call_gate_.Handle(context, Action::kWithdrawApproval, "",
                           [=, this](ca::Call& call) -> ca::Result<ca::RecordedDecision> {
                             auto approval = TRY(approvals_.Withdraw(call, request->id()));
                             *response->mutable_approval() = Described(*approval);
                             return std::move(approval).decision();
                           });
}

}  // namespace server
