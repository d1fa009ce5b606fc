// Every certificate of an external CA is read without a fault, and one that is accepted constrains
// names as the hierarchy does, by OpenSSL's reading.

#include <cstdio>
#include <cstdlib>
#include <set>

#include "ca/issuance/external_certificate.h"
#include "ca/model/external_root.h"
#include "tests/fakes/fake_clock.h"
#include "tests/fakes/must.h"
#include "tests/fakes/samples.h"
#include "tests/fixtures/corporate_ca.h"

namespace {

using Subtrees = std::multiset<ca::Bytes>;

Subtrees Read(const STACK_OF(GENERAL_SUBTREE) * subtrees) {
  Subtrees read;
  for (int i = 0; subtrees && i < sk_GENERAL_SUBTREE_num(subtrees); ++i) {
    read.insert(
        ca::DerOf<GENERAL_NAME, i2d_GENERAL_NAME>(sk_GENERAL_SUBTREE_value(subtrees, i)->base));
  }
  return read;
}

struct Constraints {
  Subtrees permitted;
  Subtrees excluded;
};

Constraints ConstraintsOf(ca::BytesView certificate) {
  const ca::X509Ptr x509 = ca::testing::Must(ca::ParseX509(certificate));
  const ca::Owned<NAME_CONSTRAINTS, NAME_CONSTRAINTS_free> found(static_cast<NAME_CONSTRAINTS*>(
      X509_get_ext_d2i(x509.get(), NID_name_constraints, nullptr, nullptr)));
  if (!found) return {};
  return {Read(found->permittedSubtrees), Read(found->excludedSubtrees)};
}

// A hierarchy under a corporate root, and the certificate that it should get.
struct Sample {
  Sample() {
    hierarchy.external_roots = {corporate.root()};
    good = corporate.Sign(key.Csr(std::nullopt),
                          ca::testing::CorporateCa::IssuingExtensions(hierarchy));
    tbs = ca::testing::TbsOf(good);
    wanted = ConstraintsOf(good);
    ca::testing::Must(Check(good));
  }

  ca::Status Check(const ca::Bytes& certificate) const {
    return ca::CheckExternalCertificate({certificate}, hierarchy, ca::testing::PublicHalf(key), now)
        .status();
  }

  const ca::TimePoint now = ca::testing::FakeClock().Now();
  const ca::testing::CorporateCa corporate{now};
  const ca::SubjectKey key = ca::testing::NewSubjectKey();
  ca::Hierarchy hierarchy = ca::testing::AcmeProd();
  ca::Bytes good;
  ca::Bytes tbs;
  Constraints wanted;
};

void CheckSigned(const Sample& sample, ca::BytesView tbs) {
  const ca::Bytes certificate = sample.corporate.SignTbs(tbs);
  if (!sample.Check(certificate).ok()) return;
  const Constraints taken = ConstraintsOf(certificate);
  const bool is_within =
      std::set(taken.permitted.begin(), taken.permitted.end()) ==
          std::set(sample.wanted.permitted.begin(), sample.wanted.permitted.end()) &&
      std::includes(taken.excluded.begin(), taken.excluded.end(), sample.wanted.excluded.begin(),
                    sample.wanted.excluded.end());
  if (is_within) return;
  fmt::print(stderr, "taken, with other names:\n{}\n", ca::Hex(certificate));
  std::abort();
}

}  // namespace

// The input is read as a certificate, and then as a patch (position and octets) of the certificate
// that the CA signs.
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, size_t size) {
  static const Sample* const sample = new Sample();
  const ca::BytesView input(reinterpret_cast<const char*>(data), size);
  static_cast<void>(sample->Check(ca::Bytes(input)));
  static_cast<void>(ca::CheckExternalRoot(input));
  if (size < 3) return 0;
  ca::Bytes patched = sample->tbs;
  const size_t at = (static_cast<size_t>(data[0]) << 8 | data[1]) % patched.size();
  patched.replace(at, data[2] % 8, input.substr(3));
  CheckSigned(*sample, patched);
  return 0;
}
