#pragma once

#include <google/protobuf/struct.pb.h>

#include <string>
#include <vector>

#include "ca/base/bytes.h"
#include "tools/agentpki-bench/child_process.h"
#include "tools/agentpki-bench/options.h"

namespace bench {

// What one thread with 64 connections asks, again and again.
struct HttpQuestion {
  std::string url;
  ca::Bytes ocsp_request;  // POSTed when it is not empty; otherwise a GET
  // Octets of ocsp_request that differ from one request to the next; "" when none do.
  ca::Bytes nonce;
  // Whether a second is asked unmeasured first. Not of a server that hangs once a load has ended.
  bool is_warmed_up = true;
};

struct HttpRate {
  std::string server;    // who answered
  std::string question;  // what
  double requests_per_second = 0;
  double p50_ms = 0;
  double p99_ms = 0;
  double failures = 0;            // not 2xx, or no answer
  double cpu_us_per_request = 0;  // of the server's processes; 0 when none is known
};

// Loads a server by `wrk -t1 -c64` for one second unmeasured, then for `duration`. CPU time is that
// of `processes` together. kFailedPrecondition when wrk is not there or does not run.
ca::Result<HttpRate> MeasureHttp(const HttpQuestion& question, std::chrono::seconds duration,
                                 const std::vector<CpuClock::Group>& processes,
                                 const TemporaryFolder& folder);

// Each beside its share of what the baselines managed: a baseline is the fastest of those whose
// server's name begins with it.
void PrintRates(const std::vector<HttpRate>& rates, const std::vector<std::string>& baselines);
google::protobuf::ListValue RatesForJson(const std::vector<HttpRate>& rates,
                                         const std::vector<std::string>& baselines);

}  // namespace bench
