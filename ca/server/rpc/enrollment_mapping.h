#pragma once

#include "agentpki/v1/enrollment.pb.h"
#include "ca/certificates/enrollment.h"

namespace server {

agentpki::v1::IssuedCertificate ToProto(const ca::IssuedCertificate& issued);

// `now` bounds the age of the request id.
ca::Result<ca::EnrollmentRequest> FromProto(const agentpki::v1::EnrollRequest& request,
                                            ca::TimePoint now);
ca::Result<ca::RenewalRequest> FromProto(const agentpki::v1::RenewRequest& request,
                                         ca::TimePoint now);

}  // namespace server
