#pragma once

#include "tools/agentpki-bench/options.h"

namespace bench {

// OCSP answers a second over 64 persistent connections, for one agent's certificate: the same
// question, by GET and by POST, and one with a fresh nonce each time, which is to be signed each
// time. In the same run: nginx that serves the same octets as a file (the limit), cfssl ocspserve
// with the same answer, openssl ocsp. A baseline that is not installed is left out, with a hint.
ca::Status RunOcsp(const CommonOptions& options);

}  // namespace bench
