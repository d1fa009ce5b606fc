#pragma once

#include <memory>
#include <mutex>

#include "ca/catalog/catalog.h"

namespace ca {

// The catalog as it is now: what other replicas and operators change comes in by Reload(). Whoever
// serves a request takes one snapshot and goes on with it to the end. Thread-safe.
class LiveCatalog {
 public:
  // Errors: those of Catalog::Load. `stores` and `keys` outlive it.
  static Result<std::unique_ptr<LiveCatalog>> Load(const HierarchyPorts& stores, KeyStore& keys);

  std::shared_ptr<const Catalog> Snapshot() const;

  // Another snapshot from now on, if anything has changed or a key was lacking. When it fails, the
  // last one stays.
  Status Reload();

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
