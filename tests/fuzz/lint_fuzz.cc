// Of all octets, the linter lets those pass that were to be signed, with their extensions in any
// order, and no others; and it reads whatever it is given.

#include <cstdio>
#include <cstdlib>
#include <set>

#include "tests/fixtures/lint_fixture.h"

namespace {

using ca::testing::LintSample;

std::multiset<ca::Bytes> ExtensionsOf(ca::BytesView tbs) {
  std::multiset<ca::Bytes> extensions;
  auto parsed = ca::testing::ParseDer(tbs);
  for (const auto& extension : parsed[ca::testing::kTbsExtensions][0].children) {
    extensions.insert(ca::testing::Encode(extension));
  }
  return extensions;
}

// The seed of every run, spoiled by the fuzzer: made here because no two keys are the same.
void Check(const LintSample& sample, const ca::IssuanceRecord& good, ca::BytesView tbs) {
  ca::IssuanceRecord record = good;
  record.tbs = tbs;
  if (!ca::FindingsOf(record, sample.terms()).empty()) return;
  if (tbs.size() == good.tbs.size() && ExtensionsOf(tbs) == ExtensionsOf(good.tbs)) return;
  fmt::print(stderr, "passed, and is another:\n{}\n{}\n", ca::Hex(tbs), ca::Hex(good.tbs));
  std::abort();
}

}  // namespace

// The input is taken for a TBSCertificate, and then for a patch of the good one: where, and what.
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, size_t size) {
  static const LintSample* const sample = new LintSample(ca::testing::AcmeProd().profiles.back());
  static const ca::IssuanceRecord* const good = new ca::IssuanceRecord(sample->Record());
  const ca::BytesView input(reinterpret_cast<const char*>(data), size);
  Check(*sample, *good, input);
  if (size < 3) return 0;
  ca::Bytes patched = good->tbs;
  const size_t at = (static_cast<size_t>(data[0]) << 8 | data[1]) % patched.size();
  patched.replace(at, data[2] % 8, input.substr(3));
  Check(*sample, *good, patched);
  return 0;
}
