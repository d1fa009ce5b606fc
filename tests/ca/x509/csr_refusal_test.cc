// Every refusal of Csr::Parse, and whether OpenSSL refuses the same request.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/core_names.h>
#include <openssl/rsa.h>

#include "ca/x509/csr.h"
#include "tests/fixtures/csr_differences.h"
#include "tests/fixtures/csr_surgery.h"

namespace ca::testing {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

using namespace std::string_literals;

CsrBuilder Builder(KeyType type = KeyType::kP256) { return CsrBuilder(SharedKey(type)); }

std::string Repeated(size_t count, const std::string& text) {
  std::string repeated;
  for (size_t i = 0; i < count; ++i) repeated += (i == 0 ? "" : ",") + text;
  return repeated;
}

EvpPkeyPtr EcKey(const char* curve) { return EvpPkeyPtr(EVP_EC_gen(curve)); }

// A P-256 key in another encoding.
EvpPkeyPtr OddlyWritten(const char* parameter, const char* value) {
  EvpPkeyPtr key = NewKey(KeyType::kP256);
  EXPECT_EQ(EVP_PKEY_set_utf8_string_param(key.get(), parameter, value), 1);
  return key;
}

Bytes SignedWithPss() {
  const EvpPkeyPtr key = SharedKey(KeyType::kRsa2048);
  const X509ReqPtr request = CsrBuilder(SharedKey(KeyType::kRsa2048)).Build();
  const EvpMdCtxPtr context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* key_context = nullptr;
  EVP_DigestSignInit(context.get(), &key_context, EVP_sha256(), nullptr, key.get());
  EVP_PKEY_CTX_set_rsa_padding(key_context, RSA_PKCS1_PSS_PADDING);
  EXPECT_GT(X509_REQ_sign_ctx(request.get(), context.get()), 0);
  return DerOf<X509_REQ, i2d_X509_REQ>(request.get());
}

// A request whose signature needs no private key.
Bytes Forged(const Bytes& spki, const DerNode& algorithm,
             const std::function<Bytes(const Bytes& info)>& sign) {
  DerNode info = ParseDer(CsrBuilder().Der())[kInfo];
  info[kSpki] = ParseDer(spki);
  const Bytes info_der = Encode(info);
  return Tlv(0x30, info_der + Encode(algorithm) + Tlv(0x03, "\0"s + sign(info_der)));
}

// With the RSA exponent one, the padded digest is its own signature.
Bytes ForgedForExponentOne(size_t modulus_size) {
  const DerNode request = ParseDer(Builder(KeyType::kRsa2048).Der());
  DerNode spki = request.children[kInfo].children[kSpki];
  const Bytes modulus = Tlv(0x02, "\0"s + Bytes(modulus_size, '\xff'));
  spki[1].content = "\0"s + Tlv(0x30, modulus + Tlv(0x02, "\x01"));
  return Forged(Encode(spki), request.children[kAlgorithm], [&](const Bytes& info) {
    // RFC 8017 section 9.2: EM = 0x00 || 0x01 || PS || 0x00 || T
    const Bytes t = *FromHex("3031300d060960864801650304020105000420") + Sha256(info);
    return "\0\x01"s + Bytes(modulus_size - 3 - t.size(), '\xff') + "\0"s + t;
  });
}

// With the identity as an Ed25519 key, R = identity and S = 0 signs every message.
Bytes ForgedForTheIdentity() {
  const DerNode request = ParseDer(Builder(KeyType::kEd25519).Der());
  DerNode spki = request.children[kInfo].children[kSpki];
  const Bytes identity = "\x01"s + Bytes(31, '\0');
  spki[1].content = "\0"s + identity;
  return Forged(Encode(spki), request.children[kAlgorithm],
                [&](const Bytes&) { return identity + Bytes(32, '\0'); });
}

struct RefusalCase {
  const char* name;
  std::function<Bytes()> request;
  const char* rule;
  const char* message;
  // True if this is one of the listed differences; false if OpenSSL refuses it as well.
  bool openssl_accepts;
};

void PrintTo(const RefusalCase& refusal, std::ostream* out) { *out << refusal.name; }

std::vector<RefusalCase> WholeRequestCases() {
  return {
      {"MoreThanTheLargestSize",
       [] {
         const std::string value(Csr::kSizeMax * 2, '0');
         return Builder().Extension("1.2.3.4", "DER:" + value).Der();
       },
       "csr.size", "octets long; send at most 16384", true},
      {"Nothing", [] { return Bytes(); }, "csr.malformed", "not a DER PKCS #10 request", false},
      {"Pem", [] { return Pem("CERTIFICATE REQUEST", Builder().Der()); }, "csr.malformed",
       "not a DER PKCS #10 request", false},
      {"OneOctetTooFew",
       [] {
         Bytes der = Builder().Der();
         der.pop_back();
         return der;
       },
       "csr.malformed", "not a DER PKCS #10 request", false},
      {"OneOctetTooMany", [] { return Builder().Der() + "\0"s; }, "csr.malformed",
       "octets after the request", true},
      {"VersionOne",
       [] { return ChangeInfo(Builder(), [](DerNode& info) { info[kVersion].content = "\x01"; }); },
       "csr.malformed", "version is not 0", true},
      {"HugeVersion",
       [] {
         return ChangeInfo(Builder(),
                           [](DerNode& info) { info[kVersion].content = "\x01" + Bytes(8, '\0'); });
       },
       "csr.malformed", "version is not 0", true},
      {"SignatureWithUnusedBits",
       [] {
         return ChangeRequest(Builder(), [](DerNode& request) {
           request[kSignature].content.front() = '\x01';
           request[kSignature].content.back() &= '\xfe';
         });
       },
       "csr.malformed", "not a whole number of octets", false},
  };
}

std::vector<RefusalCase> KeyCases() {
  const auto of_key = [](auto make_key) { return [=] { return CsrBuilder(make_key()).Der(); }; };
  return {
      {"Ed448Key",
       [] {
         EvpPkeyPtr key(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED448"));
         return CsrBuilder(std::move(key)).Digest(nullptr).Der();
       },
       "csr.key", "csr key has algorithm ED448; use p256", true},
      {"RsaPssKey",
       [] {
         const EvpPkeyCtxPtr context(EVP_PKEY_CTX_new_from_name(nullptr, "RSA-PSS", nullptr));
         EVP_PKEY* key = nullptr;
         EVP_PKEY_keygen_init(context.get());
         EVP_PKEY_generate(context.get(), &key);
         return CsrBuilder(EvpPkeyPtr(key)).Der();
       },
       "csr.key", "csr key has algorithm rsassaPss", true},
      {"P224Key", of_key([] { return EcKey("P-224"); }), "csr.key", "key is on curve secp224r1",
       true},
      {"P521Key", of_key([] { return EcKey("P-521"); }), "csr.key", "key is on curve secp521r1",
       true},
      {"Secp256k1Key", of_key([] { return EcKey("secp256k1"); }), "csr.key",
       "key is on curve secp256k1", true},
      {"ExplicitCurve",
       of_key([] { return OddlyWritten(OSSL_PKEY_PARAM_EC_ENCODING, "explicit"); }), "csr.key",
       "does not name its curve", true},
      {"CompressedPoint", of_key([] {
         return OddlyWritten(OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT, "compressed");
       }),
       "csr.key", "no uncompressed point", true},
      {"HybridPoint",
       of_key([] { return OddlyWritten(OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT, "hybrid"); }),
       "csr.key", "hybrid point", true},
      {"PointOffTheCurve",
       [] {
         return ChangeInfo(Builder(), [](DerNode& info) { info[kSpki][1].content.back() ^= 1; });
       },
       "csr.key", "not on its curve", false},
      {"KeyInBer",
       [] {
         return ChangeInfo(Builder(),
                           [](DerNode& info) { info[kSpki].length = DerNode::Length::kLong; });
       },
       "csr.key", "key is not in DER", true},
      {"RsaKeyWithoutItsNull",
       [] {
         return ChangeInfo(Builder(KeyType::kRsa2048),
                           [](DerNode& info) { info[kSpki][0].children.pop_back(); });
       },
       "csr.key", "key is not in DER", true},
      {"Ed25519KeyWithParameters",
       [] {
         return ChangeInfo(Builder(KeyType::kEd25519), [](DerNode& info) {
           info[kSpki][0].children.push_back({.tag = V_ASN1_NULL});
         });
       },
       "csr.key", "key is not in DER", false},
      {"Rsa1024Key", of_key([] { return EvpPkeyPtr(EVP_RSA_gen(1024)); }), "csr.key",
       "key is RSA with 1024 bits", true},
      {"ExponentOne", [] { return ForgedForExponentOne(256); }, "csr.key",
       "RSA exponent other than 65537", true},
      {"Rsa8192Key", [] { return ForgedForExponentOne(1024); }, "csr.key",
       "more than any allowed type", true},
      {"Ed25519Identity", [] { return ForgedForTheIdentity(); }, "csr.key", "small order", true},
      {"KeyThatIsNoKey",
       [] { return ChangeInfo(Builder(), [](DerNode& info) { info[kSpki].children.pop_back(); }); },
       "csr.key", "not a DER SubjectPublicKeyInfo", false},
  };
}

std::vector<RefusalCase> SignatureCases() {
  return {
      {"EcdsaWithSha1", [] { return Builder().Digest(EVP_sha1()).Der(); },
       "csr.signature-algorithm", "algorithm is not allowed; use ECDSA", true},
      {"RsaWithSha224", [] { return Builder(KeyType::kRsa2048).Digest(EVP_sha224()).Der(); },
       "csr.signature-algorithm", "algorithm is not allowed", true},
      {"RsaPss", SignedWithPss, "csr.signature-algorithm", "algorithm is not allowed", true},
      {"EcdsaWithNullParameters",
       [] {
         return ChangeRequest(Builder(), [](DerNode& request) {
           request[kAlgorithm].children.push_back({.tag = V_ASN1_NULL});
         });
       },
       "csr.signature-algorithm", "wrong parameters", true},
      {"RsaWithParametersOtherThanNull",
       [] {
         return ChangeRequest(Builder(KeyType::kRsa2048), [](DerNode& request) {
           request[kAlgorithm][1] = {.tag = V_ASN1_INTEGER, .content = "\x01"};
         });
       },
       "csr.signature-algorithm", "wrong parameters", true},
      {"RsaAlgorithmForAnEcKey",
       [] {
         return ChangeRequest(Builder(), [](DerNode& request) {
           request[kAlgorithm] = ParseDer(Builder(KeyType::kRsa2048).Der())[kAlgorithm];
         });
       },
       "csr.signature-algorithm", "does not fit the key", false},
      {"SignatureByAnotherKey",
       [] {
         const EvpPkeyPtr other = NewKey(KeyType::kP256);
         return SignInfo(Encode(ParseDer(Builder().Der())[kInfo]), other.get(), EVP_sha256());
       },
       "csr.proof-of-possession", "not by the key that the csr names", false},
      {"SignatureOverAnotherDigest",
       [] {
         const Bytes info = Encode(ParseDer(Builder().Der())[kInfo]);
         const EvpPkeyPtr key = SharedKey(KeyType::kP256);
         DerNode request = ParseDer(SignInfo(info, key.get(), EVP_sha384()));
         request[kAlgorithm] = ParseDer(Builder().Der())[kAlgorithm];
         return Encode(request);
       },
       "csr.proof-of-possession", "not by the key that the csr names", false},
      {"SubjectChangedAfterSigning",
       [] {
         return ChangeRequest(Builder(), [](DerNode& request) {
           FirstOfSubject(request[kInfo])[1].content.back() ^= 1;
         });
       },
       "csr.proof-of-possession", "not by the key that the csr names", false},
      {"NoSignature",
       [] {
         return ChangeRequest(Builder(),
                              [](DerNode& request) { request[kSignature].content = "\0"s; });
       },
       "csr.proof-of-possession", "not by the key that the csr names", false},
  };
}

std::vector<RefusalCase> NameCases() {
  const auto subject = [](const std::string& value) {
    return [=] { return Builder().Subject({{"CN", value}}).Der(); };
  };
  const auto alternative_name = [](const std::string& value) {
    return [=] {
      return ChangeInfo(Builder(),
                        [&](DerNode& info) { AlternativeNames(info)[0].content = value; });
    };
  };
  return {
      {"SubjectWithNul", subject("invoice-bot\0.evil"s), "csr.malformed",
       "'invoice-bot\\x00.evil' has control characters", true},
      {"SubjectWithNewline", subject("a\nb"), "csr.malformed", "has control characters", true},
      {"SubjectWithDelete", subject("a\x7f"), "csr.malformed", "has control characters", true},
      {"SubjectWithC1Control", subject("a\xc2\x9b"), "csr.malformed", "has control characters",
       true},
      {"SubjectWithBrokenUtf8",
       [] {
         return ChangeInfo(Builder(),
                           [](DerNode& info) { FirstOfSubject(info)[1].content = "\xff\xfe"; });
       },
       "csr.malformed", "not a DER PKCS #10 request", false},
      {"SubjectThatIsABitString",
       [] {
         return ChangeInfo(Builder(), [](DerNode& info) {
           FirstOfSubject(info)[1] = {.tag = V_ASN1_BIT_STRING, .content = "\0a"s};
         });
       },
       "csr.malformed", "name that is not text", true},
      {"SubjectWithTooManyAttributes",
       [] {
         return Builder().Subject({Csr::kNamesMax + 1, {"OU", "x"}}).Der();
       },
       "csr.malformed", "a name of 65 attributes; write at most 64", true},
      {"SubjectWithAHugeObjectIdentifier",
       [] {
         return ChangeInfo(Builder(), [](DerNode& info) {
           FirstOfSubject(info)[0].content = Bytes(Csr::kOidSizeMax + 1, '\x2a');
         });
       },
       "csr.malformed", "object identifier of more than 64 octets", true},
      {"UriWithNul", alternative_name("spiffe://a.example/b\0c"s), "csr.malformed",
       "'spiffe://a.example/b\\x00c' has characters other than printable ASCII", true},
      {"UriWithDelete", alternative_name("spiffe://a.example/b\x7f"), "csr.malformed",
       "other than printable ASCII", true},
      {"UriBeyondAscii", alternative_name("spiffe://a.example/b\xc3\xa4"), "csr.malformed",
       "other than printable ASCII", true},
      {"IpOfFiveOctets",
       [] {
         return ChangeInfo(Builder().SubjectAltName("IP:192.0.2.7"), [](DerNode& info) {
           AlternativeNames(info)[0].content.push_back('\0');
         });
       },
       "csr.malformed", "subjectAltName: an IP address has 4 or 16 octets, not 5", true},
      {"DirectoryNameWithNewline",
       [] {
         return ChangeInfo(Builder(), [](DerNode& info) {
           DerNode name = info[kSubject];
           FirstOfSubject(info)[1].content = "innocent";
           name[0][0][1].content = "a\nb";
           AlternativeNames(info)[0] = {.tag = 0xa4, .children = {name}};
         });
       },
       "csr.malformed", "has control characters", true},
      {"AlternativeNamesThatAreNone",
       [] {
         return ChangeInfo(Builder(), [](DerNode& info) { AlternativeNames(info).tag = 0x31; });
       },
       "csr.malformed", "subjectAltName is not DER GeneralNames", true},
      {"OctetsAfterTheAlternativeNames",
       [] {
         return ChangeInfo(Builder(), [](DerNode& info) {
           Extensions(info)[0][1].children.push_back({.tag = V_ASN1_NULL});
         });
       },
       "csr.malformed", "subjectAltName is not DER GeneralNames", true},
      {"TooManyAlternativeNames",
       [] { return Builder().SubjectAltName(Repeated(Csr::kNamesMax + 1, "DNS:a.example")).Der(); },
       "csr.malformed", "65 subjectAltNames; ask for at most 64", true},
  };
}

std::vector<RefusalCase> AttributeCases() {
  const auto changed = [](const std::function<void(DerNode&)>& change) {
    return [=] { return ChangeInfo(Builder(), change); };
  };
  return {
      {"TooManyAttributes", changed([](DerNode& info) {
         info[kAttributes].children.resize(Csr::kAttributesMax + 1, info[kAttributes][0]);
       }),
       "csr.malformed", "17 attributes; send at most 16", true},
      {"TwoExtensionRequests",
       changed([](DerNode& info) { info[kAttributes].children.push_back(info[kAttributes][0]); }),
       "csr.malformed", "two extensionRequest attributes", true},
      {"ExtensionRequestWithTwoValues",
       changed([](DerNode& info) { info[kAttributes][0][1].children.push_back(Extensions(info)); }),
       "csr.malformed", "extensionRequest has 2 values", true},
      {"ExtensionRequestWithNoValue",
       changed([](DerNode& info) { info[kAttributes][0][1] = {.tag = 0x31}; }), "csr.malformed",
       "extensionRequest has 0 values", true},
      {"ExtensionRequestThatIsNoSequence",
       changed([](DerNode& info) { Extensions(info) = {.tag = V_ASN1_NULL}; }), "csr.malformed",
       "extensionRequest is not DER Extensions", true},
      {"ExtensionWithoutValue",
       changed([](DerNode& info) { Extensions(info)[0].children.pop_back(); }), "csr.malformed",
       "extensionRequest is not DER Extensions", true},
      {"MicrosoftExtensionRequest", changed([](DerNode& info) {
         info[kAttributes][0][0].content = "\x2b\x06\x01\x04\x01\x82\x37\x02\x01\x0e";
       }),
       "csr.malformed", "Microsoft's extension request", true},
      {"AttributeWithAHugeObjectIdentifier", changed([](DerNode& info) {
         info[kAttributes][0][0].content = Bytes(Csr::kOidSizeMax + 1, '\x2a');
       }),
       "csr.malformed", "object identifier of more than 64 octets", true},
      {"TooManyExtensions",
       [] {
         CsrBuilder builder = Builder();
         for (size_t i = 0; i < Csr::kExtensionsMax; ++i) {
           builder.Extension(fmt::format("1.2.3.{}", i), "DER:0500");
         }
         return builder.Der();
       },
       "csr.malformed", "csr asks for 33 extensions; ask for at most 32", true},
      {"ExtensionTwice",
       [] {
         return Builder()
             .Extension("1.2.3.4", "DER:0500")
             .Extension("1.2.3.4", "critical,DER:0400")
             .Der();
       },
       "csr.malformed", "extension 1.2.3.4 twice", true},
      {"SubjectAltNameTwice",
       [] { return Builder().Extension("subjectAltName", "DNS:evil.example").Der(); },
       "csr.malformed", "extension subjectAltName twice", true},
  };
}

std::vector<RefusalCase> AllRefusalCases() {
  std::vector<RefusalCase> all = WholeRequestCases();
  for (const auto& cases : {KeyCases(), SignatureCases(), NameCases(), AttributeCases()}) {
    all.insert(all.end(), cases.begin(), cases.end());
  }
  return all;
}

class CsrRefusalTest : public ::testing::TestWithParam<RefusalCase> {};

TEST_P(CsrRefusalTest, NamesTheRuleAndTheFix) {
  const Bytes der = GetParam().request();
  const auto csr = Csr::Parse(der);
  ASSERT_FALSE(csr.ok());
  EXPECT_EQ(csr.status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(RuleOf(csr.status()), GetParam().rule) << csr.status();
  EXPECT_THAT(MessageOf(csr.status()), HasSubstr(GetParam().message));
  const CsrComparison comparison = CompareCsr(der);
  EXPECT_EQ(comparison.accepted_by_openssl, GetParam().openssl_accepts) << Hex(der);
  EXPECT_EQ(comparison.disagreement, "") << Hex(der);
}

INSTANTIATE_TEST_SUITE_P(, CsrRefusalTest, ::testing::ValuesIn(AllRefusalCases()),
                         [](const auto& param) { return std::string(param.param.name); });

TEST(CsrDifferencesTest, EachIsRealAndMetByARefusalAbove) {
  std::vector<const Difference*> met;
  for (const RefusalCase& refusal : AllRefusalCases()) {
    met.push_back(CompareCsr(refusal.request()).difference);
  }
  for (const Difference& difference : Differences()) {
    EXPECT_THAT(met, Contains(&difference)) << difference.message;
  }
}

}  // namespace
}  // namespace ca::testing
