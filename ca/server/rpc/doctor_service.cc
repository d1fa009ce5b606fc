#include "ca/server/rpc/doctor_service.h"

#include "ca/server/rpc/proto_mapping.h"

namespace server {

using ca::Action;
using ca::HierarchyId;
using ca::Result;

namespace {

constexpr int kForeignKeysMax = 1000;

}  // namespace

grpc::ServerUnaryReactor* DoctorService::Diagnose(grpc::CallbackServerContext* context,
                                                  const agentpki::v1::DiagnoseRequest* request,
                                                  agentpki::v1::DiagnoseResponse* response) {
  return call_gate_.Handle(
      context, Action::kDiagnose, "",
      [=, this](const ca::Caller& caller, ca::AuditEvent& event) -> ca::Status {
        const auto catalog = catalogs_.Snapshot();
        const auto hierarchies = TRY(Permitted(*catalog, caller, request->hierarchy(), event));
        const Doctor::Report report = TRY(doctor_.Examine(hierarchies));
        for (const ca::Finding& finding : report.findings) {
          *response->add_findings() = ToProto(finding);
        }
        for (const HierarchyId id : hierarchies) {
          response->add_hierarchies(catalog->Find(id)->Name());
        }
        response->set_key_count(report.key_count);
        // Other people's names are not for whoever sees a part of ours.
        const bool sees_all = hierarchies.size() == catalog->AllHierarchies().size();
        for (const std::string& label : report.foreign_keys) {
          if (!sees_all || response->foreign_keys_size() >= kForeignKeysMax) break;
          response->add_foreign_keys(ca::Printable(label));
        }
        *response->mutable_now() = ToProto(clock_.Now());
        return ca::Ok();
      });
}

Result<std::vector<HierarchyId>> DoctorService::Permitted(const ca::Catalog& catalog,
                                                          const ca::Caller& caller,
                                                          const std::string& named,
                                                          ca::AuditEvent& event) const {
  if (!named.empty()) {
    event.subject = ca::Printable(named);
    const ca::Hierarchy* hierarchy = TRY(catalog.FindByName(named));
    event.hierarchy = hierarchy->id;
    TRY(authorization_.Require(caller, Action::kDiagnose, hierarchy->id));
    return std::vector{hierarchy->id};
  }
  auto allowed = TRY(authorization_.Allowed(caller, Action::kDiagnose, catalog.AllHierarchies()));
  if (allowed.empty()) TRY(authorization_.Require(caller, Action::kDiagnose, {}));
  return allowed;
}

}  // namespace server
