#include "ca/certificates/own_agents.h"

#include "tests/fixtures/use_case_test.h"

namespace ca {
namespace {

using testing::Must;

class OwnAgentsTest : public testing::StoryTest {
 protected:
  const Agent wanted_ = testing::AgentOf(deployment_.system, "operator/admin");
  const OwnAgents own_agents_{ports_.registry, clock_, "init"};
};

TEST_F(OwnAgentsTest, RegistersAnAgentOnce) {
  const Agent first = Must(own_agents_.EnsureAgent(wanted_));
  EXPECT_EQ(first.registered_at, clock_.Now());
  const AuditEvent event = ports_.events.All().back();
  EXPECT_EQ(event.actor, "init");
  EXPECT_EQ(event.action, "RegisterAgent");
  EXPECT_EQ(event.hierarchy, deployment_.system.id);
  EXPECT_EQ(event.subject, wanted_.id.ToString());

  clock_.Advance(std::chrono::hours(1));
  const Agent again = Must(own_agents_.EnsureAgent(wanted_));
  EXPECT_EQ(again.number, first.number);
  EXPECT_EQ(again.registered_at, first.registered_at);
}

TEST_F(OwnAgentsTest, GrantsOnce) {
  const Agent admin = Must(own_agents_.EnsureAgent(wanted_));
  for (int i = 0; i < 2; ++i) {
    Must(own_agents_.EnsureGrant(admin.id, {Role::kAdmin, std::nullopt}, deployment_.system.id));
  }
  const auto grants = Must(ports_.registry.FindGrants(admin.id));
  ASSERT_EQ(grants.size(), 1u);
  EXPECT_EQ(grants[0].role, Role::kAdmin);
  EXPECT_EQ(ports_.events.All().back().action, "AddGrant");
}

}  // namespace
}  // namespace ca
