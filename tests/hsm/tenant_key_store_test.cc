// Each tenant's keys are on its token.

#include "hsm/tenant_key_store.h"

#include <gtest/gtest.h>

#include "tests/fakes/memory_key_store.h"
#include "tests/fakes/must.h"

namespace hsm {
namespace {

using ca::StatusCode;
using ca::testing::MemoryKeyStore;
using ca::testing::Must;

class TenantKeyStoreTest : public ::testing::Test {
 protected:
  const std::shared_ptr<MemoryKeyStore> common_ = std::make_shared<MemoryKeyStore>("common");
  const std::shared_ptr<MemoryKeyStore> apart_ = std::make_shared<MemoryKeyStore>("apart");
  TenantKeyStore store_{common_, {{"apart", {"acme", "initech"}, apart_}}};
};

TEST_F(TenantKeyStoreTest, ChoosesTheTokenByTheTenantInTheLabel) {
  for (const std::string label : {"acme/prod/root/1-aa", "initech/dev/issuing/1-bb"}) {
    EXPECT_EQ(store_.TokenOf(label), "apart");
    EXPECT_TRUE(store_.IsApart(label));
    Must(store_.Generate(label));
    EXPECT_TRUE(apart_->Find(label).ok());
    EXPECT_EQ(common_->Find(label).status().code(), StatusCode::kNotFound);
    EXPECT_TRUE(store_.Find(label).ok());
    EXPECT_TRUE(store_.Destroy(label).ok());
    EXPECT_EQ(apart_->Find(label).status().code(), StatusCode::kNotFound);
  }
  for (const std::string label : {"agentpki/system/root/1-aa", "acme2/prod/root/1-aa", "acme",
                                  "acm/prod/root/1-aa", "/acme/prod", ""}) {
    EXPECT_EQ(store_.TokenOf(label), "common") << label;
    EXPECT_FALSE(store_.IsApart(label)) << label;
    Must(store_.Generate(label));
    EXPECT_TRUE(common_->Find(label).ok());
  }
  EXPECT_TRUE(Must(apart_->Labels()).empty());
}

TEST_F(TenantKeyStoreTest, ShowsEachTokenByItself) {
  Must(store_.Generate("acme/prod/root/1-aa"));
  Must(common_->Generate("acme/prod/root/2-bb"));  // on the wrong token
  apart_->Fail(MemoryKeyStore::Fault::kUnavailable);
  const auto contents = store_.Contents();
  ASSERT_EQ(contents.size(), 2u);
  EXPECT_EQ(contents[0].token, "common");
  EXPECT_EQ(contents[0].labels, std::vector<std::string>{"acme/prod/root/2-bb"});
  EXPECT_EQ(contents[1].token, "apart");
  EXPECT_EQ(contents[1].status.code(), StatusCode::kUnavailable);
  EXPECT_EQ(store_.Find("acme/prod/root/2-bb").status().code(), StatusCode::kUnavailable);
}

TEST_F(TenantKeyStoreTest, NamesTheTenantsOfAnUnhealthyToken) {
  EXPECT_TRUE(store_.CheckHealth().ok());
  apart_->Fail(MemoryKeyStore::Fault::kUnavailable);
  const ca::Status health = store_.CheckHealth();
  EXPECT_EQ(health.code(), StatusCode::kUnavailable);
  EXPECT_EQ(ca::MessageOf(health), "tenants acme, initech: the token is away");
  EXPECT_TRUE(store_.common().CheckHealth().ok());
}

}  // namespace
}  // namespace hsm
