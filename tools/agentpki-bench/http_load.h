#pragma once

#include <google/protobuf/struct.pb.h>

#include <string>
#include <vector>

#include "ca/base/bytes.h"
#include "tools/agentpki-bench/child_process.h"
#include "tools/agentpki-bench/options.h"

namespace bench {

// The request that one thread with 48 connections repeats.
struct HttpQuestion {
  std::string url;
  ca::Bytes ocsp_request;  // POSTed when it is not empty; otherwise a GET
  // The octets of ocsp_request that each request replaces by others. "" if all requests are equal.
  ca::Bytes nonce;
  // Whether one second of load goes first and is not measured. False for a server that hangs after
  // a load has ended.
  bool is_warmed_up = true;
};

struct HttpRate {
  std::string server;
  std::string question;
  double requests_per_second = 0;
  double p50_ms = 0;
  double p99_ms = 0;
  double failures = 0;            // answers that are not 2xx, and missing answers
  double cpu_us_per_request = 0;  // of the server's processes; 0 if none is known
};

// One measurement: the server, and the question that it is asked.
struct HttpLoad {
  std::string server;    // its name in the output
  std::string question;  // its description in the output
  HttpQuestion asked;
  std::vector<CpuClock::Group> processes;  // of the server; their CPU time is summed
};

// Loads a server by `wrk -t1 -c48` for `duration`, and before that for one second that is not
// measured. Says so on stderr. kFailedPrecondition if wrk is not installed or fails.
ca::Result<HttpRate> MeasureHttp(const HttpLoad& load, std::chrono::seconds duration,
                                 const TemporaryFolder& folder);

// Prints each rate with its ratio to each baseline: the fastest rate of the servers whose name
// begins with the baseline's.
void PrintRates(const std::vector<HttpRate>& rates, const std::vector<std::string>& baselines);
google::protobuf::ListValue RatesForJson(const std::vector<HttpRate>& rates,
                                         const std::vector<std::string>& baselines);

}  // namespace bench
