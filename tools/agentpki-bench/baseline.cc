#include "tools/agentpki-bench/baseline.h"

#include <array>
#include <cstdio>
#include <memory>
#include <string>

namespace bench {

ca::Result<OpenSslSpeed> MeasureOpenSslSpeed() {
  const auto close = [](FILE* pipe) { pclose(pipe); };
  const std::unique_ptr<FILE, decltype(close)> pipe(
      popen("openssl speed -mr -seconds 2 ecdsap256 2>/dev/null", "r"), close);
  std::array<char, 256> line{};
  while (pipe && fgets(line.data(), line.size(), pipe.get())) {
    // The format of -mr: +F4:NUMBER:BITS:SIGNS-PER-SECOND:VERIFIES-PER-SECOND
    OpenSslSpeed speed;
    if (std::sscanf(line.data(), "+F4:%*d:%*d:%lf:%lf", &speed.signs_per_second,
                    &speed.verifies_per_second) == 2) {
      return speed;
    }
  }
  return ca::Error(ca::StatusCode::kFailedPrecondition,
                   "'openssl speed -mr ecdsap256' gave no figures; is openssl installed?");
}

}  // namespace bench
