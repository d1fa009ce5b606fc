#include "ca/server/rpc/hierarchy_readiness.h"

#include <fmt/format.h>

#include "ca/catalog/authority_view.h"

namespace server {
namespace {

// "" when no authority awaits its certificate.
std::string PendingAuthorityOf(const ca::HierarchySnapshot& hierarchy) {
  std::string pending;
  for (const ca::AuthorityRecord& record : hierarchy.records().authorities) {
    if (ca::AwaitsCertificate(hierarchy.hierarchy(), record)) {
      pending = NameOf(hierarchy.hierarchy(), record);
    }
  }
  return pending;
}

}  // namespace

HierarchyReadiness ReadinessOf(const ca::HierarchySnapshot& hierarchy,
                               const MissingStatus& missing) {
  HierarchyReadiness readiness;
  const auto active = hierarchy.ActiveIssuer();
  if (!active.ok()) {
    readiness.pending_authority = PendingAuthorityOf(hierarchy);
    readiness.waiting_for.push_back(readiness.pending_authority.empty()
                                        ? "an issuing authority; apply its file again"
                                        : "the certificate of " + readiness.pending_authority);
    return readiness;
  }
  readiness.active_authority = NameOf(hierarchy.hierarchy(), **active);
  for (const ca::AuthorityId id : {(*active)->issuer(), (*active)->id()}) {
    const auto authority = hierarchy.FindAuthority(id);
    // The owner of an external root answers for it.
    if (!authority || authority->IsExternalRoot()) continue;
    const std::string name = NameOf(hierarchy.hierarchy(), *authority);
    for (const std::string& what : missing(*authority)) {
      readiness.waiting_for.push_back(fmt::format("{} of {}", what, name));
    }
  }
  return readiness;
}

}  // namespace server
