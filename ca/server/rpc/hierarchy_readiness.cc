#include "ca/server/rpc/hierarchy_readiness.h"

#include <fmt/format.h>

#include "ca/catalog/authority_view.h"

namespace server {
namespace {

// "" when no authority awaits its certificate.
std::string PendingAuthorityOf(const ca::Catalog& catalog, const ca::Hierarchy& hierarchy) {
  std::string pending;
  for (const ca::AuthorityRecord& record : catalog.records().authorities) {
    if (ca::AwaitsCertificate(hierarchy, record)) pending = NameOf(hierarchy, record);
  }
  return pending;
}

}  // namespace

HierarchyReadiness ReadinessOf(const ca::Hierarchy& hierarchy, const ca::Catalog& catalog,
                               const MissingStatus& missing) {
  HierarchyReadiness readiness;
  const auto active = catalog.ActiveIssuer(hierarchy.id);
  if (!active.ok()) {
    readiness.pending_authority = PendingAuthorityOf(catalog, hierarchy);
    readiness.waiting_for.push_back(readiness.pending_authority.empty()
                                        ? "an issuing authority; apply its file again"
                                        : "the certificate of " + readiness.pending_authority);
    return readiness;
  }
  readiness.active_authority = NameOf(hierarchy, **active);
  for (const ca::AuthorityId id : {(*active)->issuer(), (*active)->id()}) {
    const auto authority = catalog.FindAuthority(id);
    // The owner of an external root answers for it.
    if (!authority.ok() || (*authority)->IsExternalRoot()) continue;
    const std::string name = NameOf(hierarchy, **authority);
    for (const std::string& what : missing(**authority)) {
      readiness.waiting_for.push_back(fmt::format("{} of {}", what, name));
    }
  }
  return readiness;
}

}  // namespace server
