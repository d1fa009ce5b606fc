#pragma once

#include "ca/base/result.h"

namespace bench {

// What `openssl speed ecdsap256` says of this machine, on one processor, right now. Rates of ours
// are worth quoting only beside it: machines differ, and so does the same machine from hour to
// hour.
struct OpenSslSpeed {
  double signs_per_second = 0;
  double verifies_per_second = 0;
};
ca::Result<OpenSslSpeed> MeasureOpenSslSpeed();

}  // namespace bench
