#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "ca/catalog/hierarchy_snapshot.h"
#include "ca/ports/hierarchy_ports.h"

namespace ca {

// The records of every hierarchy, as one reading of the store has them.
struct CatalogRecords {
  std::vector<HierarchyRecords> hierarchies;  // oldest first; then those that are destroyed

  // kUnavailable while the database is unavailable.
  static Result<CatalogRecords> Load(const HierarchyPorts& stores);
};

// All hierarchies as they were when it was loaded. Immutable and thread-safe; a request that holds
// it by shared_ptr sees one state from beginning to end. A destroyed hierarchy is in it for as long
// as a certificate of it may be asked about (HierarchyStore::LoadDestructions).
class Catalog {
 public:
  // Opens every CA that has a certificate; OCSP responders and record signers are none. A CA has no
  // key here if its key is to be destroyed or was, or if the key cannot be had from a dedicated
  // token (KeyStore::IsApart). A hierarchy whose records are as in `before`, and that has all of
  // its keys there, is taken from `before`. Errors: kFailedPrecondition when another key is missing
  // on the token or does not fit its certificate; kUnavailable while token or database is
  // unavailable.
  static Result<std::shared_ptr<const Catalog>> Load(const HierarchyPorts& stores, KeyStore& keys,
                                                     std::shared_ptr<const Catalog> before = {});
  static Result<std::shared_ptr<const Catalog>> Open(CatalogRecords records, KeyStore& keys,
                                                     std::shared_ptr<const Catalog> before = {});
  // Without any key, also where a key is on the token: for a reader that signs nothing.
  static Result<std::shared_ptr<const Catalog>> OpenWithoutKeys(CatalogRecords records);

  // A key that a dedicated token does not give, and the reason.
  struct MissingKey {
    HierarchyId hierarchy{};
    std::string label;
    Status why;
  };
  const std::vector<MissingKey>& missing_keys() const { return missing_keys_; }

  // Oldest first: those that are not destroyed.
  const std::vector<HierarchySnapshotPtr>& hierarchies() const { return live_; }
  // The same, and behind them those that are destroyed.
  const std::vector<HierarchySnapshotPtr>& all_hierarchies() const { return all_; }

  // Among those that are not destroyed. kNotFound.
  Result<HierarchySnapshotPtr> FindByName(std::string_view tenant_slash_environment) const;
  Result<HierarchySnapshotPtr> FindByTrustDomain(const TrustDomain& trust_domain) const;
  // The system hierarchy. kFailedPrecondition before `agentpki-server init`.
  Result<HierarchySnapshotPtr> System() const;
  // Among all. nullptr when there is none.
  HierarchySnapshotPtr Find(HierarchyId id) const;
  // The hierarchy of an authority of any kind, also of one that is planned. nullptr when there is
  // none.
  HierarchySnapshotPtr FindHierarchyOf(AuthorityId id) const;
  // kNotFound.
  Result<std::shared_ptr<const Authority>> FindAuthority(AuthorityId id) const;

 private:
  using OpenHierarchy = std::function<Result<HierarchySnapshotPtr>(HierarchyRecords)>;
  static Result<std::shared_ptr<Catalog>> Open(CatalogRecords records, const OpenHierarchy& open);
  bool HasKeysOf(HierarchyId hierarchy) const;
  void Add(HierarchySnapshotPtr hierarchy);

  std::vector<HierarchySnapshotPtr> live_;
  std::vector<HierarchySnapshotPtr> all_;
  std::unordered_map<HierarchyId, HierarchySnapshotPtr> by_id_;
  std::unordered_map<AuthorityId, HierarchySnapshotPtr> by_authority_;
  std::map<std::string, HierarchySnapshotPtr, std::less<>> by_name_;          // of live_
  std::map<std::string, HierarchySnapshotPtr, std::less<>> by_trust_domain_;  // of live_
  HierarchySnapshotPtr system_;
  std::vector<MissingKey> missing_keys_;
};

}  // namespace ca
