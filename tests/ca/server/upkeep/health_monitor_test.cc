// A component that every tenant needs decides whether a server serves; others are only reported.

#include "ca/server/upkeep/health_monitor.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>

namespace server {
namespace {

ca::Status Away() { return ca::Error(ca::StatusCode::kUnavailable, "away"); }

// The first word of a monitor, and its components then.
struct Told {
  bool is_well = false;
  std::vector<Component> components;
};
Told FirstOf(std::vector<HealthMonitor::Check> checks) {
  std::promise<bool> told;
  std::atomic<bool> is_told = false;
  HealthMonitor monitor(std::move(checks), [&](bool is_well) {
    if (!is_told.exchange(true)) told.set_value(is_well);
  });
  const bool is_well = told.get_future().get();
  return {is_well, monitor.Components()};
}

TEST(HealthMonitorTest, IsNotWellWithoutWhatAllNeed) {
  const Told told = FirstOf({{"database", [] { return ca::Ok(); }}, {"token", Away}});
  EXPECT_FALSE(told.is_well);
  ASSERT_EQ(told.components.size(), 2u);
  EXPECT_TRUE(told.components[0].healthy);
  EXPECT_FALSE(told.components[1].healthy);
  EXPECT_EQ(told.components[1].detail, "away");
}

TEST(HealthMonitorTest, IsWellWithoutWhatSomeTenantsNeedAndSaysSo) {
  const Told told =
      FirstOf({{"token", [] { return ca::Ok(); }}, {"token globex", Away, {"globex", "initech"}}});
  EXPECT_TRUE(told.is_well);
  ASSERT_EQ(told.components.size(), 2u);
  EXPECT_FALSE(told.components[1].healthy);
  EXPECT_EQ(told.components[1].tenants, (std::set<std::string>{"globex", "initech"}));
}

}  // namespace
}  // namespace server
