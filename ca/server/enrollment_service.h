#pragma once

#include "agentpki/v1/enrollment.grpc.pb.h"
#include "ca/enrollment.h"
#include "ca/server/door.h"

namespace server {

class EnrollmentService final : public agentpki::v1::EnrollmentService::CallbackService {
 public:
  EnrollmentService(Door& door, const ca::Enrollment& enrollment, const ca::Clock& clock)
      : door_(door), enrollment_(enrollment), clock_(clock) {}

  grpc::ServerUnaryReactor* Enroll(grpc::CallbackServerContext* context,
                                   const agentpki::v1::EnrollRequest* request,
                                   agentpki::v1::EnrollResponse* response) override;
  grpc::ServerUnaryReactor* Renew(grpc::CallbackServerContext* context,
                                  const agentpki::v1::RenewRequest* request,
                                  agentpki::v1::RenewResponse* response) override;

 private:
  Door& door_;
  const ca::Enrollment& enrollment_;
  const ca::Clock& clock_;
};

}  // namespace server
