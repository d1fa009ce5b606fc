#include "ca/catalog.h"

namespace ca {

Result<CatalogRecords> CatalogRecords::Load(HierarchyStore& store) {
  CatalogRecords records;
  // What refers to another comes first, so that the other is there.
  records.activations = TRY(store.LoadActivations());
  records.authorities = TRY(store.LoadAuthorities());
  records.hierarchies = TRY(store.LoadHierarchies());
  return records;
}

Result<std::shared_ptr<const Catalog>> Catalog::Load(HierarchyStore& store, KeyStore& keys) {
  CatalogRecords records = TRY(CatalogRecords::Load(store));
  return Open(std::move(records), keys);
}

Result<std::shared_ptr<const Catalog>> Catalog::Open(CatalogRecords records, KeyStore& keys) {
  using Key = std::shared_ptr<const SigningKey>;
  return Open(std::move(records), [&](const AuthorityRecord& record) -> Result<Key> {
    if (record.key_destruction) return nullptr;
    return keys.Find(record.key_label);
  });
}

Result<std::shared_ptr<const Catalog>> Catalog::OpenWithoutKeys(CatalogRecords records) {
  return Open(std::move(records), [](const AuthorityRecord&) { return nullptr; });
}

Result<std::shared_ptr<const Catalog>> Catalog::Open(CatalogRecords records,
                                                     const FindKey& find_key) {
  auto catalog = std::make_shared<Catalog>();
  for (const AuthorityRecord& record : records.authorities) {
    if (record.certificate.empty()) continue;  // planned, not yet there
    if (record.kind == AuthorityKind::kResponder) continue;
    auto key = TRY(find_key(record));
    auto authority = TRY(Authority::Open(record, std::move(key)));
    catalog->authorities_.emplace(record.id, std::move(authority));
  }
  catalog->records_ = std::move(records);
  return catalog;
}

Result<const Hierarchy*> Catalog::FindByName(std::string_view name) const {
  for (const Hierarchy& hierarchy : hierarchies()) {
    if (hierarchy.Name() == name) return &hierarchy;
  }
  // Which there are is not for everybody to know.
  return Error(StatusCode::kNotFound, "hierarchy: there is no '{}'; see: agentpki status",
               Printable(name));
}

Result<const Hierarchy*> Catalog::FindByTrustDomain(const TrustDomain& trust_domain) const {
  for (const Hierarchy& hierarchy : hierarchies()) {
    if (hierarchy.trust_domain == trust_domain) return &hierarchy;
  }
  return Error(StatusCode::kNotFound, "no hierarchy has the trust domain {}", trust_domain.name());
}

const Hierarchy* Catalog::Find(HierarchyId id) const {
  for (const Hierarchy& hierarchy : hierarchies()) {
    if (hierarchy.id == id) return &hierarchy;
  }
  return nullptr;
}

Result<const Hierarchy*> Catalog::System() const {
  for (const Hierarchy& hierarchy : hierarchies()) {
    if (hierarchy.is_system) return &hierarchy;
  }
  return Error(StatusCode::kFailedPrecondition,
               "there is no system hierarchy yet; run: agentpki-server init --config FILE");
}

std::vector<std::shared_ptr<const Authority>> Catalog::AuthoritiesOf(HierarchyId hierarchy) const {
  std::vector<std::shared_ptr<const Authority>> found;
  for (const auto& [id, authority] : authorities_) {
    if (authority->hierarchy() == hierarchy) found.push_back(authority);
  }
  return found;
}

Result<std::shared_ptr<const Authority>> Catalog::FindAuthority(AuthorityId id) const {
  const auto found = authorities_.find(id);
  if (found != authorities_.end()) return found->second;
  return Error(StatusCode::kNotFound, "no authority has the number {}",
               static_cast<std::int64_t>(id));
}

Result<std::shared_ptr<const Authority>> Catalog::ActiveIssuer(HierarchyId hierarchy) const {
  const std::vector<Activation> activations = ActivationsOf(hierarchy);
  if (!activations.empty()) return FindAuthority(activations.back().authority);
  const Hierarchy* const known = Find(hierarchy);
  return Error(StatusCode::kFailedPrecondition, "hierarchy {} has no issuing authority",
               known ? known->Name() : "?");
}

std::vector<Activation> Catalog::ActivationsOf(HierarchyId hierarchy) const {
  std::vector<Activation> found;
  for (const Activation& activation : records_.activations) {
    if (activation.hierarchy == hierarchy) found.push_back(activation);
  }
  return found;
}

std::vector<Bytes> Catalog::Roots(HierarchyId hierarchy) const {
  std::vector<Bytes> roots;
  for (const auto& [id, authority] : authorities_) {
    if (authority->hierarchy() == hierarchy && authority->kind() == AuthorityKind::kRoot) {
      roots.push_back(authority->certificate());
    }
  }
  return roots;
}

std::vector<Bytes> Catalog::Intermediates(AuthorityId issuer) const {
  const auto found = authorities_.find(issuer);
  if (found == authorities_.end() || found->second->kind() == AuthorityKind::kRoot) return {};
  return {found->second->certificate()};
}

}  // namespace ca
