#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include "ca/base/result.h"
#include "tools/agentpki-bench/cpu_clock.h"
#include "tools/client/output.h"

namespace bench {

struct IssueOptions {
  std::filesystem::path
      identity;  // an operator's credentials: the workers are registered with them
  std::string trust_domain;
  std::vector<int> concurrency = {1, 8, 64};
  std::chrono::seconds duration =
      std::chrono::seconds(8);  // of each level, after one of warming up
  std::vector<CpuClock::Group> processes;
  client::Format format = client::Format::kTable;
};

// Certificates recorded a second, in a closed loop of c agents. Each is a registered agent with a
// long-lived mTLS channel of its own and renews as soon as it has its certificate, with a new key
// each time; the CSRs are made beforehand, so that the server is measured and not the agents' key
// generation. Prints latency, processor time by process, and `openssl speed ecdsap256` of the same
// run.
ca::Status RunIssue(const IssueOptions& options);

}  // namespace bench
