#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ca/access/approvals.h"
#include "ca/access/authorization.h"
#include "ca/authorities/provisioning.h"
#include "ca/base/clock.h"
#include "ca/catalog/live_catalog.h"
#include "ca/model/hierarchy_declaration.h"

namespace ca {

// What a plan says, in other people's words.
struct PlanText {
  std::string summary;             // for the auditor
  Bytes digest;                    // SHA-256 over what stands and what is wanted
  std::vector<std::string> lines;  // for whoever approves it, what widens first
};

// The story of hierarchies as code: what is declared of one is compared with what stands, and made
// so. Applying may be interrupted and repeated, on any replica, by several at once: what is done
// stays, what is missing is made. Thread-safe; calls block.
//
// As in Registration, each call leaves what it learns in `event`, and may also fail as
// Authorization::Require does. Reading takes any role over the hierarchy, changing it takes an
// admin of it, and making one an admin of its tenant.
class Hierarchies {
 public:
  // All outlive it.
  Hierarchies(LiveCatalog& catalogs, const Authorization& authorization, HierarchyStore& store,
              KeyStore& keys, Registry& registry, const StatusDirectory& directory,
              const Approvals& approvals, const Clock& clock)
      : catalogs_(catalogs),
        authorization_(authorization),
        store_(store),
        keys_(keys),
        registry_(registry),
        directory_(directory),
        approvals_(approvals),
        clock_(clock) {}

  // Those over which the caller has a role; kPermissionDenied when there are none.
  Result<std::vector<HierarchyDeclaration>> List(const Caller& caller) const;
  // kNotFound.
  Result<HierarchyDeclaration> Get(const Caller& caller, const std::string& name,
                                   AuditEvent& event) const;

  // What stands of the hierarchy that `wanted` is about; none when there is none. Whatever would
  // keep Apply() from making it `wanted` is an error here:
  //   kInvalidArgument     names the field
  //   kNotFound            an operator that is not registered
  //   kFailedPrecondition  rule `hierarchy.fixed`: a field that cannot change
  //                        rule `hierarchy.system`: the system hierarchy is the configuration's
  //                        rule `hierarchy.token`: its keys are on another token
  //                        rule `root.in-use`: an external root that is still needed
  //   kAlreadyExists       another hierarchy has its trust domain
  Result<std::optional<HierarchyDeclaration>> Plan(const Caller& caller,
                                                   const HierarchyDeclaration& wanted,
                                                   AuditEvent& event) const;

  // Makes it `wanted`, with its first authorities and their OCSP responders if it is new;
  // `standing` is what Plan() gave, and `plan` says what changes. What widens may take two:
  // Approvals::Require(), by plan.digest. The same errors, and:
  //   kAborted             somebody else changed it meanwhile: plan again
  //   kFailedPrecondition  rule `profile.in-use`
  //   kUnavailable         token or database are away; repeat it
  Result<HierarchyDeclaration> Apply(const Caller& caller,
                                     const std::optional<HierarchyDeclaration>& standing,
                                     const HierarchyDeclaration& wanted, const PlanText& plan,
                                     AuditEvent& event);

 private:
  struct Planned {
    std::shared_ptr<const Catalog> catalog;
    std::optional<HierarchyDeclaration> standing;
  };
  Result<Planned> Check(const Caller& caller, Action action, const HierarchyDeclaration& wanted,
                        AuditEvent& event) const;
  Status CheckRootsLeft(const Catalog& catalog, const Hierarchy& standing,
                        const Hierarchy& wanted) const;
  Status CheckOperators(const Hierarchy& system, const HierarchyDeclaration& wanted) const;
  Result<std::vector<OperatorRoles>> OperatorsOf(const Catalog& catalog,
                                                 const Hierarchy& hierarchy) const;
  // With its authorities, and whoever answers for them.
  Status EnsureWhole(const Hierarchy& wanted, const std::string& actor);
  Status EnsureOperators(const Hierarchy& system, const Hierarchy& hierarchy,
                         const std::vector<OperatorRoles>& standing,
                         const std::vector<OperatorRoles>& wanted, const AuditEvent& event);

  LiveCatalog& catalogs_;
  const Authorization& authorization_;
  HierarchyStore& store_;
  KeyStore& keys_;
  Registry& registry_;
  const StatusDirectory& directory_;
  const Approvals& approvals_;
  const Clock& clock_;
};

}  // namespace ca
