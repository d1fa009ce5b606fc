#pragma once

#include "ca/base/result.h"

namespace bench {

// The rates of `openssl speed ecdsap256` on one processor of this machine, now. Quote our rates
// only beside them: machines differ, and one machine differs from hour to hour.
struct OpenSslSpeed {
  double signs_per_second = 0;
  double verifies_per_second = 0;
};
// Takes 4 seconds. kFailedPrecondition if openssl does not run.
ca::Result<OpenSslSpeed> MeasureOpenSslSpeed();

}  // namespace bench
