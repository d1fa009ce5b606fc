// Csr::Parse must agree with OpenSSL about every input, except for the differences listed in
// tests/fixtures/csr_differences.cc.

#include <cstdio>
#include <cstdlib>

#include "tests/fixtures/csr_differences.h"
#include "tests/fixtures/csr_surgery.h"

namespace {

void Check(ca::BytesView request) {
  const ca::testing::CsrComparison comparison = ca::testing::CompareCsr(request);
  if (comparison.disagreement.empty()) return;
  fmt::print(stderr, "{}\n{}\n", comparison.disagreement, ca::Hex(request));
  std::abort();
}

// The key of the seeds whose names begin with info.
EVP_PKEY* SeedKey() {
  static const ca::Bytes octets(32, '\x42');
  static EVP_PKEY* const key =
      EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, ca::Octets(octets), octets.size());
  return key;
}

}  // namespace

// The input is read as a request, and then as a CertificationRequestInfo, which is signed here. A
// fuzzer cannot guess a signature, so without this it would never reach the code behind it.
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, size_t size) {
  const ca::BytesView input(reinterpret_cast<const char*>(data), size);
  Check(input);
  Check(ca::testing::SignInfo(input, SeedKey(), nullptr));
  return 0;
}
