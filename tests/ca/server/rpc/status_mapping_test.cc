// The state of a server on the wire.

#include "ca/server/rpc/status_mapping.h"

#include <gtest/gtest.h>

#include "tests/fakes/deployment.h"

namespace server {
namespace {

class StatusMappingTest : public ::testing::Test {
 protected:
  ca::testing::FakeClock clock_;
  ca::testing::MemoryPorts ports_{clock_};
  ca::testing::Deployment deployment_{ports_, clock_};
  const ca::Agent agent_ = deployment_.Register(deployment_.acme, "billing/bot");
};

TEST_F(StatusMappingTest, WritesEveryFieldOfAnAuthority) {
  const auto root = deployment_.catalog->Find(deployment_.acme.id)->authorities().front();
  const auto message = ToProto(*root, deployment_.acme);
  EXPECT_EQ(message.kind(), "root");
  EXPECT_EQ(message.name(), "acme/prod/root/1");
  EXPECT_EQ(message.number(), static_cast<std::int64_t>(root->id()));
  EXPECT_EQ(message.generation(), 1);
  EXPECT_EQ(message.key_label(), root->key_label());
  EXPECT_EQ(message.fingerprint(), ca::Hex(ca::Sha256(root->certificate())));
  EXPECT_LT(message.not_before().seconds(), message.not_after().seconds());
}

TEST_F(StatusMappingTest, WritesAHierarchyWithItsProfilesAndAuthorities) {
  const auto message = ToProto(*deployment_.catalog->Find(deployment_.acme.id));
  EXPECT_EQ(message.name(), "acme/prod");
  EXPECT_EQ(message.trust_domain(), "prod.acme.example");
  ASSERT_EQ(message.profiles_size(), static_cast<int>(deployment_.acme.profiles.size()));
  EXPECT_EQ(message.profiles(0), deployment_.acme.profiles[0].name);
  ASSERT_EQ(message.authorities_size(), 2);
  EXPECT_EQ(message.authorities(0).kind(), "root");
  EXPECT_EQ(message.authorities(1).kind(), "issuing");
}

}  // namespace
}  // namespace server
