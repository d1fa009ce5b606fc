// PublicKey::FromSpki must agree with OpenSSL about every input (tests/fixtures/key_differences.h).

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>

#include "tests/fixtures/key_differences.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, size_t size) {
  const ca::BytesView spki(reinterpret_cast<const char*>(data), size);
  const std::string disagreement = ca::testing::KeyDisagreement(spki);
  if (disagreement.empty()) return 0;
  fmt::print(stderr, "{}\n{}\n", disagreement, ca::Hex(spki));
  std::abort();
}
