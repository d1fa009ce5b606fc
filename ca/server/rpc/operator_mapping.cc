#include "ca/server/rpc/operator_mapping.h"

#include "ca/model/hierarchy_declaration.h"

namespace server {

agentpki::v1::Grant ToProto(const ca::OperatorGrant& granted, const ca::Catalog& catalog) {
  const auto system = catalog.System();
  agentpki::v1::Grant message;
  message.set_operator_(system.ok() ? OperatorNameOf((*system)->hierarchy(), granted.operator_id)
                                    : granted.operator_id.ToString());
  message.set_role(std::string(NameOf(granted.grant.role)));
  message.set_tenant(granted.grant.tenant);
  if (granted.grant.hierarchy) message.set_hierarchy(ScopeText(granted.grant, catalog));
  return message;
}

ca::GrantScope ScopeFrom(const agentpki::v1::Grant& grant) {
  return {.hierarchy = grant.hierarchy(), .tenant = grant.tenant()};
}

}  // namespace server
