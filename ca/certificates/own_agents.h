#pragma once

#include <string>

#include "ca/base/clock.h"
#include "ca/ports/registry.h"

namespace ca {

// Registers the agents that a process of agentpki needs for itself: servers, and the operator that
// `init` makes. It acts with the rights of the process that holds the database. Safe to repeat, by
// several processes at once. Thread-safe; calls block. Errors: those of Registry.
class OwnAgents {
 public:
  // `registry` and `clock` outlive it. `actor` is in the audit events.
  OwnAgents(Registry& registry, const Clock& clock, std::string actor)
      : registry_(registry), clock_(clock), actor_(std::move(actor)) {}

  // Registers `wanted` if it is not registered, and returns it with its number.
  Result<Agent> EnsureAgent(const Agent& wanted) const;
  // `system` is the hierarchy in which operators are registered.
  Status EnsureGrant(const SpiffeId& operator_id, const Grant& grant, HierarchyId system) const;

 private:
  Registry& registry_;
  const Clock& clock_;
  const std::string actor_;
};

}  // namespace ca
