#pragma once

#include <vector>

#include "tools/agentpki-bench/options.h"

namespace bench {

struct IssueOptions : CommonOptions {
  std::vector<int> concurrency = {1, 8, 64};
};

// Certificates recorded a second, in a closed loop of c agents. Each is a registered agent with a
// long-lived mTLS channel of its own and renews as soon as it has its certificate, with a new key
// each time; the CSRs are made beforehand, so that the server is measured and not the agents' key
// generation. Prints latency, processor time by process, and `openssl speed ecdsap256` of the same
// run.
ca::Status RunIssue(const IssueOptions& options);

}  // namespace bench
