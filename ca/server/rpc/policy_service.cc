#include "ca/server/rpc/policy_service.h"

#include "ca/server/rpc/policy_mapping.h"

namespace server {

grpc::ServerUnaryReactor* PolicyService::ListEnrollmentRequests(
    grpc::CallbackServerContext* context,
    const agentpki::v1::ListEnrollmentRequestsRequest* request,
    agentpki::v1::ListEnrollmentRequestsResponse* response) {
  return call_gate_.HandleReading(
      context, ca::Action::kListEnrollmentRequests, [=, this](ca::Call& call) -> ca::Status {
        const auto catalog = catalogs_.Snapshot();
        const auto hierarchy = TRY(catalog->FindByName(request->hierarchy()));
        call.event().hierarchy = hierarchy->id();
        TRY(authorization_.Require(call.caller(), ca::Action::kListEnrollmentRequests,
                                   hierarchy->id()));
        const auto query = TRY(FromProto(*request, hierarchy->hierarchy(), clock_.Now()));
        const auto requests = TRY(ledger_.ListRequests(query));
        for (const ca::RecordedRequest& recorded : requests) {
          *response->add_requests() = ToProto(recorded);
        }
        if (static_cast<int>(requests.size()) == query.page_size) {
          response->set_next_page_token(requests.back().position.ToString());
        }
        return ca::Ok();
      });
}

}  // namespace server
