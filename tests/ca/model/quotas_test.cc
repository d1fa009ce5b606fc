// One tenant cannot use up what the others need.

#include "ca/model/quotas.h"

#include <gtest/gtest.h>

#include "tests/fakes/fake_clock.h"
#include "tests/fakes/refusal.h"

namespace ca::testing {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

class QuotasTest : public ::testing::Test {
 protected:
  int TakeAll(const std::string& tenant) {
    int taken = 0;
    while (taken < 1000 && quotas_.TakeCertificate(tenant, clock_.Now()).ok()) ++taken;
    return taken;
  }

  FakeClock clock_;
  const Quotas quotas_{{{"acme", {.agents = 7, .certificates_per_minute = 30}},
                        {"globex", {.agents = 0, .certificates_per_minute = 1}},
                        {"initech", {}}}};
};

TEST_F(QuotasTest, GivesAMinutesWorthAtOnceAndThenEvenly) {
  EXPECT_EQ(TakeAll("acme"), 30);
  const Status refused = quotas_.TakeCertificate("acme", clock_.Now());
  EXPECT_TRUE(IsRefusal(refused, StatusCode::kResourceExhausted, "quota.certificates"));
  EXPECT_TRUE(Says(refused, StatusCode::kResourceExhausted, "retry in 2s"));
  clock_.Advance(seconds(1));
  EXPECT_EQ(TakeAll("acme"), 0);
  clock_.Advance(seconds(1));
  EXPECT_EQ(TakeAll("acme"), 1);
  clock_.Advance(minutes(10));
  EXPECT_EQ(TakeAll("acme"), 30) << "what is not taken is not kept for longer";
}

TEST_F(QuotasTest, AreOfOneTenantEach) {
  EXPECT_EQ(TakeAll("acme"), 30);
  EXPECT_EQ(TakeAll("globex"), 1);
  EXPECT_EQ(TakeAll("initech"), 1000) << "none is set";
  EXPECT_EQ(TakeAll("umbrella"), 1000) << "it is not named";
}

TEST_F(QuotasTest, AreNotGivenTwiceWhenTheClockGoesBack) {
  EXPECT_EQ(TakeAll("acme"), 30);
  clock_.Set(clock_.Now() - minutes(10));
  EXPECT_EQ(TakeAll("acme"), 0);
  clock_.Advance(minutes(10));
  EXPECT_EQ(TakeAll("acme"), 0);
}

TEST_F(QuotasTest, SayHowManyAgentsThereMayBe) {
  EXPECT_EQ(quotas_.AgentsOf("acme"), 7);
  EXPECT_EQ(quotas_.AgentsOf("globex"), 0);
  EXPECT_EQ(quotas_.AgentsOf("umbrella"), 0);
}

}  // namespace
}  // namespace ca::testing
