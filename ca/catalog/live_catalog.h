#pragma once

#include <memory>
#include <mutex>

#include "ca/catalog/catalog.h"

namespace ca {

// The catalog of now. Changes by other replicas and by operators come in by Reload(). A request
// takes one snapshot and keeps it to its end. Thread-safe.
class LiveCatalog {
 public:
  // Errors: those of Catalog::Load. `stores` and `keys` outlive it.
  static Result<std::unique_ptr<LiveCatalog>> Load(const HierarchyPorts& stores, KeyStore& keys);

  std::shared_ptr<const Catalog> Snapshot() const;

  // Reads the records again. Snapshot() gives another catalog from now on if a record has changed
  // or a key was missing; hierarchies that are as before are shared with the catalog before. When
  // it fails, the last catalog stays. Errors: those of Catalog::Load.
  Status Reload();
  // One hierarchy of Snapshot(), also if it is destroyed; kAborted when there is none any more.
  Result<HierarchySnapshotPtr> Find(HierarchyId id) const;
  // Reload(), then Find().
  Result<HierarchySnapshotPtr> ReloadHierarchy(HierarchyId id);

 private:
  LiveCatalog(const HierarchyPorts& stores, KeyStore& keys, std::shared_ptr<const Catalog> catalog)
      : stores_(stores), keys_(keys), catalog_(std::move(catalog)) {}

  const HierarchyPorts stores_;
  KeyStore& keys_;
  std::mutex reloading_;
  mutable std::mutex mutex_;
  std::shared_ptr<const Catalog> catalog_;
};

}  // namespace ca
