#pragma once

#include "agentpki/v1/policy.pb.h"
#include "ca/base/clock.h"
#include "ca/model/hierarchy.h"
#include "ca/model/recorded_request.h"

namespace server {

agentpki::v1::RecordedRequest ToProto(const ca::RecordedRequest& request);

ca::Result<ca::RequestQuery> FromProto(const agentpki::v1::ListEnrollmentRequestsRequest& request,
                                       const ca::Hierarchy& hierarchy, ca::TimePoint now);

}  // namespace server
