#include "ca/catalog/catalog.h"

#include <algorithm>
#include <set>

namespace ca {
namespace {

Result<std::shared_ptr<const Authority>> OpenWithKey(const AuthorityRecord& record,
                                                     KeyStore& keys) {
  if (record.key_destruction || record.IsExternalRoot()) return Authority::Open(record, nullptr);
  auto key = TRY(keys.Find(record.key_label));
  return Authority::Open(record, std::move(key));
}

// Sorts rows of all hierarchies by their hierarchy. The order of the rows of each stays.
class Grouping {
 public:
  void Add(Hierarchy hierarchy, std::optional<HierarchyDestruction> destruction) {
    const HierarchyId id = hierarchy.id;
    if (!index_.emplace(id, groups_.size()).second) return;
    groups_.push_back({.hierarchy = std::move(hierarchy), .destruction = std::move(destruction)});
  }

  template <typename Row>
  void Distribute(std::vector<Row> rows, std::vector<Row> HierarchyRecords::*member) {
    for (Row& row : rows) {
      const auto found = index_.find(row.hierarchy);
      if (found != index_.end()) (groups_[found->second].*member).push_back(std::move(row));
    }
  }

  std::vector<HierarchyRecords> Take() { return std::move(groups_); }

 private:
  std::vector<HierarchyRecords> groups_;
  std::unordered_map<HierarchyId, size_t> index_;
};

}  // namespace

Result<CatalogRecords> CatalogRecords::Load(const HierarchyPorts& stores) {
  // Rows that refer to others are read first, so that the others are there.
  auto trust_bundles = TRY(stores.activations.LoadTrustBundles());
  auto activations = TRY(stores.activations.LoadActivations());
  auto authorities = TRY(stores.authorities.LoadAuthorities());
  auto hierarchies = TRY(stores.hierarchies.LoadHierarchies());
  auto destructions = TRY(stores.hierarchies.LoadDestructions());
  std::set<HierarchyId> destroyed;
  for (const HierarchyDestruction& of : destructions) destroyed.insert(of.hierarchy.id);
  std::erase_if(hierarchies, [&](const Hierarchy& hierarchy) {  // destroyed between the readings
    return destroyed.contains(hierarchy.id);
  });
  Grouping grouping;
  for (Hierarchy& hierarchy : hierarchies) grouping.Add(std::move(hierarchy), std::nullopt);
  for (HierarchyDestruction& destruction : destructions) {
    Hierarchy hierarchy = destruction.hierarchy;
    grouping.Add(std::move(hierarchy), std::move(destruction));
  }
  grouping.Distribute(std::move(authorities), &HierarchyRecords::authorities);
  grouping.Distribute(std::move(activations), &HierarchyRecords::activations);
  grouping.Distribute(std::move(trust_bundles), &HierarchyRecords::trust_bundles);
  return CatalogRecords{grouping.Take()};
}

// ---- opening ------------------------------------------------------------------------------------

Result<std::shared_ptr<const Catalog>> Catalog::Load(const HierarchyPorts& stores, KeyStore& keys,
                                                     std::shared_ptr<const Catalog> before) {
  CatalogRecords records = TRY(CatalogRecords::Load(stores));
  return Open(std::move(records), keys, std::move(before));
}

Result<std::shared_ptr<const Catalog>> Catalog::Open(CatalogRecords records, KeyStore& keys,
                                                     std::shared_ptr<const Catalog> before) {
  std::vector<MissingKey> missing;
  const auto open_one = [&](const AuthorityRecord& record) {
    auto opened = OpenWithKey(record, keys);
    if (opened.ok() || !keys.IsApart(record.key_label)) return opened;
    missing.push_back({record.hierarchy, record.key_label, opened.status()});
    return Authority::Open(record, nullptr);
  };
  auto catalog =
      TRY(Open(std::move(records), [&](HierarchyRecords hierarchy) -> Result<HierarchySnapshotPtr> {
        const HierarchyId id = hierarchy.hierarchy.id;
        const auto old = before && before->HasKeysOf(id) ? before->Find(id) : nullptr;
        if (old && old->records() == hierarchy) return old;
        return HierarchySnapshot::Open(std::move(hierarchy), open_one);
      }));
  // The catalog before is the same one: whoever compares it need not begin anew.
  const bool is_same =
      before && missing.empty() && before->missing_keys_.empty() && before->all_ == catalog->all_;
  if (is_same) return before;
  catalog->missing_keys_ = std::move(missing);
  return catalog;
}

Result<std::shared_ptr<const Catalog>> Catalog::OpenWithoutKeys(CatalogRecords records) {
  const auto open_one = [](const AuthorityRecord& record) {
    return Authority::Open(record, nullptr);
  };
  return TRY(Open(std::move(records), [&](HierarchyRecords hierarchy) {
    return HierarchySnapshot::Open(std::move(hierarchy), open_one);
  }));
}

Result<std::shared_ptr<Catalog>> Catalog::Open(CatalogRecords records, const OpenHierarchy& open) {
  auto catalog = std::make_shared<Catalog>();
  for (HierarchyRecords& hierarchy : records.hierarchies) {
    auto snapshot = TRY(open(std::move(hierarchy)));
    catalog->Add(std::move(snapshot));
  }
  return catalog;
}

void Catalog::Add(HierarchySnapshotPtr hierarchy) {
  all_.push_back(hierarchy);
  by_id_.emplace(hierarchy->id(), hierarchy);
  for (const AuthorityRecord& record : hierarchy->records().authorities) {
    by_authority_.emplace(record.id, hierarchy);
  }
  if (hierarchy->is_destroyed()) return;
  live_.push_back(hierarchy);
  by_name_.emplace(hierarchy->name(), hierarchy);
  by_trust_domain_.emplace(hierarchy->hierarchy().trust_domain.name(), hierarchy);
  if (hierarchy->hierarchy().is_system) system_ = hierarchy;
}

bool Catalog::HasKeysOf(HierarchyId hierarchy) const {
  return std::none_of(missing_keys_.begin(), missing_keys_.end(),
                      [&](const MissingKey& key) { return key.hierarchy == hierarchy; });
}

// ---- finding ------------------------------------------------------------------------------------

Result<HierarchySnapshotPtr> Catalog::FindByName(std::string_view name) const {
  const auto found = by_name_.find(name);
  if (found != by_name_.end()) return found->second;
  // The names that there are must not be told to every caller.
  return Error(StatusCode::kNotFound, "hierarchy: there is no '{}'; see: agentpki status",
               Printable(name));
}

Result<HierarchySnapshotPtr> Catalog::FindByTrustDomain(const TrustDomain& trust_domain) const {
  const auto found = by_trust_domain_.find(trust_domain.name());
  if (found != by_trust_domain_.end()) return found->second;
  return Error(StatusCode::kNotFound, "no hierarchy has the trust domain {}", trust_domain.name());
}

Result<HierarchySnapshotPtr> Catalog::System() const {
  if (system_) return system_;
  return Error(StatusCode::kFailedPrecondition,
               "there is no system hierarchy yet; run: agentpki-server init --config FILE");
}

HierarchySnapshotPtr Catalog::Find(HierarchyId id) const {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : found->second;
}

HierarchySnapshotPtr Catalog::FindHierarchyOf(AuthorityId id) const {
  const auto found = by_authority_.find(id);
  return found == by_authority_.end() ? nullptr : found->second;
}

Result<std::shared_ptr<const Authority>> Catalog::FindAuthority(AuthorityId id) const {
  const auto hierarchy = FindHierarchyOf(id);
  if (auto found = hierarchy ? hierarchy->FindAuthority(id) : nullptr) return found;
  return Error(StatusCode::kNotFound, "no authority has the number {}",
               static_cast<std::int64_t>(id));
}

}  // namespace ca
