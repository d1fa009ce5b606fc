#pragma once

#include <string>
#include <vector>

#include "ca/access/approvals.h"
#include "ca/access/authorization.h"
#include "ca/access/call.h"
#include "ca/base/clock.h"
#include "ca/catalog/live_catalog.h"
#include "ca/ports/registry.h"

namespace ca {

// The scope of a role: a hierarchy, acme/prod; all hierarchies of a tenant, acme; or (both "") all
// hierarchies.
struct GrantScope {
  std::string hierarchy;
  std::string tenant;
};

// The use case of operators' roles: an admin over the scope of a role grants it and takes it back.
// Thread-safe; calls block. Each may also fail as Authorization::Require does.
class Operators {
 public:
  // All outlive it.
  Operators(const LiveCatalog& catalogs, const Authorization& authorization, Registry& registry,
            const Approvals& approvals)
      : catalogs_(catalogs),
        authorization_(authorization),
        registry_(registry),
        approvals_(approvals) {}

  // The grants over the hierarchies of which the caller is an auditor.
  Result<std::vector<OperatorGrant>> List(const Call& call) const;

  // The role acts from the operator's next call on. Idempotent. A role over one hierarchy widens
  // its declaration, and may take two operators: Approvals::Require(). kNotFound when the operator
  // is not registered in the system hierarchy, or when the hierarchy does not exist;
  // kInvalidArgument when `scope` names both a hierarchy and a tenant.
  Result<Recorded<OperatorGrant>> Add(Call& call, const std::string& operator_name, Role role,
                                      const GrantScope& scope) const;

  // The reverse, without approval. Also kFailedPrecondition, rule `grant.last-admin`, for the last
  // admin over all hierarchies.
  Result<Recorded<OperatorGrant>> Remove(Call& call, const std::string& operator_name, Role role,
                                         const GrantScope& scope) const;

 private:
  Result<OperatorGrant> Authorized(Call& call, Action action, const std::string& operator_name,
                                   Role role, const GrantScope& scope) const;
  Status RequireApproval(Call& call, const OperatorGrant& added) const;
  Status CheckNotLastAdmin(const OperatorGrant& removed) const;

  const LiveCatalog& catalogs_;
  const Authorization& authorization_;
  Registry& registry_;
  const Approvals& approvals_;
};

// "acme/prod", "acme/*" or "*".
std::string ScopeText(const Grant& grant, const Catalog& catalog);

}  // namespace ca
