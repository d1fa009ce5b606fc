#pragma once

#include <vector>

#include "agentpki/v1/hierarchy.pb.h"
#include "ca/hierarchies/decommissioning.h"
#include "ca/hierarchies/hierarchy_plan.h"
#include "ca/model/hierarchy_declaration.h"
#include "ca/server/rpc/hierarchy_readiness.h"

namespace server {

// `roots`: the certificates that relying parties trust, DER.
agentpki::v1::Hierarchy ToProto(const ca::HierarchyDeclaration& declaration,
                                const std::vector<ca::Bytes>& roots,
                                const HierarchyReadiness& readiness);
agentpki::v1::HierarchyPlan ToProto(const ca::HierarchyPlan& plan);
agentpki::v1::Destruction ToProto(const ca::DestructionView& view);

}  // namespace server
