#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ca/access/approvals.h"
#include "ca/access/authorization.h"
#include "ca/access/call.h"
#include "ca/authorities/authority_publication.h"
#include "ca/authorities/provisioning.h"
#include "ca/base/clock.h"
#include "ca/catalog/live_catalog.h"
#include "ca/hierarchies/hierarchy_plan.h"
#include "ca/model/hierarchy_declaration.h"
#include "ca/ports/ledger.h"

namespace ca {

// The use case of hierarchies as code: compares the declaration of a hierarchy with the hierarchy
// as it is, and makes the one into the other. Apply() may be interrupted and repeated, on any
// replica and concurrently: it keeps finished steps and makes the missing ones. Thread-safe; calls
// block.
//
// Each method may also fail as Authorization::Require does. A caller that reads needs any role over the hierarchy, a caller that
// changes it has to be an admin of it, and a caller that creates one an admin of its tenant.
class Hierarchies {
 public:
  // All outlive it.
  Hierarchies(LiveCatalog& catalogs, const Authorization& authorization,
              const HierarchyPorts& stores, KeyStore& keys, Registry& registry, Ledger& ledger,
              const Provisioning& provisioning, const AuthorityPublication& publication,
              const Approvals& approvals, const Clock& clock)
      : catalogs_(catalogs),
        authorization_(authorization),
        stores_(stores),
        keys_(keys),
        registry_(registry),
        ledger_(ledger),
        provisioning_(provisioning),
        publication_(publication),
        approvals_(approvals),
        clock_(clock) {}

  // The hierarchies over which the caller has a role; kPermissionDenied if there are none.
  Result<std::vector<HierarchyDeclaration>> List(const Call& call) const;
  // kNotFound.
  Result<HierarchyDeclaration> Get(Call& call, const std::string& name) const;

  // Returns the changes that Apply() would make, and makes none. Fails where Apply() would:
  //   kInvalidArgument     names the field
  //   kNotFound            an operator is not registered
  //   kFailedPrecondition  rule `hierarchy.fixed`: the field cannot change
  //                        rule `hierarchy.system`: the configuration describes that hierarchy
  //                        rule `hierarchy.token`: its keys are on another token
  //                        rule `root.in-use`: an authority still needs the external root
  //   kAlreadyExists       another hierarchy has its trust domain
  Result<HierarchyPlan> Plan(Call& call, const HierarchyDeclaration& wanted) const;

  // Makes the hierarchy `wanted`; a new one gets its first authorities and their OCSP responders.
  // `plan_digest` is the digest of the plan that the caller has read, in lower-case hex, or "" to
  // apply whatever the plan is now. A plan that needs an approval waits for it: Approvals::Require.
  // The errors of Plan(), and:
  //   kAborted             rule `hierarchy.plan-stale`: the plan is no longer that of `plan_digest`
  //                        without a rule: another call changed the hierarchy meanwhile
  //   kFailedPrecondition  rule `profile.in-use`
  //   kUnavailable         the token or the database is unavailable; repeat the call
  struct Applied {
    HierarchyPlan plan;
    HierarchyDeclaration declaration;  // the hierarchy as it is now
  };
  Result<Recorded<Applied>> Apply(Call& call, const HierarchyDeclaration& wanted,
                                  const std::string& plan_digest);

 private:
  struct Planned {
    std::shared_ptr<const Catalog> catalog;
    std::optional<HierarchyDeclaration> standing;
  };
  Result<Planned> Check(Call& call, Action action, const HierarchyDeclaration& wanted) const;
  Status CheckRootsLeft(const HierarchySnapshot& standing, const Hierarchy& wanted) const;
  Status CheckOperators(const Hierarchy& system, const HierarchyDeclaration& wanted) const;
  Result<std::vector<OperatorRoles>> OperatorsOf(const Catalog& catalog,
                                                 const Hierarchy& hierarchy) const;
  // Makes its authorities and their OCSP responders.
  Status EnsureWhole(const Hierarchy& wanted, const std::string& actor);
  Status EnsureOperators(const Call& call, const Hierarchy& system, const Hierarchy& hierarchy,
                         const std::vector<OperatorRoles>& standing,
                         const std::vector<OperatorRoles>& wanted);

  LiveCatalog& catalogs_;
  const Authorization& authorization_;
  const HierarchyPorts stores_;
  KeyStore& keys_;
  Registry& registry_;
  Ledger& ledger_;
  const Provisioning& provisioning_;
  const AuthorityPublication& publication_;
  const Approvals& approvals_;
  const Clock& clock_;
};

}  // namespace ca
