#pragma once

#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "ca/access/approvals.h"
#include "ca/access/authorization.h"
#include "ca/access/call.h"
#include "ca/catalog/live_catalog.h"
#include "ca/ports/ledger.h"
#include "ca/ports/revocation.h"

namespace ca {

// An issuing authority by its name, acme/prod/issuing/1: hierarchy, kind and generation.
struct AuthorityName {
  std::string text;
};

struct RevocationRequest {
  // A serial, the certificate itself (DER), all live certificates of an agent, or all live
  // certificates that an authority issued.
  std::variant<SerialNumber, Bytes, SpiffeId, AuthorityName> target;
  RevocationReason reason = RevocationReason::kUnspecified;
  std::optional<TimePoint> invalidity_date;  // not in the future
};

// The use case of revoking certificates: finds them, checks the caller, records the order.
// Thread-safe; calls block.
class Revocations {
 public:
  Revocations(const LiveCatalog& catalogs, const Authorization& authorization, Registry& registry,
              Ledger& ledger, RevocationStore& store, const Approvals& approvals)
      : catalogs_(catalogs),
        authorization_(authorization),
        registry_(registry),
        ledger_(ledger),
        store_(store),
        approvals_(approvals) {}

  // When it returns, the revocation is durable, with the call's event; each replica's OCSP says so
  // within a second. A caller may revoke the certificate that it presents; everything else needs
  // the role revoker. An earlier revocation stays as it is, and is no error. To revoke everything
  // that an authority has issued, or a cross-certificate between roots, may take two operators
  // (Approvals::Require()), unless all of it is revoked already.
  //
  //   kInvalidArgument     names the field; also for a certificate that is not in the ledger
  //   kNotFound            no such certificate, agent or authority where the caller may revoke
  //   kFailedPrecondition  rule `certificate.expired`; rule `certificate.authority` for the
  //                        certificate of an issuing authority, which Rotation::Revoke() revokes
  //   kPermissionDenied    rule `caller.role`
  Result<Recorded<RevocationOutcome>> Revoke(Call& call, const RevocationRequest& request) const;

  // Returns the outcome that Revoke() would have now; the same errors. Changes nothing.
  Result<RevocationOutcome> Preview(Call& call, const RevocationRequest& request) const;

 private:
  Result<RevocationOrder> Authorized(Call& call, const RevocationRequest& request,
                                     Action action) const;
  Result<RevocationOrder> OfSerial(Call& call, const SerialNumber& serial, Action action) const;
  static Status CheckIsNotOfAuthority(const HierarchySnapshot& hierarchy,
                                      const SerialNumber& serial);
  Result<RevocationOrder> OfCertificate(Call& call, const Bytes& der, Action action) const;
  Result<RevocationOrder> OfAgent(Call& call, const SpiffeId& agent, Action action) const;
  Result<RevocationOrder> OfAuthority(Call& call, const AuthorityName& name, Action action) const;
  Status RequireApproval(Call& call, const RevocationOrder& order) const;

  const LiveCatalog& catalogs_;
  const Authorization& authorization_;
  Registry& registry_;
  Ledger& ledger_;
  RevocationStore& store_;
  const Approvals& approvals_;
};

}  // namespace ca
