#pragma once

#include <memory>
#include <optional>
#include <string>

#include "ca/authorities/authority_maker.h"
#include "ca/catalog/hierarchy_snapshot.h"

namespace ca {

// Makes the root that follows the newest one, and its cross-certificate. Every call may be
// interrupted and repeated, by several processes at once. Thread-safe; calls block. A call that
// makes a key may fail as CheckToken() does. `hierarchy` has just been loaded.
class NextRootProvisioning {
 public:
  // `maker` outlives it.
  explicit NextRootProvisioning(const AuthorityMaker& maker) : maker_(maker) {}

  // The generation of the root that EnsureNextRoot() would plan; none when the newest root is that
  // root, planned or published already. kFailedPrecondition, rules authority.roots-overlap, when
  // there are as many cross-certificates as a chain may have, and authority.root-external.
  Result<std::optional<int>> GenerationToPlan(const HierarchyRecords& hierarchy) const;

  // The root that is to follow the newest one, published and cross-certified: the newest root if no
  // issuing authority under it has ever been active, or a new one with a key of its own.
  // HierarchyProvisioning::EnsureSuccessor() then makes an authority under it. A new one uses
  // `approval_use`. `actor` is in the audit events. Errors: those of GenerationToPlan(); kAborted
  // when another process makes it at this moment.
  Result<AuthorityRecord> EnsureNextRoot(
      const HierarchyRecords& hierarchy, const std::string& actor,
      const std::shared_ptr<const AuditEvent>& approval_use) const;

 private:
  Status EnsureCrossCertificate(const HierarchyRecords& hierarchy, const AuthorityRecord& root,
                                const SigningKey& root_key, const std::string& actor) const;

  const AuthorityMaker& maker_;
};

}  // namespace ca
