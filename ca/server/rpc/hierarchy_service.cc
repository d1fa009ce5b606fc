#include "ca/server/rpc/hierarchy_service.h"

#include "ca/files/hierarchy_file.h"
#include "ca/server/rpc/hierarchy_mapping.h"

namespace server {
namespace {

using ca::Action;
using ca::HierarchyDeclaration;
using ca::Status;

}  // namespace

agentpki::v1::Hierarchy HierarchyService::Described(const HierarchyDeclaration& declaration) const {
  const auto snapshot = catalogs_.Snapshot()->Find(declaration.hierarchy.id);
  if (!snapshot) return ToProto(declaration, {}, {});  // it was destroyed just now
  return ToProto(declaration, snapshot->Roots(), ReadinessOf(*snapshot, missing_));
}

grpc::ServerUnaryReactor* HierarchyService::ListHierarchies(
    grpc::CallbackServerContext* context, const agentpki::v1::ListHierarchiesRequest*,
    agentpki::v1::ListHierarchiesResponse* response) {
  return call_gate_.HandleReading(context, Action::kListHierarchies,
                                  [=, this](ca::Call& call) -> ca::Status {
                                    const auto declarations = TRY(hierarchies_.List(call));
                                    for (const HierarchyDeclaration& declaration : declarations) {
                                      *response->add_hierarchies() = Described(declaration);
                                    }
                                    return ca::Ok();
                                  });
}

grpc::ServerUnaryReactor* HierarchyService::GetHierarchy(
    grpc::CallbackServerContext* context, const agentpki::v1::GetHierarchyRequest* request,
    agentpki::v1::GetHierarchyResponse* response) {
  return call_gate_.HandleReading(
      context, Action::kGetHierarchy, [=, this](ca::Call& call) -> ca::Status {
        const auto declaration = TRY(hierarchies_.Get(call, request->hierarchy()));
        *response->mutable_hierarchy() = Described(declaration);
        return ca::Ok();
      });
}

grpc::ServerUnaryReactor* HierarchyService::PlanHierarchy(
    grpc::CallbackServerContext* context, const agentpki::v1::PlanHierarchyRequest* request,
    agentpki::v1::PlanHierarchyResponse* response) {
  return call_gate_.HandleReading(context, Action::kPlanHierarchy,
                                  [=, this](ca::Call& call) -> ca::Status {
                                    const auto wanted = TRY(files::DeclarationOf(request->spec()));
                                    const auto plan = TRY(hierarchies_.Plan(call, wanted));
                                    *response->mutable_plan() = ToProto(plan);
                                    return ca::Ok();
                                  });
}

grpc::ServerUnaryReactor* HierarchyService::ApplyHierarchy(
    grpc::CallbackServerContext* context, const agentpki::v1::ApplyHierarchyRequest* request,
    agentpki::v1::ApplyHierarchyResponse* response) {
  return call_gate_.Handle(context, Action::kApplyHierarchy, "",
                           [=, this](ca::Call& call) -> ca::Result<ca::RecordedDecision> {
                             const auto wanted = TRY(files::DeclarationOf(request->spec()));
                             auto applied =
                                 TRY(hierarchies_.Apply(call, wanted, request->plan_digest()));
                             *response->mutable_plan() = ToProto(applied->plan);
                             *response->mutable_hierarchy() = Described(applied->declaration);
                             return std::move(applied).decision();
                           });
}

grpc::ServerUnaryReactor* HierarchyService::DestroyHierarchy(
    grpc::CallbackServerContext* context, const agentpki::v1::DestroyHierarchyRequest* request,
    agentpki::v1::DestroyHierarchyResponse* response) {
  return call_gate_.Handle(
      context, Action::kDestroyHierarchy, "",
      [=, this](ca::Call& call) -> ca::Result<ca::RecordedDecision> {
        auto view = TRY(decommissioning_.Destroy(call, request->hierarchy(), request->reason()));
        *response->mutable_destruction() = ToProto(*view);
        return std::move(view).decision();
      });
}

grpc::ServerUnaryReactor* HierarchyService::ListDestructions(
    grpc::CallbackServerContext* context, const agentpki::v1::ListDestructionsRequest* request,
    agentpki::v1::ListDestructionsResponse* response) {
  return call_gate_.HandleReading(
      context, Action::kListDestructions, [=, this](ca::Call& call) -> ca::Status {
        const auto views = TRY(decommissioning_.List(call, request->hierarchy()));
        for (const ca::DestructionView& view : views) {
          *response->add_destructions() = ToProto(view);
        }
        return ca::Ok();
      });
}

}  // namespace server
