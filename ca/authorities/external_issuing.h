#pragma once

#include <string>
#include <vector>

#include "ca/access/named_authority.h"
#include "ca/authorities/provisioning.h"
#include "ca/authorities/trust_bundles.h"
#include "ca/base/clock.h"
#include "ca/catalog/live_catalog.h"
#include "ca/ports/ledger.h"

namespace ca {

// A certification request (RFC 2986), and whom it is for.
struct AuthorityRequest {
  AuthorityView view;
  Bytes der;
};

// The story of an issuing authority under somebody else's root: its key is generated here, its
// certificate is asked for, signed elsewhere, brought, and checked before anything is issued under
// it. How it follows another is Rotation's story. Thread-safe; calls block.
//
// Each method may also fail as Authorization::Require does.
class ExternalIssuing {
 public:
  // All outlive it.
  ExternalIssuing(LiveCatalog& catalogs, const Authorization& authorization,
                  const HierarchyPorts& stores, KeyStore& keys, Registry& registry, Ledger& ledger,
                  const StatusDirectory& directory, TrustBundles& bundles, const Clock& clock)
      : catalogs_(catalogs),
        authorization_(authorization),
        stores_(stores),
        keys_(keys),
        registry_(registry),
        ledger_(ledger),
        directory_(directory),
        bundles_(bundles),
        clock_(clock) {}

  // What the owner of the root is to sign for `authority`, such as acme/prod/issuing/2, which is
  // pending; may be repeated, until it has its certificate. kNotFound; kFailedPrecondition by the
  // rules
  //   authority.root-ours        our own root signs it
  //   authority.has-certificate
  //   authority.tainted
  //   authority.key-destroyed
  Result<AuthorityRequest> Request(Call& call, const std::string& authority);

  // Takes the certificate of `authority` out of `brought` (DER, in any order), with what stands
  // between it and the root. The first of a hierarchy issues at once; others wait for their turn.
  // Safe to repeat with the same certificate. The errors of Request() and of
  // CheckExternalCertificate(), and kInvalidArgument, rule import.subject, when another authority
  // has its subject.
  Result<Recorded<AuthorityView>> Import(Call& call, const std::string& authority,
                                         const std::vector<Bytes>& brought);

 private:
  static Status CheckIsWaiting(const NamedAuthority& found);
  Result<ExternalCertificate> Check(const Catalog& catalog, const NamedAuthority& found,
                                    const std::vector<Bytes>& brought) const;
  // Yields the hierarchy as it is then.
  Result<HierarchySnapshotPtr> MakeKnown(HierarchyId hierarchy, AuthorityId authority,
                                         const std::string& actor);

  LiveCatalog& catalogs_;
  const Authorization& authorization_;
  const HierarchyPorts stores_;
  KeyStore& keys_;
  Registry& registry_;
  Ledger& ledger_;
  const StatusDirectory& directory_;
  TrustBundles& bundles_;
  const Clock& clock_;
};

}  // namespace ca
