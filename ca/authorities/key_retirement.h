#pragma once

#include <string>
#include <vector>

#include "ca/catalog/live_catalog.h"
#include "ca/issuance/key_store.h"

namespace ca {

// A key that never signs again.
struct SpentKey {
  AuthorityRecord record;
  std::string reason;
};

// The keys of a hierarchy that are to be destroyed, and whose end is not decided yet:
//   the key of an issuing authority that is retired, after its last CRL is published: a CRL that
//   was
//     signed after the last of its certificates ended
//   the key of a root that is retired, after the end of the keys of all that it has certified is
//     decided
//   the key of an OCSP responder or a record signer whose certificate has ended, or that has none
//     and never gets one
//   every key of a hierarchy that is destroyed: publish its last CRLs before.
std::vector<SpentKey> SpentKeysAt(const HierarchySnapshot& hierarchy, TimePoint now);

// Ends keys: the decision is recorded, every replica lets go of the key, the token destroys it, and
// that is recorded. Every step may be interrupted and repeated, on any replica, by several at once.
// While a token is unavailable, the steps wait for it. Thread-safe; calls block.
class KeyRetirement {
 public:
  // All outlive it.
  KeyRetirement(LiveCatalog& catalogs, AuthorityStore& store, KeyStore& keys, const Clock& clock)
      : catalogs_(catalogs), store_(store), keys_(keys), clock_(clock) {}

  // Takes each step that is due for a key of the hierarchy. A key that fails does not hold up the
  // others: the first failure is returned after all were tried.
  Status Advance(const HierarchySnapshot& hierarchy);

 private:
  Status Decide(const HierarchySnapshot& hierarchy, const SpentKey& key);
  Status Destroy(const Hierarchy& hierarchy, const AuthorityRecord& record);
  AuditEvent Event(std::string_view action, const Hierarchy& hierarchy,
                   const AuthorityRecord& record) const;

  LiveCatalog& catalogs_;
  AuthorityStore& store_;
  KeyStore& keys_;
  const Clock& clock_;
};

}  // namespace ca
