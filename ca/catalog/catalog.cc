#include "ca/catalog/catalog.h"

#include <algorithm>

#include "ca/base/asn1.h"

namespace ca {
namespace {

Result<std::shared_ptr<const Authority>> OpenWithKey(const AuthorityRecord& record,
                                                     KeyStore& keys) {
  if (record.key_destruction || record.IsExternalRoot()) return Authority::Open(record, nullptr);
  auto key = TRY(keys.Find(record.key_label));
  return Authority::Open(record, std::move(key));
}

const HierarchyDestruction* FindDestruction(const std::vector<HierarchyDestruction>& destructions,
                                            HierarchyId id) {
  const auto found =
      std::find_if(destructions.begin(), destructions.end(),
                   [&](const HierarchyDestruction& d) { return d.hierarchy.id == id; });
  return found == destructions.end() ? nullptr : &*found;
}

}  // namespace

Result<CatalogRecords> CatalogRecords::Load(const HierarchyPorts& stores) {
  CatalogRecords records;
  // What refers to another comes first, so that the other is there.
  records.trust_bundles = TRY(stores.activations.LoadTrustBundles());
  records.activations = TRY(stores.activations.LoadActivations());
  records.authorities = TRY(stores.authorities.LoadAuthorities());
  records.hierarchies = TRY(stores.hierarchies.LoadHierarchies());
  records.destructions = TRY(stores.hierarchies.LoadDestructions());
  std::erase_if(records.hierarchies, [&](const Hierarchy& hierarchy) {  // destroyed just now
    return FindDestruction(records.destructions, hierarchy.id) != nullptr;
  });
  return records;
}

Result<std::shared_ptr<const Catalog>> Catalog::Load(const HierarchyPorts& stores, KeyStore& keys) {
  CatalogRecords records = TRY(CatalogRecords::Load(stores));
  return Open(std::move(records), keys);
}

Result<std::shared_ptr<const Catalog>> Catalog::Open(CatalogRecords records, KeyStore& keys) {
  std::vector<LackingKey> lacking;
  auto catalog = TRY(Open(std::move(records), [&](const AuthorityRecord& record) {
    auto opened = OpenWithKey(record, keys);
    if (opened.ok() || !keys.IsApart(record.key_label)) return opened;
    lacking.push_back({record.key_label, opened.status()});
    return Authority::Open(record, nullptr);
  }));
  catalog->lacking_keys_ = std::move(lacking);
  return catalog;
}

Result<std::shared_ptr<const Catalog>> Catalog::OpenWithoutKeys(CatalogRecords records) {
  return TRY(Open(std::move(records),
                  [](const AuthorityRecord& record) { return Authority::Open(record, nullptr); }));
}

Result<std::shared_ptr<Catalog>> Catalog::Open(CatalogRecords records, const OpenOne& open_one) {
  auto catalog = std::make_shared<Catalog>();
  for (const AuthorityRecord& record : records.authorities) {
    if (record.certificate.empty()) continue;  // planned, not yet there
    if (IsDelegate(record.kind)) continue;
    if (record.kind == AuthorityKind::kLink) {
      TRY(catalog->OpenLink(record, records));
      continue;
    }
    auto authority = TRY(open_one(record));
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
  const HierarchyDestruction* const destruction = FindDestruction(destructions(), id);
  return destruction ? &destruction->hierarchy : nullptr;
}

bool Catalog::IsDestroyed(HierarchyId hierarchy) const {
  return FindDestruction(destructions(), hierarchy) != nullptr;
}

std::vector<Hierarchy> Catalog::AllHierarchies() const {
  std::vector<Hierarchy> all = hierarchies();
  for (const HierarchyDestruction& destruction : destructions()) {
    all.push_back(destruction.hierarchy);
  }
  return all;
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

const AuthorityRecord* Catalog::FindRecord(AuthorityId id) const {
  const auto found = std::find_if(records_.authorities.begin(), records_.authorities.end(),
                                  [&](const AuthorityRecord& record) { return record.id == id; });
  return found == records_.authorities.end() ? nullptr : &*found;
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

std::vector<TrustBundleRecord> Catalog::TrustBundlesOf(HierarchyId hierarchy) const {
  std::vector<TrustBundleRecord> found;
  for (const TrustBundleRecord& bundle : records_.trust_bundles) {
    if (bundle.hierarchy == hierarchy) found.push_back(bundle);
  }
  return found;
}

const TrustBundleRecord* Catalog::NewestTrustBundle(HierarchyId hierarchy) const {
  const auto& bundles = records_.trust_bundles;
  const auto newest =
      std::find_if(bundles.rbegin(), bundles.rend(),
                   [&](const TrustBundleRecord& bundle) { return bundle.hierarchy == hierarchy; });
  return newest == bundles.rend() ? nullptr : &*newest;
}

bool Catalog::IsTrusted(const Authority& root) const {
  const TrustBundleRecord* const bundle = NewestTrustBundle(root.hierarchy());
  return !bundle || bundle->Has(root.id());
}

std::vector<Bytes> Catalog::Roots(HierarchyId hierarchy) const {
  std::vector<Bytes> roots;
  for (const auto& [id, authority] : authorities_) {
    if (authority->hierarchy() == hierarchy && authority->kind() == AuthorityKind::kRoot &&
        IsTrusted(*authority)) {
      roots.push_back(authority->certificate());
    }
  }
  return roots;
}

std::vector<Bytes> Catalog::Intermediates(AuthorityId issuer) const {
  return Linked(issuer, [&](const Link& link) {
    const auto older = authorities_.find(link.issuer);
    return older != authorities_.end() && IsTrusted(*older->second);
  });
}

std::vector<Bytes> Catalog::FirstContactChain(AuthorityId issuer, TimePoint now) const {
  // The links come before the roots: of two certificates with one name and key, a verifier takes
  // the first, and a root that it does not trust would be its chain's end.
  std::vector<Bytes> chain =
      Linked(issuer, [&](const Link& link) { return now < link.validity.not_after; });
  const auto found = authorities_.find(issuer);
  if (found == authorities_.end()) return chain;
  for (const auto& [id, authority] : authorities_) {
    if (authority->hierarchy() == found->second->hierarchy() &&
        authority->kind() == AuthorityKind::kRoot && now < authority->validity().not_after) {
      chain.push_back(authority->certificate());
    }
  }
  return chain;
}

// ---- links --------------------------------------------------------------------------------------

Status Catalog::OpenLink(const AuthorityRecord& record, const CatalogRecords& records) {
  const X509Ptr x509 = TRY(ParseX509(record.certificate));
  SerialNumber serial = TRY(SerialNumber::FromBytes(OctetsOf(X509_get0_serialNumber(x509.get()))));
  Validity validity;
  validity.not_before = TRY(TimeOf(X509_get0_notBefore(x509.get())));
  validity.not_after = TRY(TimeOf(X509_get0_notAfter(x509.get())));
  for (const AuthorityRecord& root : records.authorities) {
    if (root.hierarchy == record.hierarchy && root.kind == AuthorityKind::kRoot &&
        root.generation == record.generation) {
      links_.emplace(root.id,
                     Link{root.id, record.issuer, record.certificate, std::move(serial), validity});
      break;
    }
  }
  return Ok();
}

std::vector<Catalog::Link> Catalog::LinksOf(HierarchyId hierarchy) const {
  std::vector<Link> found;
  for (const auto& [root, link] : links_) {
    const auto issuer = authorities_.find(link.issuer);
    if (issuer != authorities_.end() && issuer->second->hierarchy() == hierarchy) {
      found.push_back(link);
    }
  }
  return found;
}

std::vector<Bytes> Catalog::Linked(AuthorityId issuer,
                                   const std::function<bool(const Link&)>& may_go_on) const {
  const auto found = authorities_.find(issuer);
  if (found == authorities_.end() || found->second->kind() == AuthorityKind::kRoot) return {};
  std::vector<Bytes> chain = {found->second->certificate()};
  for (const Bytes& certificate : found->second->intermediates()) chain.push_back(certificate);
  auto link = links_.find(found->second->issuer());
  while (link != links_.end() && may_go_on(link->second)) {
    chain.push_back(link->second.certificate);
    link = links_.find(link->second.issuer);
  }
  return chain;
}

}  // namespace ca
