#pragma once

#include "tools/agentpki-bench/options.h"

namespace bench {

struct CrlOptions : CommonOptions {
  int certificates = 1000;  // revoked at once, as one agent's
  int singles = 50;         // revoked one by one, a tenth of a second apart
};

// How long it takes from an acknowledged revocation until OCSP says "revoked" (whose "good" was
// cached) and until the CRL lists it: each asked every 5 ms, which the figures therefore contain.
// Then CRL downloads a second over 64 connections, beside nginx with the same octets as a file.
ca::Status RunCrl(const CrlOptions& options);

}  // namespace bench
