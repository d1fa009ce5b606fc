// ocsp::Request::Parse against OpenSSL's own d2i_OCSP_REQUEST, on correct requests and on tens of
// thousands of wrong ones. A request that only OpenSSL accepts must be on the list in
// request_differences.cc. A request that only we accept, or read differently, is a defect.

#include <map>

#include "tests/fixtures/der_mutator.h"
#include "tests/ocsp/request_differences.h"
#include "tests/ocsp/responder_fixture.h"

namespace ocsp::testing {
namespace {

using ca::testing::DerMutator;

class RequestDifferentialTest : public ResponderFixture {
 protected:
  RequestDifferentialTest() {
    const ca::SerialNumber serial = ca::SerialNumber::New(clock_.Now());
    constexpr std::string_view kNull("\x05\x00", 2);
    corpus_ = {
        About(serial).Der(),
        About(serial, EVP_sha256()).Der(),
        About(serial, EVP_sha384()).Der(),
        About(serial).Nonce("0123456789abcdef").Der(),
        About(serial).About(*root_, *issuer_->serial()).About(*issuer_, serial, EVP_sha256()).Der(),
        About(serial).Extension("1.2.3.4", false, kNull).Nonce("n").Der(),
        About(serial).Extension("1.2.3.4", true, kNull).Der(),
        About(serial).SingleExtension("1.2.3.4", false, kNull).Der(),
        About(serial).RequestorName("somebody").Der(),
        About(serial).Signed().Der(),
        About(serial).Signed(issuer_->x509()).Der(),
        Question().AboutOctets(*issuer_, "\1").Der(),
    };
  }

  void Check(const ca::Bytes& der) {
    const Comparison comparison = Compare(der);
    ASSERT_EQ(comparison.disagreement, "") << ca::Hex(der);
    ++(comparison.accepted_by_us        ? accepted_
       : comparison.accepted_by_openssl ? differences_[comparison.difference]
                                        : refused_by_both_);
  }

  std::string Summary() const {
    std::string summary =
        fmt::format("accepted {}, refused by both {}\n", accepted_, refused_by_both_);
    for (const auto& [difference, count] : differences_) {
      summary += fmt::format("{:6} {}\n", count, difference->message);
    }
    return summary;
  }

  std::vector<ca::Bytes> corpus_;
  int accepted_ = 0;
  int refused_by_both_ = 0;
  std::map<const Difference*, int> differences_;
};

TEST_F(RequestDifferentialTest, AgreesWithOpenSslOnGoodRequests) {
  for (const ca::Bytes& der : corpus_) ASSERT_NO_FATAL_FAILURE(Check(der));
  EXPECT_EQ(accepted_, static_cast<int>(corpus_.size()) - 1)
      << Summary();  // all but the critical one
}

TEST_F(RequestDifferentialTest, AgreesWithOpenSslOnDamagedRequests) {
  constexpr int kMutationCount = 20000;
  DerMutator mutator(20261124);
  for (int i = 0; i < kMutationCount; ++i) {
    ca::Bytes der = corpus_[mutator.Below(corpus_.size())];
    for (size_t changes = 1 + mutator.Below(2); changes > 0 && !der.empty(); --changes) {
      der = mutator.MutateOctets(der);
    }
    ASSERT_NO_FATAL_FAILURE(Check(der)) << "mutation " << i;
  }
  // A request with a changed hash, serial or signature is still a valid request.
  EXPECT_GT(accepted_, kMutationCount / 10) << Summary();
  EXPECT_GT(refused_by_both_, kMutationCount / 4) << Summary();
}

TEST_F(RequestDifferentialTest, AgreesWithOpenSslOnForgedRequests) {
  constexpr int kMutationCount = 20000;
  DerMutator mutator(20261125);
  for (int i = 0; i < kMutationCount; ++i) {
    const ca::Bytes& der = corpus_[mutator.Below(corpus_.size())];
    ASSERT_NO_FATAL_FAILURE(Check(mutator.MutateTree(ca::testing::ParseDer(der))))
        << "mutation " << i;
  }
  EXPECT_GT(accepted_, kMutationCount / 50) << Summary();
  EXPECT_GT(refused_by_both_, kMutationCount / 4) << Summary();
  EXPECT_GE(differences_.size(), 5u) << Summary();
}

}  // namespace
}  // namespace ocsp::testing
