#pragma once

#include "tools/agentpki-bench/options.h"

namespace bench {

struct CrlOptions : CommonOptions {
  int certificates = 1000;  // one agent's, revoked at once
  int singles = 50;         // revoked one by one, a tenth of a second apart
};

// Measures the time from an acknowledged revocation until OCSP answers "revoked" (its "good" was
// cached), and until the CRL lists it. Both are polled every 5 ms, so the figures include up to 5
// ms. Then measures CRL downloads a second over 48 connections, beside nginx with the same octets
// as a file.
ca::Status RunCrl(const CrlOptions& options);

}  // namespace bench
