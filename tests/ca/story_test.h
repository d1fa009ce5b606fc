#pragma once

#include <gtest/gtest.h>

#include "tests/fakes/deployment.h"
#include "tests/fakes/must.h"
#include "tests/fakes/refusal.h"

namespace ca::testing {

// A deployment in memory, at a fixed instant.
class StoryTest : public ::testing::Test {
 protected:
  explicit StoryTest(TimePoint now = FakeClock().Now()) : clock_(now) {}

  FakeClock clock_;
  MemoryPorts ports_{clock_};
  Deployment deployment_{ports_, clock_};
};

}  // namespace ca::testing
