#include "ca/server/rpc/enrollment_service.h"

#include "ca/server/rpc/enrollment_mapping.h"

namespace server {

grpc::ServerUnaryReactor* EnrollmentService::Enroll(grpc::CallbackServerContext* context,
                                                    const agentpki::v1::EnrollRequest* request,
                                                    agentpki::v1::EnrollResponse* response) {
  return call_gate_.Handle(context, ca::Action::kEnroll, request->request_id(),
                           [=, this](ca::Call& call) -> ca::Result<ca::RecordedDecision> {
                             const auto enrollment = TRY(FromProto(*request, clock_.Now()));
                             auto issued = TRY(enrollment_.Enroll(call, enrollment));
                             *response->mutable_certificate() = ToProto(*issued);
                             return std::move(issued).decision();
                           });
}

grpc::ServerUnaryReactor* EnrollmentService::Renew(grpc::CallbackServerContext* context,
                                                   const agentpki::v1::RenewRequest* request,
                                                   agentpki::v1::RenewResponse* response) {
  return call_gate_.Handle(context, ca::Action::kRenew, request->request_id(),
                           [=, this](ca::Call& call) -> ca::Result<ca::RecordedDecision> {
                             const auto renewal = TRY(FromProto(*request, clock_.Now()));
                             auto issued = TRY(enrollment_.Renew(call, renewal));
                             *response->mutable_certificate() = ToProto(*issued);
                             return std::move(issued).decision();
                           });
}

}  // namespace server
