// Plans: what a change needs of whom, and what exactly an approval is for.

#include "ca/hierarchies/hierarchy_plan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "tests/fakes/hierarchy_field_samples.h"

namespace ca {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using testing::FullDeclaration;
using testing::HierarchyFieldSample;
using testing::HierarchyFieldSamples;

HierarchyDeclaration With(const ApprovalPolicy& approvals) {
  HierarchyDeclaration declaration = FullDeclaration();
  declaration.hierarchy.approvals = approvals;
  return declaration;
}

bool NeedsApproval(const HierarchyDeclaration& standing, const HierarchyDeclaration& wanted) {
  return PlanOf(standing, wanted).needs_approval;
}

// ---- who has to approve -------------------------------------------------------------------------

TEST(HierarchyPlanTest, NeedsAnApprovalForEachChangeThatWidens) {
  const HierarchyDeclaration standing = With({});
  for (const HierarchyFieldSample& sample : HierarchyFieldSamples()) {
    HierarchyDeclaration wanted = standing;
    sample.change(wanted);
    const HierarchyPlan plan = PlanOf(standing, wanted);
    const bool widens = std::any_of(plan.changes.begin(), plan.changes.end(),
                                    [](const FieldChange& change) { return change.widens; });
    EXPECT_EQ(plan.needs_approval, widens) << sample.path;
  }
}

TEST(HierarchyPlanTest, NeedsNoApprovalWhereWideningTakesOne) {
  const HierarchyDeclaration standing = With({.root_rotation = false, .policy_widening = false});
  for (const HierarchyFieldSample& sample : HierarchyFieldSamples()) {
    HierarchyDeclaration wanted = standing;
    sample.change(wanted);
    wanted.hierarchy.approvals = standing.hierarchy.approvals;
    EXPECT_FALSE(NeedsApproval(standing, wanted)) << sample.path;
  }
}

TEST(HierarchyPlanTest, NeedsAnApprovalForAnotherRootWhereRootsTakeTwo) {
  const HierarchyDeclaration standing = With({.policy_widening = false});
  HierarchyDeclaration wanted = standing;
  wanted.hierarchy.external_roots = {testing::ExternalRootSample()};
  EXPECT_TRUE(NeedsApproval(standing, wanted));
  EXPECT_FALSE(NeedsApproval(wanted, wanted));
}

// Otherwise an operator that may widen alone could switch off the other approvals alone.
TEST(HierarchyPlanTest, NeedsAnApprovalToLoosenApprovalsAsLongAsThereIsOne) {
  HierarchyDeclaration standing = With(ApprovalPolicy::Off());
  standing.hierarchy.approvals.root_rotation = true;
  HierarchyDeclaration wanted = standing;
  wanted.hierarchy.approvals.root_rotation = false;
  EXPECT_TRUE(NeedsApproval(standing, wanted));
  wanted = standing;
  wanted.hierarchy.approvals.expire_after += hours(1);
  EXPECT_TRUE(NeedsApproval(standing, wanted));
  wanted = standing;
  wanted.hierarchy.approvals.destruction = true;
  EXPECT_FALSE(NeedsApproval(standing, wanted));
  standing.hierarchy.approvals.root_rotation = false;
  wanted = standing;
  wanted.hierarchy.approvals.expire_after += hours(1);
  EXPECT_FALSE(NeedsApproval(standing, wanted)) << "nothing is left to be loosened";
}

TEST(HierarchyPlanTest, NeedsNoApprovalForANewHierarchy) {
  const HierarchyPlan plan = PlanOf(std::nullopt, With({}));
  EXPECT_TRUE(plan.creates);
  EXPECT_FALSE(plan.needs_approval);
}

// ---- what is approved ---------------------------------------------------------------------------

TEST(HierarchyPlanTest, HasADigestOfExactlyTheChangeAndWhatItChangesFrom) {
  const HierarchyDeclaration standing = FullDeclaration();
  std::set<Bytes> digests = {PlanOf(std::nullopt, standing).digest,
                             PlanOf(standing, standing).digest};
  EXPECT_EQ(digests.size(), 2u);
  for (const HierarchyFieldSample& sample : HierarchyFieldSamples()) {
    HierarchyDeclaration other = standing;
    sample.change(other);
    EXPECT_TRUE(digests.insert(PlanOf(standing, other).digest).second) << sample.path;
    EXPECT_TRUE(digests.insert(PlanOf(other, standing).digest).second) << sample.path;
  }
}

TEST(HierarchyPlanTest, ShowsTheApproverFirstWhatWidens) {
  const HierarchyDeclaration standing = FullDeclaration();
  HierarchyDeclaration wanted = standing;
  wanted.hierarchy.rotate_every = hours(36);
  wanted.hierarchy.profiles[0].lifetime = hours(2);
  wanted.hierarchy.status.delta_crls.reset();
  const HierarchyPlan plan = PlanOf(standing, wanted);
  EXPECT_EQ(plan.Lines(), (std::vector<std::string>{"widens profiles.agent.lifetime: 1h -> 2h",
                                                    "widens status.delta_crls: false -> none",
                                                    "issuing.rotate_every: 90d -> 36h"}));
  EXPECT_EQ(plan.Summary(),
            "issuing.rotate_every: 90d -> 36h; profiles.agent.lifetime: 1h -> 2h; "
            "status.delta_crls: false -> none");
}

TEST(HierarchyPlanTest, NamesItselfToTheAuditorIfItIsTooLong) {
  const HierarchyPlan plan = PlanOf(std::nullopt, FullDeclaration());
  EXPECT_EQ(plan.Summary(),
            fmt::format("{} fields, plan {}", plan.changes.size(), Hex(plan.digest)));
}

}  // namespace
}  // namespace ca
