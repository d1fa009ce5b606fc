#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ca/base/bytes.h"
#include "ca/model/hierarchy_declaration.h"
#include "ca/model/hierarchy_fields.h"

namespace ca {

// The effect of `hierarchy apply`, field by field: an operator reads it, and an admin approves it.
struct HierarchyPlan {
  static constexpr size_t kSummaryMax = 1024;  // octets

  std::string hierarchy;             // acme/prod
  bool creates = false;              // there is no hierarchy of that name yet
  std::vector<FieldChange> changes;  // in the order of the file
  // SHA-256 over the whole declaration that stands, if any, and the whole one that is wanted: an
  // approval of it is for exactly this change, from exactly this state.
  Bytes digest;
  bool needs_approval = false;  // a second admin has to approve it

  // For the audit log: the changes, or their number and the digest if they exceed kSummaryMax.
  std::string Summary() const;
  // For the admin that approves it: one change a line, those that widen first.
  std::vector<std::string> Lines() const;
};

// Plans the change from `standing`, or a new hierarchy if there is none. Pure: it does not check
// whether the change is possible (see Hierarchies).
HierarchyPlan PlanOf(const std::optional<HierarchyDeclaration>& standing,
                     const HierarchyDeclaration& wanted);

}  // namespace ca
