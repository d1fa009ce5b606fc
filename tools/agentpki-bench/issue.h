#pragma once

#include <vector>

#include "tools/agentpki-bench/options.h"

namespace bench {

struct IssueOptions : CommonOptions {
  std::vector<int> concurrency = {1, 8, 64};  // agents, one measurement each
};

// Measures certificates issued a second, in a closed loop: each agent has its own long-lived mTLS
// channel, and renews again as soon as it has its certificate, each time with a new key. The CSRs
// are made beforehand, so that the agents' key generation is not measured. Prints latency,
// processor time by process, and `openssl speed ecdsap256` of the same run.
ca::Status RunIssue(const IssueOptions& options);

}  // namespace bench
