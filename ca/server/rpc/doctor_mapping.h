#pragma once

#include <string>
#include <vector>

#include "agentpki/v1/doctor.pb.h"
#include "ca/base/clock.h"
#include "ca/server/upkeep/doctor.h"

namespace server {

agentpki::v1::Finding ToProto(const ca::Finding& finding);
// `hierarchies`: the names of those that were examined. Lists at most 1,000 foreign keys.
agentpki::v1::DiagnoseResponse ToProto(const Doctor::Report& report,
                                       const std::vector<std::string>& hierarchies,
                                       ca::TimePoint now);

}  // namespace server
