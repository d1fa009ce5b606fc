#include "ca/server/rpc/enrollment_service.h"

#include "ca/server/rpc/enrollment_mapping.h"

namespace server {

grpc::ServerUnaryReactor* EnrollmentService::Enroll(grpc::CallbackServerContext* context,
                                                    const agentpki::v1::EnrollRequest* request,
                                                    agentpki::v1::EnrollResponse* response) {
  return call_gate_.Handle(context, ca::Action::kEnroll, request->request_id(),
                           [=, this](const ca::Caller&, ca::AuditEvent& event) -> ca::Status {
                             const auto enrollment = TRY(FromProto(*request, clock_.Now()));
                             const auto issued = TRY(enrollment_.Enroll(enrollment, event));
                             *response->mutable_certificate() = ToProto(issued);
                             return ca::Ok();
                           });
}

grpc::ServerUnaryReactor* EnrollmentService::Renew(grpc::CallbackServerContext* context,
                                                   const agentpki::v1::RenewRequest* request,
                                                   agentpki::v1::RenewResponse* response) {
  return call_gate_.Handle(
      context, ca::Action::kRenew, request->request_id(),
      [=, this](const ca::Caller& caller, ca::AuditEvent& event) -> ca::Status {
        const auto renewal = TRY(FromProto(*request, clock_.Now()));
        const auto issued = TRY(enrollment_.Renew(caller, renewal, event));
        *response->mutable_certificate() = ToProto(issued);
        return ca::Ok();
      });
}

}  // namespace server
