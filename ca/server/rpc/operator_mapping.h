#pragma once

#include "agentpki/v1/operator.pb.h"
#include "ca/access/operators.h"
#include "ca/catalog/catalog.h"

namespace server {

// The operator appears by the name that it has in the system hierarchy.
agentpki::v1::Grant ToProto(const ca::OperatorGrant& granted, const ca::Catalog& catalog);

ca::GrantScope ScopeFrom(const agentpki::v1::Grant& grant);

}  // namespace server
