#pragma once

#include <string>
#include <vector>

#include "ca/authorities/delegate_provisioning.h"
#include "ca/authorities/trust_bundles.h"
#include "ca/catalog/live_catalog.h"

namespace ca {

// Makes authorities known before certificates are issued under them: each has an OCSP responder,
// and is in the trust bundle. Safe to repeat, on any replica, by several at once. Thread-safe;
// calls block. `actor` is in the audit events.
class AuthorityPublication {
 public:
  // Everything outlives it.
  AuthorityPublication(LiveCatalog& catalogs, const DelegateProvisioning& delegates,
                       TrustBundles& bundles)
      : catalogs_(catalogs), delegates_(delegates), bundles_(bundles) {}

  // Sees to it that each of `authorities`, which are of that hierarchy, has an OCSP responder.
  // Yields the hierarchy with them. External roots get none. While another process makes a
  // responder, it is left to that process.
  Result<HierarchySnapshotPtr> EnsureResponders(HierarchySnapshotPtr hierarchy,
                                                const std::vector<AuthorityId>& authorities,
                                                const std::string& actor) const;

  // Loads the hierarchy again, then EnsureResponders() for `authority` and TrustBundles::Publish().
  // Yields the hierarchy as it is after that.
  Result<HierarchySnapshotPtr> Publish(HierarchyId hierarchy, AuthorityId authority,
                                       const std::string& actor) const;

 private:
  LiveCatalog& catalogs_;
  const DelegateProvisioning& delegates_;
  TrustBundles& bundles_;
};

// Whether Publish() has been done for an issuing authority, as far as the snapshot knows.
bool IsPublished(const HierarchySnapshot& hierarchy, AuthorityId authority);

// The authorities of the hierarchy that need an OCSP responder now (NeedsStatusService()). A
// responder ends with its authority: an authority that has ended would get one after the other for
// ever.
std::vector<AuthorityId> AuthoritiesToAnswerFor(const HierarchySnapshot& hierarchy, TimePoint now);

}  // namespace ca
