#pragma once

#include "agentpki/v1/approval.grpc.pb.h"
#include "ca/access/approvals.h"
#include "ca/server/rpc/call_gate.h"

namespace server {

// See proto/agentpki/v1/approval.proto.
class ApprovalService final : public agentpki::v1::ApprovalService::CallbackService {
 public:
  // Everything outlives it.
  ApprovalService(CallGate& call_gate, const ca::LiveCatalog& catalogs,
                  const ca::Approvals& approvals, const ca::Clock& clock)
      : call_gate_(call_gate), catalogs_(catalogs), approvals_(approvals), clock_(clock) {}

  grpc::ServerUnaryReactor* ListApprovals(grpc::CallbackServerContext* context,
                                          const agentpki::v1::ListApprovalsRequest* request,
                                          agentpki::v1::ListApprovalsResponse* response) override;
  grpc::ServerUnaryReactor* ApproveChange(grpc::CallbackServerContext* context,
                                          const agentpki::v1::ApproveChangeRequest* request,
                                          agentpki::v1::ApproveChangeResponse* response) override;
  grpc::ServerUnaryReactor* DenyChange(grpc::CallbackServerContext* context,
                                       const agentpki::v1::DenyChangeRequest* request,
                                       agentpki::v1::DenyChangeResponse* response) override;
  grpc::ServerUnaryReactor* WithdrawApproval(
      grpc::CallbackServerContext* context, const agentpki::v1::WithdrawApprovalRequest* request,
      agentpki::v1::WithdrawApprovalResponse* response) override;

 private:
  agentpki::v1::Approval Described(const ca::Approval& approval) const;

  CallGate& call_gate_;
  const ca::LiveCatalog& catalogs_;
  const ca::Approvals& approvals_;
  const ca::Clock& clock_;
};

}  // namespace server
