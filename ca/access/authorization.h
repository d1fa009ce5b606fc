#pragma once

#include <string_view>

#include "ca/access/caller.h"
#include "ca/ports/registry.h"

namespace ca {

// What can be asked of the server, by the names that audit events have.
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

// Whether callers may do it who show no certificate: their credential is in the request.
bool IsForStrangers(Action action);

// Whether a caller may do it. A certificate says who the caller is; what it may do is read from the
// registry at each call, so a change acts at once (DESIGN.md, invariant 7). Thread-safe.
class Authorization {
 public:
  explicit Authorization(Registry& registry) : registry_(registry) {}

  // Ok, or:
  //   kUnauthenticated   rule `caller.anonymous`: no client certificate was shown
  //   kPermissionDenied  rule `caller.role`: none of the caller's roles over `hierarchy` allows it
  //   kUnavailable       the registry is away
  // For actions of operators only; an agent's enrollment is judged by its credential.
  Status Require(const Caller& caller, Action action, HierarchyId hierarchy) const;

  // The same for what is about all of a tenant's hierarchies, also those to come, and for what is
  // about all there are.
  Status RequireOverTenant(const Caller& caller, Action action, const std::string& tenant) const;
  Status RequireOverAll(const Caller& caller, Action action) const;

  // Those of `hierarchies` over which the caller may do it; none is an answer, not an error.
  Result<std::vector<HierarchyId>> Allowed(const Caller& caller, Action action,
                                           const std::vector<Hierarchy>& hierarchies) const;

 private:
  template <typename Suffices>
  Status RequireAny(const Caller& caller, Action action, std::string_view over,
                    Suffices suffices) const;

  Registry& registry_;
};

}  // namespace ca
