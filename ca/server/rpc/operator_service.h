#pragma once

#include "agentpki/v1/operator.grpc.pb.h"
#include "ca/access/operators.h"
#include "ca/server/rpc/call_gate.h"

namespace server {

// See proto/agentpki/v1/operator.proto.
class OperatorService final : public agentpki::v1::OperatorService::CallbackService {
 public:
  // Everything outlives it.
  OperatorService(CallGate& call_gate, const ca::LiveCatalog& catalogs,
                  const ca::Operators& operators)
      : call_gate_(call_gate), catalogs_(catalogs), operators_(operators) {}

  grpc::ServerUnaryReactor* ListGrants(grpc::CallbackServerContext* context,
                                       const agentpki::v1::ListGrantsRequest* request,
                                       agentpki::v1::ListGrantsResponse* response) override;
  grpc::ServerUnaryReactor* AddGrant(grpc::CallbackServerContext* context,
                                     const agentpki::v1::AddGrantRequest* request,
                                     agentpki::v1::AddGrantResponse* response) override;
  grpc::ServerUnaryReactor* RemoveGrant(grpc::CallbackServerContext* context,
                                        const agentpki::v1::RemoveGrantRequest* request,
                                        agentpki::v1::RemoveGrantResponse* response) override;

 private:
  CallGate& call_gate_;
  const ca::LiveCatalog& catalogs_;
  const ca::Operators& operators_;
};

}  // namespace server
