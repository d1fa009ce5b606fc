#include "ca/x509/csr.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <thread>

#include "tests/fixtures/csr_differences.h"
#include "tests/fixtures/csr_surgery.h"

namespace ca::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

using namespace std::string_literals;

CsrBuilder Builder(KeyType type = KeyType::kP256) { return CsrBuilder(SharedKey(type)); }

Csr Parsed(const Bytes& der) {
  auto csr = Csr::Parse(der);
  EXPECT_TRUE(csr.ok()) << csr.status();
  return *std::move(csr);
}

class CsrOfEachKeyTypeTest : public ::testing::TestWithParam<KeyType> {};

TEST_P(CsrOfEachKeyTypeTest, HasTheKeyThatSignedIt) {
  const CsrBuilder builder(SharedKey(GetParam()));
  const Csr csr = Parsed(builder.Der());
  EXPECT_EQ(csr.public_key().type(), GetParam());
  EXPECT_EQ(csr.public_key().spki(), SpkiOf(builder.key()));
}

INSTANTIATE_TEST_SUITE_P(, CsrOfEachKeyTypeTest,
                         ::testing::Values(KeyType::kP256, KeyType::kP384, KeyType::kRsa2048,
                                           KeyType::kRsa3072, KeyType::kRsa4096, KeyType::kEd25519),
                         [](const auto& param) { return std::string(NameOf(param.param)); });

TEST(CsrTest, MayBeSignedWithEachOfTheSha2Digests) {
  for (const KeyType type : {KeyType::kP256, KeyType::kP384, KeyType::kRsa2048}) {
    for (const EVP_MD* digest : {EVP_sha256(), EVP_sha384(), EVP_sha512()}) {
      const auto csr = Csr::Parse(CsrBuilder(SharedKey(type)).Digest(digest).Der());
      EXPECT_TRUE(csr.ok()) << NameOf(type) << ' ' << EVP_MD_get0_name(digest) << csr.status();
    }
  }
}

TEST(CsrTest, HasItsSubjectInOrderAndInUtf8) {
  const Csr csr =
      Parsed(CsrBuilder().Subject({{"O", "Bäckerei"}, {"CN", "日本"}, {"1.2.3.4.5", "x"}}).Der());
  EXPECT_THAT(csr.subject(), ElementsAre(Csr::SubjectAttribute{"O", "Bäckerei"},
                                         Csr::SubjectAttribute{"CN", "日本"},
                                         Csr::SubjectAttribute{"1.2.3.4.5", "x"}));
}

TEST(CsrTest, MayHaveAnEmptySubjectAndAskForNothing) {
  const Csr csr = Parsed(CsrBuilder().Subject({}).SubjectAltName("").Der());
  EXPECT_THAT(csr.subject(), IsEmpty());
  EXPECT_THAT(csr.alternative_names(), IsEmpty());
  EXPECT_THAT(csr.extensions(), IsEmpty());
  EXPECT_THAT(csr.other_attributes(), IsEmpty());
}

TEST(CsrTest, HasAlternativeNamesOfEveryKind) {
  CsrBuilder builder;
  builder.SubjectAltName(
      "URI:spiffe://a.example/b,DNS:b.a.example,IP:192.0.2.7,IP:2001:db8::7,email:bot@a.example,"
      "RID:1.2.3.4,otherName:1.2.3.4;UTF8:text");
  const Csr csr = Parsed(builder.Der());
  EXPECT_THAT(
      csr.alternative_names(),
      ElementsAre(
          Csr::AlternativeName{"URI", "spiffe://a.example/b"},
          Csr::AlternativeName{"DNS", "b.a.example"}, Csr::AlternativeName{"IP", "192.0.2.7"},
          Csr::AlternativeName{"IP", "2001:db8::7"}, Csr::AlternativeName{"email", "bot@a.example"},
          Csr::AlternativeName{"RID", "1.2.3.4"}, Csr::AlternativeName{"otherName", ""}));
  EXPECT_THAT(csr.extensions(), IsEmpty());
}

TEST(CsrTest, HasItsExtensionsInOrderWithTheirDer) {
  const Csr csr = Parsed(CsrBuilder()
                             .Extension("keyUsage", "critical,digitalSignature")
                             .Extension("1.2.3.4", "DER:0500")
                             .Der());
  EXPECT_THAT(csr.extensions(), ElementsAre(Csr::Extension{"keyUsage", true, "\x03\x02\x07\x80"s},
                                            Csr::Extension{"1.2.3.4", false, "\x05\x00"s}));
  EXPECT_THAT(csr.alternative_names(), SizeIs(1));
}

TEST(CsrTest, NamesItsOtherAttributes) {
  const Csr csr = Parsed(CsrBuilder().ChallengePassword("open sesame").Der());
  EXPECT_THAT(csr.other_attributes(), ElementsAre("challengePassword"));
  EXPECT_THAT(csr.alternative_names(), SizeIs(1));
}

TEST(CsrTest, IsReadByManyThreadsAtOnce) {
  const Bytes der = CsrBuilder().Der();
  const Csr shared = Parsed(der);
  std::array<std::thread, 4> threads;
  for (std::thread& thread : threads) {
    thread = std::thread([&] {
      for (int round = 0; round < 50; ++round) {
        const auto csr = Csr::Parse(der);
        ASSERT_TRUE(csr.ok()) << csr.status();
        EXPECT_EQ(csr->public_key().fingerprint(), shared.public_key().fingerprint());
        EXPECT_FALSE(shared.public_key().Verifies(der, "no signature", EVP_sha256()));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

std::string Repeated(size_t count, const std::string& text) {
  std::string repeated;
  for (size_t i = 0; i < count; ++i) repeated += (i == 0 ? "" : ",") + text;
  return repeated;
}

TEST(CsrTest, IsAcceptedExactlyAtItsBounds) {
  CsrBuilder builder = Builder(KeyType::kEd25519);
  builder.Subject({Csr::kNamesMax, {"OU", "x"}});
  builder.SubjectAltName(Repeated(Csr::kNamesMax, "DNS:a.example"));
  for (size_t i = 0; i < Csr::kExtensionsMax - 2; ++i) {
    builder.Extension(fmt::format("1.2.3.{}", i), "DER:0500");
  }
  const Bytes der = ChangeInfo(builder.Extension("1.2.4", "DER:00"), [&](DerNode& info) {
    DerNode attribute =
        ParseDer(Tlv(0x30, Tlv(0x06, Bytes(Csr::kOidSizeMax, '\x2a')) + Tlv(0x31, Tlv(0x05, ""))));
    info[kAttributes].children.resize(Csr::kAttributesMax, attribute);
    // An Ed25519 signature always has the same size, so the padding can be counted.
    DerNode& padding = Extensions(info).children.back()[1];
    const size_t size = SignInfo(Encode(info), builder.key(), nullptr).size();
    padding.content.resize(Csr::kSizeMax - size - 5);
    while (SignInfo(Encode(info), builder.key(), nullptr).size() < Csr::kSizeMax) {
      padding.content.push_back('\0');
    }
  });
  EXPECT_THAT(der, SizeIs(Csr::kSizeMax));
  const Csr csr = Parsed(der);
  EXPECT_THAT(csr.subject(), SizeIs(Csr::kNamesMax));
  EXPECT_THAT(csr.alternative_names(), SizeIs(Csr::kNamesMax));
  EXPECT_THAT(csr.extensions(), SizeIs(Csr::kExtensionsMax - 1));
  EXPECT_THAT(csr.other_attributes(), SizeIs(Csr::kAttributesMax - 1));
  EXPECT_EQ(CompareCsr(der).disagreement, "");
}

TEST(CsrTest, MayLeaveOutTheAttributesAsOpenSslAllows) {
  const Bytes der = ChangeInfo(Builder(), [](DerNode& info) { info.children.pop_back(); });
  EXPECT_THAT(Parsed(der).extensions(), IsEmpty());
}

TEST(CsrTest, MayLeaveOutTheNullOfAnRsaSignature) {
  // RFC 4055 section 5: "Implementations MUST accept the parameters being absent as well as
  // present."
  const Bytes der = ChangeRequest(Builder(KeyType::kRsa2048), [](DerNode& request) {
    request[kAlgorithm].children.pop_back();
  });
  EXPECT_EQ(Parsed(der).public_key().type(), KeyType::kRsa2048);
}

TEST(CsrTest, PrintsADirectoryNameAsRfc4514Does) {
  const Bytes der = ChangeInfo(Builder().Subject({{"O", "Müller, Sohn"}}), [](DerNode& info) {
    AlternativeNames(info)[0] = {.tag = 0xa4, .children = {info[kSubject]}};
  });
  EXPECT_THAT(Parsed(der).alternative_names(),
              ElementsAre(Csr::AlternativeName{"dirName", "O=Müller\\, Sohn"}));
}

TEST(CsrTest, KnowsTheRemainingKindsOfAlternativeNames) {
  const Bytes der = ChangeInfo(Builder(), [](DerNode& info) {
    const Bytes party = Tlv(0xa1, Tlv(V_ASN1_UTF8STRING, "x"));
    AlternativeNames(info).children = {ParseDer(Tlv(0xa3, "")), ParseDer(Tlv(0xa5, party))};
  });
  EXPECT_THAT(Parsed(der).alternative_names(),
              ElementsAre(Csr::AlternativeName{"x400Address", ""},
                          Csr::AlternativeName{"ediPartyName", ""}));
}

}  // namespace
}  // namespace ca::testing
