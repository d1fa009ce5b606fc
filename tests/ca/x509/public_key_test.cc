#include "ca/x509/public_key.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/core_names.h>

#include <array>
#include <functional>
#include <thread>

#include "tests/fixtures/csr_builder.h"
#include "tests/fixtures/der_mutator.h"
#include "tests/fixtures/key_differences.h"

namespace ca::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

using namespace std::string_literals;

constexpr KeyType kKeyTypes[] = {KeyType::kP256,    KeyType::kP384,    KeyType::kRsa2048,
                                 KeyType::kRsa3072, KeyType::kRsa4096, KeyType::kEd25519};

PublicKey Parsed(const Bytes& spki) {
  auto key = PublicKey::FromSpki(spki);
  EXPECT_TRUE(key.ok()) << key.status();
  return *std::move(key);
}

Bytes Signed(EVP_PKEY* key, const EVP_MD* digest, BytesView message) {
  const EvpMdCtxPtr context(EVP_MD_CTX_new());
  Bytes signature(static_cast<size_t>(EVP_PKEY_get_size(key)), '\0');
  size_t size = signature.size();
  EXPECT_EQ(EVP_DigestSignInit(context.get(), nullptr, digest, nullptr, key), 1);
  EXPECT_EQ(EVP_DigestSign(context.get(), MutableOctets(signature), &size, Octets(message),
                           message.size()),
            1);
  signature.resize(size);
  return signature;
}

TEST(KeyTypeTest, IsNamedAsItIsWritten) {
  for (const KeyType type : kKeyTypes) {
    const auto parsed = KeyTypeFrom(NameOf(type));
    ASSERT_TRUE(parsed.ok()) << parsed.status();
    EXPECT_EQ(*parsed, type);
  }
  EXPECT_EQ(NameOf(KeyType::kP256), "p256");
  EXPECT_EQ(NameOf(KeyType::kRsa4096), "rsa4096");
}

TEST(KeyTypeTest, OfAnUnknownNameIsRefusedWithTheKnownOnes) {
  const auto parsed = KeyTypeFrom("P-256\n");
  EXPECT_EQ(parsed.status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(MessageOf(parsed.status()),
            "'P-256\\x0a' is not a key type; use p256, p384, rsa2048, rsa3072, rsa4096 or ed25519");
}

// ---- each type

class PublicKeyOfEachTypeTest : public ::testing::TestWithParam<KeyType> {
 protected:
  const EvpPkeyPtr pair_ = SharedKey(GetParam());
  const Bytes spki_ = SpkiOf(pair_.get());
  // Null for Ed25519, which includes its digest.
  const EVP_MD* const digest_ = GetParam() == KeyType::kEd25519 ? nullptr : EVP_sha256();
};

TEST_P(PublicKeyOfEachTypeTest, IsTheKeyThatOpenSslReads) {
  const PublicKey key = Parsed(spki_);
  EXPECT_EQ(key.type(), GetParam());
  EXPECT_EQ(key.spki(), spki_);
  EXPECT_EQ(EVP_PKEY_eq(key.evp(), pair_.get()), 1);
  EXPECT_EQ(KeyDisagreement(spki_), "");
}

TEST_P(PublicKeyOfEachTypeTest, HasTheIdentifiersThatOpenSslComputes) {
  const PublicKey key = Parsed(spki_);
  const X509Ptr certificate(X509_new());
  ASSERT_EQ(X509_set_pubkey(certificate.get(), pair_.get()), 1);
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  ASSERT_EQ(X509_pubkey_digest(certificate.get(), EVP_sha1(), digest, &size), 1);
  EXPECT_EQ(key.SubjectKeyIdentifier(), Bytes(reinterpret_cast<char*>(digest), size));
  EXPECT_EQ(key.fingerprint(), Sha256(spki_));
  const unsigned char* octets = nullptr;
  int octet_count = 0;
  X509_PUBKEY_get0_param(nullptr, &octets, &octet_count, nullptr,
                         X509_get_X509_PUBKEY(certificate.get()));
  EXPECT_EQ(key.key_octets(),
            BytesView(reinterpret_cast<const char*>(octets), static_cast<size_t>(octet_count)));
}

TEST_P(PublicKeyOfEachTypeTest, VerifiesWhatItsPrivateKeySignedAndNothingElse) {
  const PublicKey key = Parsed(spki_);
  const Bytes signature = Signed(pair_.get(), digest_, "message");
  EXPECT_TRUE(key.Verifies("message", signature, digest_));
  EXPECT_FALSE(key.Verifies("massage", signature, digest_));
  EXPECT_FALSE(key.Verifies("message", "", digest_));
  EXPECT_FALSE(key.Verifies("message", signature + "\0"s, digest_));
  Bytes changed = signature;
  changed[changed.size() / 2] ^= 1;
  EXPECT_FALSE(key.Verifies("message", changed, digest_));
  const EvpPkeyPtr other =
      GetParam() == KeyType::kP256 ? NewKey(KeyType::kP256) : SharedKey(KeyType::kP256);
  EXPECT_FALSE(Parsed(SpkiOf(other.get())).Verifies("message", signature, EVP_sha256()));
}

TEST_P(PublicKeyOfEachTypeTest, VerifiesWithTheSha2DigestsOnly) {
  const PublicKey key = Parsed(spki_);
  if (GetParam() == KeyType::kEd25519) {
    EXPECT_FALSE(key.Verifies("message", Signed(pair_.get(), nullptr, "message"), EVP_sha512()));
    return;
  }
  for (const EVP_MD* digest : {EVP_sha256(), EVP_sha384(), EVP_sha512()}) {
    const Bytes signature = Signed(pair_.get(), digest, "message");
    EXPECT_TRUE(key.Verifies("message", signature, digest)) << EVP_MD_get0_name(digest);
  }
  for (const EVP_MD* digest : {EVP_sha1(), EVP_sha224(), EVP_sha3_256()}) {
    const Bytes signature = Signed(pair_.get(), digest, "message");
    EXPECT_FALSE(key.Verifies("message", signature, digest)) << EVP_MD_get0_name(digest);
  }
  EXPECT_FALSE(key.Verifies("message", Signed(pair_.get(), EVP_sha256(), "message"), nullptr));
}

INSTANTIATE_TEST_SUITE_P(, PublicKeyOfEachTypeTest, ::testing::ValuesIn(kKeyTypes),
                         [](const auto& param) { return std::string(NameOf(param.param)); });

TEST(PublicKeyTest, KeepsItsOctetsWhenMoved) {
  PublicKey key = Parsed(SpkiOf(SharedKey(KeyType::kP256).get()));
  const Bytes octets(key.key_octets());
  const PublicKey moved = std::move(key);
  EXPECT_EQ(moved.key_octets(), octets);
  EXPECT_THAT(octets, SizeIs(65));
}

TEST(PublicKeyTest, IsReadAndUsedByManyThreadsAtOnce) {
  const EvpPkeyPtr pair = NewKey(KeyType::kP256);
  const Bytes spki = SpkiOf(pair.get());
  const Bytes signature = Signed(pair.get(), EVP_sha256(), "message");
  const PublicKey shared = Parsed(spki);
  std::array<std::thread, 4> threads;
  for (std::thread& thread : threads) {
    thread = std::thread([&] {
      for (int round = 0; round < 100; ++round) {
        EXPECT_TRUE(shared.Verifies("message", signature, EVP_sha256()));
        EXPECT_TRUE(Parsed(spki).Verifies("message", signature, EVP_sha256()));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

// ---- what is refused

void ExpectRefusal(const Bytes& spki, std::string_view message) {
  const auto key = PublicKey::FromSpki(spki);
  EXPECT_EQ(key.status().code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(MessageOf(key.status()), HasSubstr(std::string(message)));
  EXPECT_EQ(KeyDisagreement(spki), "") << Hex(spki);
}

// The SubjectPublicKeyInfo of a shared key, changed.
Bytes Changed(KeyType type, const std::function<void(DerNode&)>& change) {
  DerNode spki = ParseDer(SpkiOf(SharedKey(type).get()));
  change(spki);
  return Encode(spki);
}

Bytes WrittenWith(const char* parameter, const char* value) {
  const EvpPkeyPtr key = NewKey(KeyType::kP384);
  EXPECT_EQ(EVP_PKEY_set_utf8_string_param(key.get(), parameter, value), 1);
  return SpkiOf(key.get());
}

TEST(PublicKeyTest, IsRefusedWhenDamaged) {
  const Bytes spki = SpkiOf(SharedKey(KeyType::kP256).get());
  ExpectRefusal("", "key is not a DER SubjectPublicKeyInfo");
  ExpectRefusal(spki.substr(0, spki.size() - 1), "key is not a DER SubjectPublicKeyInfo");
  ExpectRefusal(spki + "\0"s, "key has octets behind it");
  ExpectRefusal(Changed(KeyType::kRsa2048, [](DerNode& node) { node[1].content = "\0"s; }),
                "key is not an RSAPublicKey");
}

TEST(PublicKeyTest, IsRefusedOffItsCurve) {
  const auto change_y = [](DerNode& spki) { spki[1].content.back() ^= 1; };
  ExpectRefusal(Changed(KeyType::kP256, change_y), "key is a point that is not on its curve");
  ExpectRefusal(Changed(KeyType::kP384, change_y), "key is a point that is not on its curve");
  // With coordinates beyond the field, a point would have two encodings.
  const auto overflow = [](DerNode& spki) {
    spki[1].content = "\0\x04"s + Bytes(spki[1].content.size() - 2, '\xff');
  };
  ExpectRefusal(Changed(KeyType::kP256, overflow), "key is a point that is not on its curve");
  const auto infinity = [](DerNode& spki) { spki[1].content = "\0\0"s; };
  ExpectRefusal(Changed(KeyType::kP256, infinity), "key has no uncompressed point");
}

TEST(PublicKeyTest, IsRefusedUnlessItsPointIsUncompressed) {
  constexpr const char* kForm = OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT;
  ExpectRefusal(WrittenWith(kForm, "compressed"), "key has no uncompressed point");
  ExpectRefusal(WrittenWith(kForm, "hybrid"), "key has a hybrid point");
}

TEST(PublicKeyTest, IsRefusedUnlessItsCurveIsNamedAndAllowed) {
  ExpectRefusal(WrittenWith(OSSL_PKEY_PARAM_EC_ENCODING, "explicit"),
                "key does not name its curve; use the namedCurve of p256 or p384");
  for (const char* curve : {"secp224r1", "secp521r1", "secp256k1", "brainpoolP256r1"}) {
    const EvpPkeyPtr key(EVP_EC_gen(curve));
    ExpectRefusal(SpkiOf(key.get()), fmt::format("key is on curve {}; use p256 or p384", curve));
  }
}

TEST(PublicKeyTest, IsRefusedForOtherAlgorithms) {
  for (const char* algorithm : {"X25519", "ED448", "X448"}) {
    const EvpPkeyPtr key(EVP_PKEY_Q_keygen(nullptr, nullptr, algorithm));
    ExpectRefusal(SpkiOf(key.get()), fmt::format("key has algorithm {}; use p256", algorithm));
  }
}

TEST(PublicKeyTest, IsRefusedForRsaSizesBetweenTheAllowedOnes) {
  for (const size_t bits : {1024u, 2047u, 2056u}) {
    const EvpPkeyPtr key(EVP_RSA_gen(bits));
    ExpectRefusal(SpkiOf(key.get()), fmt::format("key is RSA with {} bits; use rsa2048", bits));
  }
  const Bytes modulus = Tlv(V_ASN1_INTEGER, "\0"s + Bytes(1024, '\xff'));
  const Bytes rsa8192 = Changed(KeyType::kRsa2048, [&](DerNode& spki) {
    spki[1].content = "\0"s + Tlv(0x30, modulus + Tlv(V_ASN1_INTEGER, "\x01\0\x01"s));
  });
  EXPECT_EQ(MessageOf(PublicKey::FromSpki(rsa8192).status()),
            "key takes 1062 octets, more than any allowed type; use p256, p384, rsa2048, rsa3072, "
            "rsa4096 or ed25519");
}

TEST(PublicKeyTest, IsRefusedForOtherRsaExponents) {
  for (const Bytes& exponent : {"\x01"s, "\x03"s, "\x01\0\x03"s, "\x01\0\0\0\x01"s}) {
    const Bytes spki = Changed(KeyType::kRsa2048, [&](DerNode& node) {
      DerNode rsa = ParseDer(BytesView(node[1].content).substr(1));
      rsa[1].content = exponent;
      node[1].content = "\0"s + Encode(rsa);
    });
    ExpectRefusal(spki, "key has an RSA exponent other than 65537");
  }
}

TEST(PublicKeyTest, IsRefusedInEverySpellingButOne) {
  const auto in_rsa = [](const std::function<void(DerNode&)>& change) {
    return Changed(KeyType::kRsa2048, [&](DerNode& spki) {
      DerNode rsa = ParseDer(BytesView(spki[1].content).substr(1));
      change(rsa);
      spki[1].content = "\0"s + Encode(rsa);
    });
  };
  const std::pair<const char*, Bytes> spellings[] = {
      {"p256 in BER",
       Changed(KeyType::kP256, [](DerNode& spki) { spki.length = DerNode::Length::kLong; })},
      {"ed25519 with parameters",
       Changed(KeyType::kEd25519,
               [](DerNode& spki) { spki[0].children.push_back({.tag = V_ASN1_NULL}); })},
      {"rsa in BER", Changed(KeyType::kRsa2048,
                             [](DerNode& spki) { spki.length = DerNode::Length::kIndefinite; })},
      {"rsa without NULL",
       Changed(KeyType::kRsa2048, [](DerNode& spki) { spki[0].children.pop_back(); })},
      {"modulus in BER", in_rsa([](DerNode& rsa) { rsa[0].length = DerNode::Length::kLong; })},
      {"negative modulus", in_rsa([](DerNode& rsa) { rsa[0].content.erase(0, 1); })},
      {"octets behind the RSAPublicKey",
       Changed(KeyType::kRsa2048, [](DerNode& spki) { spki[1].content.push_back('\0'); })},
  };
  for (const auto& [name, spki] : spellings) {
    SCOPED_TRACE(name);
    ExpectRefusal(spki, "key is not in DER");
  }
}

TEST(PublicKeyTest, IsRefusedForEd25519PointsThatAnyoneCanSignFor) {
  // Each y of small order, from 0, 1 and the two of order eight to -1, and 0 and 1 with p added.
  for (const char* y : {"0000000000000000000000000000000000000000000000000000000000000000",
                        "0100000000000000000000000000000000000000000000000000000000000000",
                        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
                        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
                        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"}) {
    for (const char sign : {'\0', '\x80'}) {
      Bytes octets = *FromHex(y);
      octets.back() = static_cast<char>(octets.back() | sign);
      const Bytes spki =
          Changed(KeyType::kEd25519, [&](DerNode& node) { node[1].content = "\0"s + octets; });
      ExpectRefusal(spki, "key is an Ed25519 point of small order");
    }
  }
}

// ---- against OpenSSL

TEST(PublicKeyTest, AgreesWithOpenSslOnDamagedAndForgedKeys) {
  constexpr int kMutationCount = 20000;
  DerMutator mutator(20261126);
  std::vector<Bytes> corpus;
  for (const KeyType type : kKeyTypes) corpus.push_back(SpkiOf(SharedKey(type).get()));
  for (const char* curve : {"secp224r1", "secp521r1"}) {
    corpus.push_back(SpkiOf(EvpPkeyPtr(EVP_EC_gen(curve)).get()));
  }
  int accepted = 0;
  for (int i = 0; i < kMutationCount; ++i) {
    const Bytes& seed = corpus[mutator.Below(corpus.size())];
    const Bytes spki =
        mutator.Below(2) == 0 ? mutator.MutateOctets(seed) : mutator.MutateTree(ParseDer(seed));
    ASSERT_EQ(KeyDisagreement(spki), "") << "mutation " << i << '\n' << Hex(spki);
    accepted += PublicKey::FromSpki(spki).ok() ? 1 : 0;
  }
  // A changed modulus or Ed25519 key is mostly still a valid one, so some must be accepted.
  EXPECT_GT(accepted, kMutationCount / 20);
}

}  // namespace
}  // namespace ca::testing
