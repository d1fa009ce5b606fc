// Gives libFuzzer changes that leave the DER around them intact. Its own changes seldom do.

#include <algorithm>

#include "ca/base/openssl.h"
#include "tests/fixtures/der_mutator.h"

extern "C" size_t LLVMFuzzerMutate(unsigned char* data, size_t size, size_t size_max);

extern "C" size_t LLVMFuzzerCustomMutator(unsigned char* data, size_t size, size_t size_max,
                                          unsigned int seed) {
  ca::testing::DerMutator mutator(seed);
  const auto tree = ca::testing::TryParseDer({reinterpret_cast<char*>(data), size});
  if (!tree || mutator.Below(3) == 0) return LLVMFuzzerMutate(data, size, size_max);
  const ca::Bytes mutated = mutator.MutateTree(*tree).substr(0, size_max);
  std::copy_n(ca::Octets(mutated), mutated.size(), data);
  return mutated.size();
}
