#pragma once

#include "agentpki/v1/status.pb.h"
#include "ca/catalog/catalog.h"
#include "ca/server/status/consistency.h"
#include "ca/server/upkeep/health_monitor.h"

namespace server {

agentpki::v1::Component ToProto(const Component& component);
agentpki::v1::AuthorityStatus ToProto(const ca::Authority& authority,
                                      const ca::Hierarchy& hierarchy);
agentpki::v1::HierarchyStatus ToProto(const ca::HierarchySnapshot& snapshot);
agentpki::v1::CheckStatusResponse ToProto(const ConsistencyReport& report);

}  // namespace server
