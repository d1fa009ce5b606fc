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

// What a role is over: a hierarchy, acme/prod; a tenant with all of its hierarchies, acme; or (both
// "") all there are.
struct GrantScope {
  std::string hierarchy;
  std::string tenant;
};

// The story of who may do what: roles are given to operators and taken again by an admin of what
// they are over. Thread-safe; calls block. As in Registration, each call leaves what it learns in
// `event`, and may also fail as Authorization::Require does.
class Operators {
 public:
  // All outlive it.
  Operators(const LiveCatalog& catalogs, const Authorization& authorization, Registry& registry,
            const Approvals& approvals)
      : catalogs_(catalogs),
        authorization_(authorization),
        registry_(registry),
        approvals_(approvals) {}

  // What the caller may see of who may do what: the grants over what it is an auditor of.
  Result<std::vector<OperatorGrant>> List(const Call& call) const;

  // From the operator's next call on. Idempotent. A role over one hierarchy, which its file could
  // say, may take two as what widens there does: Approvals::Require(). kNotFound when the operator
  // is not registered in the system hierarchy, or there is no such hierarchy; kInvalidArgument when
  // `scope` names both.
  Result<Recorded<OperatorGrant>> Add(Call& call, const std::string& operator_name, Role role,
                                      const GrantScope& scope) const;

  // The same, and kFailedPrecondition, rule `grant.last-admin`, when nobody would be left who may
  // everything.
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
