#pragma once

#include <string>
#include <vector>

#include "ca/catalog/live_catalog.h"
#include "ca/issuance/key_store.h"

namespace ca {

// A key that has signed all that it ever will.
struct SpentKey {
  AuthorityRecord record;
  std::string reason;
};

// The keys of a hierarchy that are to be destroyed, and upon which nobody has decided yet:
//   of an issuing authority that is retired, once its last CRL is out: one that was signed after
//     the last of its certificates ended
//   of a root that is retired, once the keys of all that it has certified are to be destroyed
//   of a responder or a recorder whose certificate has ended, or that has none and never will
// and all keys of a hierarchy that is destroyed; see to it that their last CRLs are out before.
std::vector<SpentKey> SpentKeysAt(const HierarchySnapshot& hierarchy, TimePoint now);

// The story of how a key ends: that it is to be destroyed is recorded, every replica lets go of it,
// it is destroyed on the token, and that is recorded. Every step may be interrupted and repeated,
// on any replica, by several at once; a token that is away is waited for. Thread-safe; calls block.
class KeyRetirement {
 public:
  // All outlive it.
  KeyRetirement(LiveCatalog& catalogs, AuthorityStore& store, KeyStore& keys, const Clock& clock)
      : catalogs_(catalogs), store_(store), keys_(keys), clock_(clock) {}

  // Whatever step is due for the keys of the hierarchy. What one key refuses does not keep the
  // others waiting: the first failure is returned after all were tried.
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
