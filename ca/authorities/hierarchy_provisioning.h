#pragma once

#include <string>

#include "ca/authorities/authority_maker.h"
#include "ca/catalog/hierarchy_snapshot.h"

namespace ca {

// Makes a hierarchy: its record, its first root and its first issuing authority; later, each
// successor of an issuing authority. Every call may be interrupted and repeated, by several
// processes at once; everything that exists is kept. Thread-safe; calls block. A call that makes a
// key may fail as CheckToken() does. `actor` is in the audit events.
class HierarchyProvisioning {
 public:
  // `maker` outlives it.
  explicit HierarchyProvisioning(const AuthorityMaker& maker) : maker_(maker) {}

  // Makes the parts of `wanted` that are missing, with its first root and issuing authority, and
  // returns it with its id. Under an external root the issuing authority has its key alone, and
  // issues from the first call on in which it has its certificate
  // (ca/authorities/external_issuing.h). Reads the stores once; again only when another process
  // makes the same hierarchy at this moment. kFailedPrecondition when it exists and a field
  // differs, naming the field.
  Result<Hierarchy> EnsureHierarchy(const Hierarchy& wanted, const std::string& actor) const;

  // The issuing authority that is to follow the active one, ready to issue but not issuing: the
  // newest if it has never been active and is not tainted, or a new one with a key of its own,
  // under the newest root. Under an external root it has its key, and no certificate until the
  // owner of the root has signed it. `hierarchy` has just been loaded. kAborted when another
  // process makes it at this moment.
  Result<AuthorityRecord> EnsureSuccessor(const HierarchyRecords& hierarchy,
                                          const std::string& actor) const;
  // The authority that EnsureSuccessor() would go on with; it may have no key and no certificate
  // yet. nullptr when EnsureSuccessor() would plan another one.
  const AuthorityRecord* FindSuccessor(const HierarchyRecords& hierarchy) const;

 private:
  Result<HierarchyRecords> EnsureRecord(const Hierarchy& wanted, const std::string& actor) const;
  Result<HierarchyRecords> Reload(const Hierarchy& hierarchy) const;
  Status EnsureExternalRoots(HierarchyRecords& hierarchy, const std::string& actor) const;
  Status EnsureExternalFirst(HierarchyRecords& hierarchy, const std::string& actor) const;
  Status EnsureOwnFirst(HierarchyRecords& hierarchy, const std::string& actor) const;
  Result<AuthorityRecord> EnsureFirstPlan(HierarchyRecords& hierarchy, AuthorityKind kind,
                                          AuthorityId issuer, const std::string& actor) const;
  Result<AuthorityRecord> EnsureIssuing(const HierarchyRecords& hierarchy, AuthorityRecord planned,
                                        const std::string& actor) const;
  Result<AuthorityRecord> EnsureIssuing(const Hierarchy& hierarchy, AuthorityRecord planned,
                                        const AuthorityRecord& root,
                                        const std::string& actor) const;
  Status ActivateFirst(const Hierarchy& hierarchy, const AuthorityRecord& issuing,
                       const std::string& actor) const;

  const AuthorityMaker& maker_;
};

}  // namespace ca
