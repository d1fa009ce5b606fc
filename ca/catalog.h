#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "ca/authority.h"
#include "ca/hierarchy_store.h"

namespace ca {

// What a catalog is made of.
struct CatalogRecords {
  std::vector<Hierarchy> hierarchies;
  std::vector<AuthorityRecord> authorities;
  std::vector<Activation> activations;

  // kUnavailable while the database is away.
  static Result<CatalogRecords> Load(HierarchyStore& store);

  friend bool operator==(const CatalogRecords&, const CatalogRecords&) = default;
};

// The hierarchies and authorities as they stood when it was loaded: who issues, and whom to trust.
// Immutable and thread-safe; a request that holds it sees one state from beginning to end.
class Catalog {
 public:
  // Opens every CA that has a certificate; OCSP responders are none. One whose key is to be
  // destroyed, or was, keeps its certificate here and has no key. kFailedPrecondition when another
  // key is missing on the token or is not what its certificate says, kUnavailable when token or
  // database is away.
  static Result<std::shared_ptr<const Catalog>> Load(HierarchyStore& store, KeyStore& keys);
  static Result<std::shared_ptr<const Catalog>> Open(CatalogRecords records, KeyStore& keys);
  // To be looked at: none has a key, whatever is on the token.
  static Result<std::shared_ptr<const Catalog>> OpenWithoutKeys(CatalogRecords records);

  const CatalogRecords& records() const { return records_; }
  const std::vector<Hierarchy>& hierarchies() const { return records_.hierarchies; }

  // kNotFound.
  Result<const Hierarchy*> FindByName(std::string_view tenant_slash_environment) const;
  Result<const Hierarchy*> FindByTrustDomain(const TrustDomain& trust_domain) const;
  // nullptr when there is none.
  const Hierarchy* Find(HierarchyId id) const;
  // kFailedPrecondition before `agentpki-server init`.
  Result<const Hierarchy*> System() const;

  // All, oldest first.
  std::vector<std::shared_ptr<const Authority>> AuthoritiesOf(HierarchyId hierarchy) const;
  // kNotFound.
  Result<std::shared_ptr<const Authority>> FindAuthority(AuthorityId id) const;
  // The one that issues now: the last that was activated. kFailedPrecondition when there is none.
  Result<std::shared_ptr<const Authority>> ActiveIssuer(HierarchyId hierarchy) const;

  // Oldest first; the last says who issues now.
  std::vector<Activation> ActivationsOf(HierarchyId hierarchy) const;

  // DER, what a relying party of the hierarchy trusts.
  std::vector<Bytes> Roots(HierarchyId hierarchy) const;
  // DER, what stands between a leaf of `issuer` and the root: the issuing authority itself.
  std::vector<Bytes> Intermediates(AuthorityId issuer) const;

 private:
  using FindKey = std::function<Result<std::shared_ptr<const SigningKey>>(const AuthorityRecord&)>;
  static Result<std::shared_ptr<const Catalog>> Open(CatalogRecords records,
                                                     const FindKey& find_key);

  CatalogRecords records_;
  std::map<AuthorityId, std::shared_ptr<const Authority>> authorities_;
};

}  // namespace ca
