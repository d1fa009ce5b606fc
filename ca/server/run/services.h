#pragma once

#include <grpcpp/grpcpp.h>

#include "ca/access/caller.h"
#include "ca/server/rpc/approval_service.h"
#include "ca/server/rpc/authority_service.h"
#include "ca/server/rpc/call_gate.h"
#include "ca/server/rpc/certificate_service.h"
#include "ca/server/rpc/doctor_service.h"
#include "ca/server/rpc/enrollment_service.h"
#include "ca/server/rpc/hierarchy_service.h"
#include "ca/server/rpc/operator_service.h"
#include "ca/server/rpc/policy_service.h"
#include "ca/server/rpc/registry_service.h"
#include "ca/server/rpc/revocation_service.h"
#include "ca/server/rpc/status_service.h"
#include "ca/server/rpc/trust_bundle_service.h"
#include "ca/server/run/backends.h"
#include "ca/server/run/status_plane.h"
#include "ca/server/run/upkeep_loops.h"
#include "ca/server/run/use_cases.h"

namespace server {

// Every gRPC service, and the call gate that all their calls go through.
class Services {
 public:
  // Everything outlives it.
  Services(const Config& config, const Backends& backends, const ca::LiveCatalog& catalogs,
           UseCases& use_cases, StatusPlane& status, const UpkeepLoops& upkeep,
           const ca::Clock& clock);

  // The services outlive the server that `builder` builds.
  void RegisterWith(grpc::ServerBuilder& builder);

  // The streams of WatchTrustBundle. Stop it before the gRPC server.
  TrustBundleWatch& bundle_watch() { return bundle_watch_; }

 private:
  const ca::CallerVerifier callers_;
  WorkerPool workers_;
  CallGate call_gate_;
  const Doctor doctor_;
  TrustBundleWatch bundle_watch_;

  EnrollmentService enrollment_;
  RegistryService registry_;
  CertificateService certificate_;
  PolicyService policy_;
  RevocationService revocation_;
  HierarchyService hierarchy_;
  OperatorService operator_;
  AuthorityService authority_;
  ApprovalService approval_;
  StatusService status_;
  DoctorService doctor_service_;
  TrustBundleService trust_bundle_;
};

}  // namespace server
