// The linter passes the octets that were prepared, with their extensions in any order, and no
// others; and it reads every input without a fault.

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

// The certificate that the fuzzer changes. Each run makes its own, because each has another key.
void Check(const LintSample& sample, const ca::IssuanceRecord& good, ca::BytesView tbs) {
  ca::IssuanceRecord record = good;
  record.tbs = tbs;
  if (!ca::FindingsOf(record, sample.terms()).empty()) return;
  if (tbs.size() == good.tbs.size() && ExtensionsOf(tbs) == ExtensionsOf(good.tbs)) return;
  fmt::print(stderr, "passed, and is another:\n{}\n{}\n", ca::Hex(tbs), ca::Hex(good.tbs));
  std::abort();
}

}  // namespace

// The input is read as a TBSCertificate, and then as a patch (position and octets) of the good one.
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
