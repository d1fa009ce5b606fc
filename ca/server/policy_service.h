#pragma once

#include "agentpki/v1/policy.grpc.pb.h"
#include "ca/authorization.h"
#include "ca/ledger.h"
#include "ca/live_catalog.h"
#include "ca/server/door.h"

namespace server {

class PolicyService final : public agentpki::v1::PolicyService::CallbackService {
 public:
  PolicyService(Door& door, const ca::LiveCatalog& catalogs, const ca::Authorization& authorization,
                ca::Ledger& ledger, const ca::Clock& clock)
      : door_(door),
        catalogs_(catalogs),
        authorization_(authorization),
        ledger_(ledger),
        clock_(clock) {}

  grpc::ServerUnaryReactor* ListEnrollmentRequests(
      grpc::CallbackServerContext* context,
      const agentpki::v1::ListEnrollmentRequestsRequest* request,
      agentpki::v1::ListEnrollmentRequestsResponse* response) override;

 private:
  Door& door_;
  const ca::LiveCatalog& catalogs_;
  const ca::Authorization& authorization_;
  ca::Ledger& ledger_;
  const ca::Clock& clock_;
};

}  // namespace server
