#include "ca/certificates/own_agents.h"

#include "ca/access/call.h"

namespace ca {

Result<Agent> OwnAgents::EnsureAgent(const Agent& wanted) const {
  auto found = registry_.FindAgent(wanted.hierarchy, wanted.id);
  if (found.status().code() != StatusCode::kNotFound) return found;
  Agent agent = wanted;
  agent.registered_at = clock_.Now();
  AuditEvent event = LocalEvent(actor_, "RegisterAgent", clock_.Now());
  event.subject = agent.id.ToString();
  event.hierarchy = agent.hierarchy;
  auto registered = registry_.RegisterAgent(agent, event);
  if (registered.ok()) return registered->TakeValue();
  if (registered.status().code() != StatusCode::kAlreadyExists) return registered.status();
  return registry_.FindAgent(wanted.hierarchy, wanted.id);
}

Status OwnAgents::EnsureGrant(const SpiffeId& operator_id, const Grant& grant,
                              HierarchyId system) const {
  AuditEvent event = LocalEvent(actor_, "AddGrant", clock_.Now());
  event.subject = operator_id.ToString();
  event.hierarchy = system;
  return registry_.AddGrant(operator_id, grant, event).status();
}

}  // namespace ca
