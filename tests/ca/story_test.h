#pragma once

#include <gtest/gtest.h>

#include "ca/caller.h"
#include "tests/fakes/deployment.h"
#include "tests/fakes/must.h"
#include "tests/fakes/refusal.h"

namespace ca::testing {

// A deployment in memory, at a fixed instant.
class StoryTest : public ::testing::Test {
 protected:
  explicit StoryTest(TimePoint now = FakeClock().Now()) : clock_(now) {}

  // A new operator with that role, over one hierarchy or (nullopt) over all.
  Caller OperatorWith(Role role, std::optional<HierarchyId> hierarchy = std::nullopt) {
    return OperatorWithGrant({.role = role, .hierarchy = hierarchy, .tenant = ""});
  }
  // Over a tenant.
  Caller OperatorOver(const std::string& tenant, Role role) {
    return OperatorWithGrant({.role = role, .hierarchy = std::nullopt, .tenant = tenant});
  }

  FakeClock clock_;
  MemoryPorts ports_{clock_};
  Deployment deployment_{ports_, clock_};

 private:
  Caller OperatorWithGrant(const Grant& grant) {
    const Agent agent =
        deployment_.Register(deployment_.system, fmt::format("operator/{}", ++operators_));
    AuditEvent event = EventAt(clock_.Now(), "AddGrant");
    event.hierarchy = deployment_.system.id;
    Must(ports_.registry.AddGrant(agent.id, grant, event));
    return {.id = agent.id, .hierarchy = agent.hierarchy, .serial = std::nullopt};
  }

  int operators_ = 0;
};

}  // namespace ca::testing
