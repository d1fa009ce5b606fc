#pragma once

#include <string_view>

#include "ca/access/caller.h"
#include "ca/catalog/hierarchy_snapshot.h"
#include "ca/ports/registry.h"

namespace ca {

// The actions that callers can ask of the server, by their names in audit events.
enum class Action {
  kEnroll,
  kRenew,
  kRegisterAgent,
  kGetAgent,
  kListAgents,
  kCreateJoinToken,
  kListJoinTokens,
  kRevokeJoinToken,
  kGetCertificate,
  kListCertificates,
  kGetStatus,
  kRevoke,
  kPreviewRevocation,
  kCheckStatus,
  kListAuthorities,
  kPrepareAuthority,
  kActivateAuthority,
  kRollBackAuthority,
  kTaintAuthority,
  kRevokeAuthority,
  kCreateCertificationRequest,
  kImportAuthority,
  kListHierarchies,
  kGetHierarchy,
  kPlanHierarchy,
  kApplyHierarchy,
  kDestroyHierarchy,
  kListDestructions,
  kListGrants,
  kAddGrant,
  kRemoveGrant,
  kDiagnose,
  kGetTrustBundle,
  kWatchTrustBundle,
  kAcknowledgeTrustBundle,
  kListStragglers,
  kListEnrollmentRequests,
  kListApprovals,
  kApproveChange,
  kDenyChange,
  kWithdrawApproval,
};

std::string_view NameOf(Action action);  // Enroll, Renew, RegisterAgent, ...

// Whether callers without a certificate may do it, because their credential is in the request.
bool IsForStrangers(Action action);

// Decides whether a caller may do an action. The certificate only identifies the caller; its roles
// are read from the registry at each call, so a change acts at once (DESIGN.md, invariant 7).
// Thread-safe.
class Authorization {
 public:
  explicit Authorization(Registry& registry) : registry_(registry) {}

  // Ok, or:
  //   kUnauthenticated   rule `caller.anonymous`: no client certificate was presented
  //   kPermissionDenied  rule `caller.role`: none of the caller's roles over `hierarchy` allows it
  //   kUnavailable       the registry is unavailable
  // Only for actions of operators; an agent enrolls by its credential.
  Status Require(const Caller& caller, Action action, HierarchyId hierarchy) const;

  // The same for an action over all present and future hierarchies of a tenant, and for an action
  // over all hierarchies.
  Status RequireOverTenant(const Caller& caller, Action action, const std::string& tenant) const;
  Status RequireOverAll(const Caller& caller, Action action) const;

  // Selects those of `hierarchies` over which the caller may do it; an empty result is no error.
  Result<std::vector<HierarchyId>> Allowed(const Caller& caller, Action action,
                                           const std::vector<Hierarchy>& hierarchies) const;
  Result<std::vector<HierarchyId>> Allowed(
      const Caller& caller, Action action,
      const std::vector<HierarchySnapshotPtr>& hierarchies) const;

 private:
  template <typename Suffices>
  Status RequireAny(const Caller& caller, Action action, std::string_view over,
                    Suffices suffices) const;

  template <typename Hierarchies, typename HierarchyOf>
  Result<std::vector<HierarchyId>> AllowedAmong(const Caller& caller, Action action,
                                                const Hierarchies& hierarchies,
                                                HierarchyOf hierarchy_of) const;

  Registry& registry_;
};

}  // namespace ca
