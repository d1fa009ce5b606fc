#pragma once

#include "ca/authorities/authority_maker.h"
#include "ca/authorities/delegate_provisioning.h"
#include "ca/authorities/hierarchy_provisioning.h"
#include "ca/authorities/next_root_provisioning.h"

namespace ca {

// Everything that makes authorities, over the same four steps. One instance a process. Thread-safe.
struct Provisioning {
  // Everything outlives it.
  Provisioning(const HierarchyPorts& stores, KeyStore& keys, const StatusDirectory& directory,
               const Clock& clock)
      : maker(stores, keys, directory, clock) {}
  Provisioning(const Provisioning&) = delete;  // the parts refer to `maker`
  Provisioning& operator=(const Provisioning&) = delete;

  const AuthorityMaker maker;
  const HierarchyProvisioning hierarchies{maker};
  const NextRootProvisioning next_roots{maker};
  const DelegateProvisioning delegates{maker};
};

}  // namespace ca
