#include "ca/catalog/live_catalog.h"

namespace ca {

Result<std::unique_ptr<LiveCatalog>> LiveCatalog::Load(const HierarchyPorts& stores,
                                                       KeyStore& keys) {
  auto catalog = TRY(Catalog::Load(stores, keys));
  return std::unique_ptr<LiveCatalog>(new LiveCatalog(stores, keys, std::move(catalog)));
}

std::shared_ptr<const Catalog> LiveCatalog::Snapshot() const {
  const std::lock_guard lock(mutex_);
  return catalog_;
}

Status LiveCatalog::Reload() {
  // One at a time, so that an older state never comes after a newer one.
  const std::lock_guard reloading(reloading_);
  auto catalog = TRY(Catalog::Load(stores_, keys_, Snapshot()));
  const std::lock_guard lock(mutex_);
  catalog_ = std::move(catalog);
  return Ok();
}

Result<HierarchySnapshotPtr> LiveCatalog::Find(HierarchyId id) const {
  if (auto found = Snapshot()->Find(id)) return found;
  return Error(StatusCode::kAborted, "the hierarchy was destroyed");
}

Result<HierarchySnapshotPtr> LiveCatalog::ReloadHierarchy(HierarchyId id) {
  TRY(Reload());
  return Find(id);
}

}  // namespace ca
