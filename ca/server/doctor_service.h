#pragma once

#include "agentpki/v1/doctor.grpc.pb.h"
#include "ca/authorization.h"
#include "ca/live_catalog.h"
#include "ca/server/doctor.h"
#include "ca/server/door.h"

namespace server {

class DoctorService final : public agentpki::v1::DoctorService::CallbackService {
 public:
  DoctorService(Door& door, const ca::LiveCatalog& catalogs, const ca::Authorization& authorization,
                const Doctor& doctor, const ca::Clock& clock)
      : door_(door),
        catalogs_(catalogs),
        authorization_(authorization),
        doctor_(doctor),
        clock_(clock) {}

  grpc::ServerUnaryReactor* Diagnose(grpc::CallbackServerContext* context,
                                     const agentpki::v1::DiagnoseRequest* request,
                                     agentpki::v1::DiagnoseResponse* response) override;

 private:
  ca::Result<std::vector<ca::HierarchyId>> Permitted(const ca::Catalog& catalog,
                                                     const ca::Caller& caller,
                                                     const std::string& named,
                                                     ca::AuditEvent& event) const;

  Door& door_;
  const ca::LiveCatalog& catalogs_;
  const ca::Authorization& authorization_;
  const Doctor& doctor_;
  const ca::Clock& clock_;
};

}  // namespace server
