#pragma once

#include "agentpki/v1/enrollment.grpc.pb.h"
#include "ca/certificates/enrollment.h"
#include "ca/server/rpc/call_gate.h"

namespace server {

class EnrollmentService final : public agentpki::v1::EnrollmentService::CallbackService {
 public:
  EnrollmentService(CallGate& call_gate, const ca::Enrollment& enrollment, const ca::Clock& clock)
      : call_gate_(call_gate), enrollment_(enrollment), clock_(clock) {}

  grpc::ServerUnaryReactor* Enroll(grpc::CallbackServerContext* context,
                                   const agentpki::v1::EnrollRequest* request,
                                   agentpki::v1::EnrollResponse* response) override;
  grpc::ServerUnaryReactor* Renew(grpc::CallbackServerContext* context,
                                  const agentpki::v1::RenewRequest* request,
                                  agentpki::v1::RenewResponse* response) override;

 private:
  CallGate& call_gate_;
  const ca::Enrollment& enrollment_;
  const ca::Clock& clock_;
};

}  // namespace server
