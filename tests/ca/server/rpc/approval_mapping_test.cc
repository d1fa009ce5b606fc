// Approvals on the wire.

#include "ca/server/rpc/approval_mapping.h"

#include <gtest/gtest.h>

#include "ca/model/hierarchy_declaration.h"
#include "tests/fakes/deployment.h"
#include "tests/fakes/must.h"

namespace server {
namespace {

class ApprovalMappingTest : public ::testing::Test {
 protected:
  ca::SpiffeId Operator(const std::string& name) const {
    return ca::testing::Must(ca::OperatorIdOf(deployment_.system, name));
  }

  ca::Approval Requested() const {
    return {.id = "0123456789abcdef",
            .hierarchy = deployment_.acme.id,
            .kind = ca::ApprovalKind::kRootRotation,
            .digest = ca::Bytes(32, 'd'),
            .changes = {"one", "two"},
            .requested_by = Operator("alice"),
            .requested_at = clock_.Now(),
            .expires_at = clock_.Now() + std::chrono::hours(1),
            .decision = std::nullopt,
            .used_at = std::nullopt,
            .withdrawn_at = std::nullopt};
  }

  ca::testing::FakeClock clock_;
  ca::testing::MemoryPorts ports_{clock_};
  ca::testing::Deployment deployment_{ports_, clock_};
};

TEST_F(ApprovalMappingTest, WritesEveryFieldOfAPendingApproval) {
  const auto message = ToProto(Requested(), *deployment_.catalog, clock_.Now());
  EXPECT_EQ(message.id(), "0123456789abcdef");
  EXPECT_EQ(message.hierarchy(), "acme/prod");
  EXPECT_EQ(message.kind(), "root-rotation");
  EXPECT_EQ(message.state(), "pending");
  ASSERT_EQ(message.changes_size(), 2);
  EXPECT_EQ(message.changes(1), "two");
  EXPECT_EQ(message.digest(), ca::Hex(ca::Bytes(32, 'd')));
  EXPECT_EQ(message.requested_by(), "alice");
  EXPECT_EQ(message.expires_at().seconds() - message.requested_at().seconds(), 3600);
  EXPECT_FALSE(message.has_decided_at());
  EXPECT_FALSE(message.has_used_at());
  EXPECT_FALSE(message.has_withdrawn_at());
}

TEST_F(ApprovalMappingTest, WritesTheDecisionAndTheEnd) {
  ca::Approval approval = Requested();
  approval.decision = ca::ApprovalDecision{.verdict = ca::Verdict::kApprove,
                                           .by = Operator("bob"),
                                           .at = clock_.Now(),
                                           .reason = "as planned"};
  EXPECT_EQ(ToProto(approval, *deployment_.catalog, clock_.Now()).state(), "approved");
  approval.used_at = clock_.Now();
  const auto message = ToProto(approval, *deployment_.catalog, clock_.Now());
  EXPECT_EQ(message.state(), "done");
  EXPECT_EQ(message.decided_by(), "bob");
  EXPECT_TRUE(message.has_decided_at());
  EXPECT_EQ(message.reason(), "as planned");
  EXPECT_TRUE(message.has_used_at());
}

}  // namespace
}  // namespace server
