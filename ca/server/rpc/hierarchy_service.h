#pragma once

#include "agentpki/v1/hierarchy.grpc.pb.h"
#include "ca/hierarchies/decommissioning.h"
#include "ca/hierarchies/hierarchies.h"
#include "ca/server/rpc/call_gate.h"
#include "ca/server/rpc/hierarchy_readiness.h"

namespace server {

// See proto/agentpki/v1/hierarchy.proto.
class HierarchyService final : public agentpki::v1::HierarchyService::CallbackService {
 public:
  // Everything outlives it.
  HierarchyService(CallGate& call_gate, const ca::LiveCatalog& catalogs,
                   ca::Hierarchies& hierarchies, ca::Decommissioning& decommissioning,
                   MissingStatus missing)
      : call_gate_(call_gate),
        catalogs_(catalogs),
        hierarchies_(hierarchies),
        decommissioning_(decommissioning),
        missing_(std::move(missing)) {}

  grpc::ServerUnaryReactor* ListHierarchies(
      grpc::CallbackServerContext* context, const agentpki::v1::ListHierarchiesRequest* request,
      agentpki::v1::ListHierarchiesResponse* response) override;
  grpc::ServerUnaryReactor* GetHierarchy(grpc::CallbackServerContext* context,
                                         const agentpki::v1::GetHierarchyRequest* request,
                                         agentpki::v1::GetHierarchyResponse* response) override;
  grpc::ServerUnaryReactor* PlanHierarchy(grpc::CallbackServerContext* context,
                                          const agentpki::v1::PlanHierarchyRequest* request,
                                          agentpki::v1::PlanHierarchyResponse* response) override;
  grpc::ServerUnaryReactor* ApplyHierarchy(grpc::CallbackServerContext* context,
                                           const agentpki::v1::ApplyHierarchyRequest* request,
                                           agentpki::v1::ApplyHierarchyResponse* response) override;
  grpc::ServerUnaryReactor* DestroyHierarchy(
      grpc::CallbackServerContext* context, const agentpki::v1::DestroyHierarchyRequest* request,
      agentpki::v1::DestroyHierarchyResponse* response) override;
  grpc::ServerUnaryReactor* ListDestructions(
      grpc::CallbackServerContext* context, const agentpki::v1::ListDestructionsRequest* request,
      agentpki::v1::ListDestructionsResponse* response) override;

 private:
  agentpki::v1::Hierarchy Described(const ca::HierarchyDeclaration& declaration) const;

  CallGate& call_gate_;
  const ca::LiveCatalog& catalogs_;
  ca::Hierarchies& hierarchies_;
  ca::Decommissioning& decommissioning_;
  const MissingStatus missing_;
};

}  // namespace server
