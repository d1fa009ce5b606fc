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
  const CatalogRecords records = TRY(CatalogRecords::Load(stores_));
  const auto before = Snapshot();
  // What a token that was away lacked may be there now.
  if (records == before->records() && before->lacking_keys().empty()) return Ok();
  auto catalog = TRY(Catalog::Open(records, keys_));
  const std::lock_guard lock(mutex_);
  catalog_ = std::move(catalog);
  return Ok();
}

}  // namespace ca
