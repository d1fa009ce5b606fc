#pragma once

#include "agentpki/v1/policy.grpc.pb.h"
#include "ca/access/authorization.h"
#include "ca/catalog/live_catalog.h"
#include "ca/ports/ledger.h"
#include "ca/server/rpc/call_gate.h"

namespace server {

class PolicyService final : public agentpki::v1::PolicyService::CallbackService {
 public:
  PolicyService(CallGate& call_gate, const ca::LiveCatalog& catalogs,
                const ca::Authorization& authorization, ca::Ledger& ledger, const ca::Clock& clock)
      : call_gate_(call_gate),
        catalogs_(catalogs),
        authorization_(authorization),
        ledger_(ledger),
        clock_(clock) {}

  grpc::ServerUnaryReactor* ListEnrollmentRequests(
      grpc::CallbackServerContext* context,
      const agentpki::v1::ListEnrollmentRequestsRequest* request,
      agentpki::v1::ListEnrollmentRequestsResponse* response) override;

 private:
  CallGate& call_gate_;
  const ca::LiveCatalog& catalogs_;
  const ca::Authorization& authorization_;
  ca::Ledger& ledger_;
  const ca::Clock& clock_;
};

}  // namespace server
