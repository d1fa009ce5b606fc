#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include "ca/base/result.h"
#include "tools/agentpki-bench/cpu_clock.h"
#include "tools/client/output.h"

namespace bench {

// The options of all measurements.
struct CommonOptions {
  // An operator's credentials, to register the agents with.
  std::filesystem::path identity;
  std::string trust_domain;
  std::chrono::seconds duration =
      std::chrono::seconds(8);             // of each measurement, after the warm-up
  std::vector<CpuClock::Group> processes;  // whose processor time is counted
  client::Format format = client::Format::kTable;
};

}  // namespace bench
