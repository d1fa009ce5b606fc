#include "ca/server/rpc/doctor_service.h"

#include "ca/server/rpc/doctor_mapping.h"

namespace server {

using ca::Action;
using ca::HierarchyId;
using ca::Result;

namespace {

std::vector<std::string> NamesOf(const std::vector<HierarchyId>& hierarchies,
                                 const ca::Catalog& catalog) {
  std::vector<std::string> names;
  for (const HierarchyId id : hierarchies) names.push_back(catalog.Find(id)->name());
  return names;
}

}  // namespace

grpc::ServerUnaryReactor* DoctorService::Diagnose(grpc::CallbackServerContext* context,
                                                  const agentpki::v1::DiagnoseRequest* request,
                                                  agentpki::v1::DiagnoseResponse* response) {
  return call_gate_.HandleReading(
      context, Action::kDiagnose, [=, this](ca::Call& call) -> ca::Status {
        const auto catalog = catalogs_.Snapshot();
        const auto hierarchies = TRY(Permitted(call, *catalog, request->hierarchy()));
        const Doctor::Report report = TRY(doctor_.Examine(hierarchies));
        *response = ToProto(report, NamesOf(hierarchies, *catalog), clock_.Now());
        // A caller that sees only a part of our hierarchies does not learn other people's names.
        if (hierarchies.size() != catalog->all_hierarchies().size()) response->clear_foreign_keys();
        return ca::Ok();
      });
}

Result<std::vector<HierarchyId>> DoctorService::Permitted(ca::Call& call,
                                                          const ca::Catalog& catalog,
                                                          const std::string& named) const {
  if (!named.empty()) {
    call.event().subject = ca::Printable(named);
    const auto hierarchy = TRY(catalog.FindByName(named));
    call.event().hierarchy = hierarchy->id();
    TRY(authorization_.Require(call.caller(), Action::kDiagnose, hierarchy->id()));
    return std::vector{hierarchy->id()};
  }
  auto allowed =
      TRY(authorization_.Allowed(call.caller(), Action::kDiagnose, catalog.all_hierarchies()));
  if (allowed.empty()) TRY(authorization_.Require(call.caller(), Action::kDiagnose, {}));
  return allowed;
}

}  // namespace server
