// Operators' grants on the wire.

#include "ca/server/rpc/operator_mapping.h"

#include <gtest/gtest.h>

#include "ca/model/hierarchy_declaration.h"
#include "tests/fakes/deployment.h"
#include "tests/fakes/must.h"

namespace server {
namespace {

class OperatorMappingTest : public ::testing::Test {
 protected:
  agentpki::v1::Grant Written(ca::Grant grant) const {
    const ca::SpiffeId alice = ca::testing::Must(ca::OperatorIdOf(deployment_.system, "alice"));
    return ToProto(ca::OperatorGrant{alice, std::move(grant)}, *deployment_.catalog);
  }

  ca::testing::FakeClock clock_;
  ca::testing::MemoryPorts ports_{clock_};
  ca::testing::Deployment deployment_{ports_, clock_};
};

TEST_F(OperatorMappingTest, NamesTheOperatorAndTheRole) {
  const auto message = Written({.role = ca::Role::kRegistrar, .hierarchy = std::nullopt});
  EXPECT_EQ(message.operator_(), "alice");
  EXPECT_EQ(message.role(), "registrar");
}

TEST_F(OperatorMappingTest, WritesEachScope) {
  const auto over_all = Written({.role = ca::Role::kAdmin, .hierarchy = std::nullopt});
  EXPECT_EQ(over_all.hierarchy(), "");
  EXPECT_EQ(over_all.tenant(), "");
  const auto over_one = Written({.role = ca::Role::kAdmin, .hierarchy = deployment_.acme.id});
  EXPECT_EQ(over_one.hierarchy(), "acme/prod");
  EXPECT_EQ(over_one.tenant(), "");
  const auto over_tenant =
      Written({.role = ca::Role::kAdmin, .hierarchy = std::nullopt, .tenant = "acme"});
  EXPECT_EQ(over_tenant.hierarchy(), "");
  EXPECT_EQ(over_tenant.tenant(), "acme");
}

TEST_F(OperatorMappingTest, ReadsAScope) {
  agentpki::v1::Grant grant;
  grant.set_hierarchy("acme/prod");
  EXPECT_EQ(ScopeFrom(grant).hierarchy, "acme/prod");
  EXPECT_EQ(ScopeFrom(grant).tenant, "");
  grant.set_tenant("acme");
  EXPECT_EQ(ScopeFrom(grant).tenant, "acme");
}

}  // namespace
}  // namespace server
