#pragma once

#include <string>
#include <vector>

#include "ca/access/named_authority.h"
#include "ca/authorities/authority_publication.h"
#include "ca/authorities/provisioning.h"
#include "ca/base/clock.h"
#include "ca/catalog/live_catalog.h"
#include "ca/ports/ledger.h"

namespace ca {

// A certification request (RFC 2986), and the authority that it is for.
struct AuthorityRequest {
  AuthorityView view;
  Bytes der;
};

// Certifies issuing authorities under an external root: the key is generated here, the owner of the
// root signs the certification request, an admin imports the certificate, and it is checked before
// anything is issued under it. Rotation activates it. Thread-safe; calls block.
//
// Each method may also fail as Authorization::Require does.
class ExternalIssuing {
 public:
  // All outlive it.
  ExternalIssuing(LiveCatalog& catalogs, const Authorization& authorization,
                  const HierarchyPorts& stores, KeyStore& keys, const Provisioning& provisioning,
                  const AuthorityPublication& publication, Ledger& ledger, const Clock& clock)
      : catalogs_(catalogs),
        authorization_(authorization),
        stores_(stores),
        keys_(keys),
        provisioning_(provisioning),
        publication_(publication),
        ledger_(ledger),
        clock_(clock) {}

  // The certification request of `authority`, such as acme/prod/issuing/2, which is pending. It may
  // be repeated until the authority has its certificate. kNotFound; kFailedPrecondition by the
  // rules
  //   authority.root-ours        our own root signs it
  //   authority.has-certificate
  //   authority.tainted
  //   authority.key-destroyed
  Result<AuthorityRequest> Request(Call& call, const std::string& authority);

  // Takes the certificate of `authority` and the intermediates up to the root out of `brought`
  // (DER, in any order). The first authority of a hierarchy issues at once; others wait for their
  // activation. Safe to repeat with the same certificate. The errors of Request() and of
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
  const Provisioning& provisioning_;
  const AuthorityPublication& publication_;
  Ledger& ledger_;
  const Clock& clock_;
};

}  // namespace ca
