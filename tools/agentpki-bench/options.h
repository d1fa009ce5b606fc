#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include "ca/base/result.h"
#include "tools/agentpki-bench/cpu_clock.h"
#include "tools/client/output.h"

namespace bench {

// What every measurement is told.
struct CommonOptions {
  // An operator's credentials: the agents are registered with them.
  std::filesystem::path identity;
  std::string trust_domain;
  std::chrono::seconds duration = std::chrono::seconds(8);  // of each level, after its warming up
  std::vector<CpuClock::Group> processes;
  client::Format format = client::Format::kTable;
};

}  // namespace bench
