#pragma once

#include "agentpki/v1/approval.pb.h"
#include "ca/access/approvals.h"
#include "ca/catalog/catalog.h"

namespace server {

// Operators appear by the names that they have in the system hierarchy.
agentpki::v1::Approval ToProto(const ca::Approval& approval, const ca::Catalog& catalog,
                               ca::TimePoint now);

}  // namespace server
