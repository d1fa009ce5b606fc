#pragma once

#include "tools/agentpki-bench/options.h"

namespace bench {

// Measures OCSP answers a second over 48 persistent connections, for one agent's certificate: the
// same question by GET and by POST, and a question with a new nonce each time, whose answer must be
// signed each time. In the same run: nginx with the same octets as a file (the upper limit), cfssl
// ocspserve with the same answer, and openssl ocsp. A baseline that is not installed is left out,
// with a hint.
ca::Status RunOcsp(const CommonOptions& options);

}  // namespace bench
