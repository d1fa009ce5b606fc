#include "ca/server/rpc/status_service.h"

#include <algorithm>

#include "ca/server/rpc/common_mapping.h"
#include "ca/server/rpc/status_mapping.h"

namespace server {

using ca::Action;

namespace {

// A component that only some tenants need is shown to callers with a role over one of those tenants
// or over the system hierarchy.
bool Concerns(const Component& component, const std::vector<ca::HierarchyId>& allowed,
              const ca::Catalog& catalog) {
  return component.tenants.empty() ||
         std::any_of(allowed.begin(), allowed.end(), [&](ca::HierarchyId id) {
           const auto snapshot = catalog.Find(id);
           return snapshot && (snapshot->hierarchy().is_system ||
                               component.tenants.contains(snapshot->hierarchy().tenant));
         });
}

}  // namespace

grpc::ServerUnaryReactor* StatusService::GetStatus(grpc::CallbackServerContext* context,
                                                   const agentpki::v1::GetStatusRequest*,
                                                   agentpki::v1::GetStatusResponse* response) {
  return call_gate_.HandleReading(
      context, Action::kGetStatus, [=, this](ca::Call& call) -> ca::Status {
        const auto catalog = catalogs_.Snapshot();
        const auto allowed =
            TRY(authorization_.Allowed(call.caller(), Action::kGetStatus, catalog->hierarchies()));
        if (allowed.empty()) return authorization_.Require(call.caller(), Action::kGetStatus, {});

        response->set_version(AGENTPKI_VERSION);
        *response->mutable_started_at() = ToProto(started_at_);
        *response->mutable_now() = ToProto(clock_.Now());
        for (const Component& component : health_.Components()) {
          if (Concerns(component, allowed, *catalog)) {
            *response->add_components() = ToProto(component);
          }
        }
        for (const ca::HierarchyId id : allowed) {
          *response->add_hierarchies() = ToProto(*catalog->Find(id));
        }
        return ca::Ok();
      });
}

grpc::ServerUnaryReactor* StatusService::CheckStatus(
    grpc::CallbackServerContext* context, const agentpki::v1::CheckStatusRequest* request,
    agentpki::v1::CheckStatusResponse* response) {
  return call_gate_.HandleReading(
      context, Action::kCheckStatus, [=, this](ca::Call& call) -> ca::Status {
        const auto catalog = catalogs_.Snapshot();
        const auto hierarchy = TRY(catalog->FindByName(request->hierarchy()));
        call.event().hierarchy = hierarchy->id();
        call.event().subject = hierarchy->name();
        TRY(authorization_.Require(call.caller(), Action::kCheckStatus, hierarchy->id()));
        const auto report =
            TRY(consistency_.Check(*hierarchy, [context] { return context->IsCancelled(); }));
        metrics_.SetStatusChecked(hierarchy->name(), report.discrepancy_count, clock_.Now());
        *response = ToProto(report);
        return ca::Ok();
      });
}

}  // namespace server
