// Compares Csr::Parse with OpenSSL's d2i_X509_REQ and X509_REQ_verify, on good requests and on tens
// of thousands of changed ones. If OpenSSL accepts a request and we refuse it, the difference must
// be on the list in csr_differences.cc. If only we accept it, or if we read it differently, that is
// a defect.
//
// Half of the changed requests are signed again after the change. Otherwise the signature would
// fail in nearly all of them, and the rest would never be compared.

#include <gtest/gtest.h>

#include <map>

#include "ca/x509/csr.h"
#include "tests/fixtures/csr_differences.h"
#include "tests/fixtures/csr_surgery.h"
#include "tests/fixtures/der_mutator.h"

namespace ca::testing {
namespace {

constexpr KeyType kKeyTypes[] = {KeyType::kP256,    KeyType::kP384,    KeyType::kRsa2048,
                                 KeyType::kRsa3072, KeyType::kRsa4096, KeyType::kEd25519};

CsrBuilder Builder(KeyType type = KeyType::kP256) { return CsrBuilder(SharedKey(type)); }

// Requests that agents and common tools send.
std::vector<CsrBuilder> GoodRequests() {
  std::vector<CsrBuilder> builders;
  for (const KeyType type : kKeyTypes) builders.push_back(Builder(type));
  for (const EVP_MD* digest : {EVP_sha384(), EVP_sha512()}) {
    for (const KeyType type : {KeyType::kP256, KeyType::kP384, KeyType::kRsa2048}) {
      builders.push_back(Builder(type).Digest(digest));
    }
  }
  builders.push_back(Builder().Subject({}).SubjectAltName(""));
  builders.push_back(Builder().Subject({{"C", "DE"},
                                        {"O", "Bäckerei Müller"},
                                        {"OU", "日本語"},
                                        {"CN", "invoice-bot"},
                                        {"serialNumber", "7"},
                                        {"1.2.3.4.5", "no short name"}}));
  builders.push_back(Builder().SubjectAltName(
      "URI:spiffe://a.example/b,DNS:b.a.example,IP:192.0.2.7,IP:2001:db8::7,"
      "email:bot@a.example,RID:1.2.3.4,otherName:1.2.3.4;UTF8:text"));
  builders.push_back(Builder()
                         .Extension("keyUsage", "critical,digitalSignature")
                         .Extension("extendedKeyUsage", "clientAuth,serverAuth")
                         .Extension("basicConstraints", "critical,CA:FALSE")
                         .Extension("1.2.3.4", "critical,DER:0500"));
  builders.push_back(Builder(KeyType::kEd25519).ChallengePassword("open sesame"));
  builders.push_back(Builder(KeyType::kRsa2048)
                         .ChallengePassword("open sesame")
                         .Extension("keyUsage", "digitalSignature"));
  return builders;
}

TEST(CsrDifferentialTest, AcceptsAndReadsGoodRequestsAsOpenSslDoes) {
  for (const CsrBuilder& builder : GoodRequests()) {
    const Bytes der = builder.Der();
    const CsrComparison comparison = CompareCsr(der);
    EXPECT_TRUE(comparison.accepted_by_us) << Csr::Parse(der).status() << '\n' << Hex(der);
    EXPECT_EQ(comparison.disagreement, "") << Hex(der);
  }
}

// Counts of the outcomes, to show that the comparison compares something.
struct Tally {
  int accepted = 0;
  int refused_by_both = 0;
  std::map<const Difference*, int> differences;
};

void Compare(const Bytes& der, Tally& tally) {
  const CsrComparison comparison = CompareCsr(der);
  ASSERT_EQ(comparison.disagreement, "") << Hex(der);
  if (comparison.accepted_by_us) {
    ++tally.accepted;
  } else if (comparison.accepted_by_openssl) {
    ++tally.differences[comparison.difference];
  } else {
    ++tally.refused_by_both;
  }
}

std::string Summary(const Tally& tally) {
  std::string summary =
      fmt::format("accepted {}, refused by both {}\n", tally.accepted, tally.refused_by_both);
  for (const auto& [difference, count] : tally.differences) {
    summary += fmt::format("{:6} {}: {}\n", count, difference->rule, difference->message);
  }
  return summary;
}

TEST(CsrDifferentialTest, AgreesWithOpenSslOnDamagedRequests) {
  constexpr int kMutationCount = 12000;
  DerMutator mutator(20261124);
  std::vector<Bytes> corpus;
  for (const CsrBuilder& builder : GoodRequests()) corpus.push_back(builder.Der());
  Tally tally;
  for (int i = 0; i < kMutationCount; ++i) {
    Bytes der = corpus[mutator.Below(corpus.size())];
    for (size_t changes = 1 + mutator.Below(2); changes > 0 && !der.empty(); --changes) {
      der = mutator.MutateOctets(der);
    }
    ASSERT_NO_FATAL_FAILURE(Compare(der, tally)) << "mutation " << i;
  }
  // One change in hundreds changes nothing: it sets a zero to zero.
  EXPECT_GT(tally.refused_by_both, kMutationCount * 9 / 10) << Summary(tally);
}

// Changes one of the parts that the signature covers and signs again, or changes the algorithm,
// which the signature does not cover.
Bytes Forged(const CsrBuilder& builder, DerMutator& mutator) {
  DerNode request = ParseDer(builder.Der());
  if (mutator.Below(10) == 0) {
    const Bytes algorithm = mutator.MutateTree(request[kAlgorithm]);
    return Tlv(0x30, Encode(request[kInfo]) + algorithm + Encode(request[kSignature]));
  }
  return SignInfo(mutator.MutateTree(request[kInfo]), builder.key(), builder.digest());
}

TEST(CsrDifferentialTest, AgreesWithOpenSslOnForgedRequestsThatAreSignedAgain) {
  constexpr int kMutationCount = 12000;
  DerMutator mutator(20261125);
  std::vector<CsrBuilder> corpus;
  for (CsrBuilder& builder : GoodRequests()) {
    // The other keys sign too slowly for this many requests.
    const int bits = EVP_PKEY_get_bits(builder.key());
    if (bits <= 256 || bits == 2048) corpus.push_back(std::move(builder));
  }
  Tally tally;
  for (int i = 0; i < kMutationCount; ++i) {
    const Bytes der = Forged(corpus[mutator.Below(corpus.size())], mutator);
    ASSERT_NO_FATAL_FAILURE(Compare(der, tally)) << "mutation " << i;
  }
  // Many requests are accepted, and most differences of the list occur, so the changes and the
  // signatures work.
  EXPECT_GT(tally.accepted, kMutationCount / 10) << Summary(tally);
  EXPECT_GT(tally.refused_by_both, kMutationCount / 10) << Summary(tally);
  EXPECT_GE(tally.differences.size(), 12u) << Summary(tally);
}

}  // namespace
}  // namespace ca::testing
