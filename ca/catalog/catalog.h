#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "ca/issuance/authority.h"
#include "ca/ports/hierarchy_ports.h"

namespace ca {

// What a catalog is made of.
struct CatalogRecords {
  std::vector<Hierarchy> hierarchies;  // none that is destroyed
  std::vector<HierarchyDestruction> destructions;
  std::vector<AuthorityRecord> authorities;
  std::vector<Activation> activations;
  std::vector<TrustBundleRecord> trust_bundles;

  // kUnavailable while the database is away.
  static Result<CatalogRecords> Load(const HierarchyPorts& stores);

  friend bool operator==(const CatalogRecords&, const CatalogRecords&) = default;
};

// The hierarchies and authorities as they stood when it was loaded: who issues, and whom to trust.
// Immutable and thread-safe; a request that holds it sees one state from beginning to end.
class Catalog {
 public:
  // Opens every CA that has a certificate; responders and recorders are none. One whose key is to
  // be destroyed, or was, keeps its certificate here and has no key; nor has one whose key cannot
  // be had from a token that is apart (KeyStore::IsApart). kFailedPrecondition when another key is
  // missing on the token or is not what its certificate says, kUnavailable when token or database
  // is away.
  static Result<std::shared_ptr<const Catalog>> Load(const HierarchyPorts& stores, KeyStore& keys);
  static Result<std::shared_ptr<const Catalog>> Open(CatalogRecords records, KeyStore& keys);
  // To be looked at: none has a key, whatever is on the token.
  static Result<std::shared_ptr<const Catalog>> OpenWithoutKeys(CatalogRecords records);

  // A key that could not be had, and why: on a token that is apart.
  struct LackingKey {
    std::string label;
    Status why;
  };
  const std::vector<LackingKey>& lacking_keys() const { return lacking_keys_; }

  const CatalogRecords& records() const { return records_; }
  // Those that are not destroyed, and those that are, as long as a certificate of theirs may be
  // asked about.
  const std::vector<Hierarchy>& hierarchies() const { return records_.hierarchies; }
  const std::vector<HierarchyDestruction>& destructions() const { return records_.destructions; }
  std::vector<Hierarchy> AllHierarchies() const;
  bool IsDestroyed(HierarchyId hierarchy) const;

  // Of those that are not destroyed. kNotFound.
  Result<const Hierarchy*> FindByName(std::string_view tenant_slash_environment) const;
  Result<const Hierarchy*> FindByTrustDomain(const TrustDomain& trust_domain) const;
  // Of all. nullptr when there is none.
  const Hierarchy* Find(HierarchyId id) const;
  // kFailedPrecondition before `agentpki-server init`.
  Result<const Hierarchy*> System() const;

  // All, oldest first.
  std::vector<std::shared_ptr<const Authority>> AuthoritiesOf(HierarchyId hierarchy) const;
  // nullptr when there is none.
  const AuthorityRecord* FindRecord(AuthorityId id) const;
  // kNotFound.
  Result<std::shared_ptr<const Authority>> FindAuthority(AuthorityId id) const;
  // The one that issues now: the last that was activated. kFailedPrecondition when there is none.
  Result<std::shared_ptr<const Authority>> ActiveIssuer(HierarchyId hierarchy) const;

  // Oldest first; the last says who issues now.
  std::vector<Activation> ActivationsOf(HierarchyId hierarchy) const;

  // Oldest first; the last is what relying parties should hold now.
  std::vector<TrustBundleRecord> TrustBundlesOf(HierarchyId hierarchy) const;
  // nullptr before the first.
  const TrustBundleRecord* NewestTrustBundle(HierarchyId hierarchy) const;

  // DER, what a relying party of the hierarchy trusts, oldest first: the roots in its newest trust
  // bundle; before the first, every root.
  std::vector<Bytes> Roots(HierarchyId hierarchy) const;
  // DER, what stands between a leaf of `issuer` and whichever root a relying party holds, in the
  // order of a TLS handshake: the issuing authority itself, then what stands between it and an
  // external root, or the links from its root to each older one that is still trusted.
  std::vector<Bytes> Intermediates(AuthorityId issuer) const;
  // DER, what our own server shows behind its leaf: the issuing authority, every link, then every
  // root that has not ended. A join token names one of them by its fingerprint, and may be older
  // than the trust bundle of today.
  std::vector<Bytes> FirstContactChain(AuthorityId issuer, TimePoint now) const;

  // What a root has signed beside issuing authorities: the link to the root that follows it.
  struct Link {
    AuthorityId root{};    // whose name and key it has
    AuthorityId issuer{};  // the root before
    Bytes certificate;     // DER
    SerialNumber serial;
    Validity validity;
  };
  std::vector<Link> LinksOf(HierarchyId hierarchy) const;

 private:
  using OpenOne = std::function<Result<std::shared_ptr<const Authority>>(const AuthorityRecord&)>;
  static Result<std::shared_ptr<Catalog>> Open(CatalogRecords records, const OpenOne& open_one);
  bool IsTrusted(const Authority& root) const;
  Status OpenLink(const AuthorityRecord& record, const CatalogRecords& records);
  // From the root of `issuer` to older ones, for as long as `may_go_on(link)`.
  std::vector<Bytes> Linked(AuthorityId issuer,
                            const std::function<bool(const Link&)>& may_go_on) const;

  CatalogRecords records_;
  std::map<AuthorityId, std::shared_ptr<const Authority>> authorities_;
  std::map<AuthorityId, Link> links_;  // by the newer root
  std::vector<LackingKey> lacking_keys_;
};

}  // namespace ca
