#pragma once

#include "agentpki/v1/doctor.grpc.pb.h"
#include "ca/access/authorization.h"
#include "ca/catalog/live_catalog.h"
#include "ca/server/rpc/call_gate.h"
#include "ca/server/upkeep/doctor.h"

namespace server {

class DoctorService final : public agentpki::v1::DoctorService::CallbackService {
 public:
  DoctorService(CallGate& call_gate, const ca::LiveCatalog& catalogs,
                const ca::Authorization& authorization, const Doctor& doctor,
                const ca::Clock& clock)
      : call_gate_(call_gate),
        catalogs_(catalogs),
        authorization_(authorization),
        doctor_(doctor),
        clock_(clock) {}

  grpc::ServerUnaryReactor* Diagnose(grpc::CallbackServerContext* context,
                                     const agentpki::v1::DiagnoseRequest* request,
                                     agentpki::v1::DiagnoseResponse* response) override;

 private:
  ca::Result<std::vector<ca::HierarchyId>> Permitted(ca::Call& call, const ca::Catalog& catalog,
                                                     const std::string& named) const;

  CallGate& call_gate_;
  const ca::LiveCatalog& catalogs_;
  const ca::Authorization& authorization_;
  const Doctor& doctor_;
  const ca::Clock& clock_;
};

}  // namespace server
