#include "ca/hierarchies/hierarchy_plan.h"

#include <algorithm>

namespace ca {
namespace {

// issuing.rotate_every: 90d -> 30d
std::string TextOf(const FieldChange& change) {
  return fmt::format("{}: {} -> {}", change.field, change.before.empty() ? "none" : change.before,
                     change.after.empty() ? "none" : change.after);
}

bool NeedsApproval(const Hierarchy& standing, const Hierarchy& wanted,
                   const std::vector<FieldChange>& changes) {
  const ApprovalPolicy& approvals = standing.approvals;
  // As long as anything takes two operators, one alone cannot switch that off, even where widening
  // takes only one.
  if (approvals.IsLoosenedBy(wanted.approvals)) return true;
  if (approvals.root_rotation && !standing.TrustsExternalRootsOf(wanted)) return true;
  return approvals.policy_widening &&
         std::any_of(changes.begin(), changes.end(),
                     [](const FieldChange& change) { return change.widens; });
}

}  // namespace

std::string HierarchyPlan::Summary() const {
  std::string summary;
  for (const FieldChange& change : changes) {
    summary += (summary.empty() ? "" : "; ") + TextOf(change);
  }
  if (summary.size() <= kSummaryMax) return summary;
  return fmt::format("{} fields, plan {}", changes.size(), Hex(digest));
}

std::vector<std::string> HierarchyPlan::Lines() const {
  std::vector<std::string> lines;
  for (const bool widens : {true, false}) {
    for (const FieldChange& change : changes) {
      if (change.widens == widens) lines.push_back((widens ? "widens " : "") + TextOf(change));
    }
  }
  return lines;
}

HierarchyPlan PlanOf(const std::optional<HierarchyDeclaration>& standing,
                     const HierarchyDeclaration& wanted) {
  HierarchyPlan plan{.hierarchy = wanted.hierarchy.Name(),
                     .creates = !standing,
                     .changes = ChangesOf(standing, wanted),
                     .digest = Sha256((standing ? DigestOf(*standing) : "") + DigestOf(wanted))};
  plan.needs_approval =
      standing && NeedsApproval(standing->hierarchy, wanted.hierarchy, plan.changes);
  return plan;
}

}  // namespace ca
