#pragma once

#include "ca/ports/activation_store.h"
#include "ca/ports/authority_store.h"
#include "ca/ports/hierarchy_store.h"

namespace ca {

// The three stores that say together what hierarchies there are and who issues in them. For callers
// that need more than one. The stores outlive it.
struct HierarchyPorts {
  HierarchyStore& hierarchies;
  AuthorityStore& authorities;
  ActivationStore& activations;
};

}  // namespace ca
