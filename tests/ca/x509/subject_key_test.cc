#include "ca/x509/subject_key.h"

#include <gtest/gtest.h>

#include "ca/x509/csr.h"
#include "tests/fakes/must.h"
#include "tests/fakes/refusal.h"
#include "tests/fixtures/csr_builder.h"

namespace ca {
namespace {

using testing::Must;
using testing::Says;

constexpr KeyType kTypes[] = {KeyType::kP256, KeyType::kP384, KeyType::kEd25519};

TEST(SubjectKeyTest, IsOfTheTypeThatIsAskedFor) {
  for (const KeyType type : kTypes) {
    EXPECT_EQ(Must(PublicKey::FromSpki(Must(SubjectKey::Generate(type)).Spki())).type(), type);
  }
}

TEST(SubjectKeyTest, IsNeverMadeOfRsa) {
  EXPECT_TRUE(Says(SubjectKey::Generate(KeyType::kRsa2048).status(), StatusCode::kInvalidArgument,
                   "rsa2048 keys are not made here"));
}

TEST(SubjectKeyTest, IsNeverMadeTwice) {
  EXPECT_NE(Must(SubjectKey::Generate(KeyType::kP256)).Spki(),
            Must(SubjectKey::Generate(KeyType::kP256)).Spki());
}

TEST(SubjectKeyTest, ReadsBackThePemThatItWrote) {
  for (const KeyType type : kTypes) {
    const SubjectKey key = Must(SubjectKey::Generate(type));
    EXPECT_TRUE(key.ToPem().Reveal().starts_with("-----BEGIN PRIVATE KEY-----\n"));
    EXPECT_EQ(Must(SubjectKey::FromPem(key.ToPem())).Spki(), key.Spki());
  }
}

TEST(SubjectKeyTest, IsNotReadFromWhatIsNoKey) {
  const std::string whole(Must(SubjectKey::Generate(KeyType::kP256)).ToPem().Reveal());
  for (const std::string& pem : {std::string(), std::string("junk"), whole.substr(0, 100),
                                 Pem("PRIVATE KEY", "junk"), Pem("CERTIFICATE", "junk")}) {
    EXPECT_EQ(SubjectKey::FromPem(Secret(pem)).status().code(), StatusCode::kInvalidArgument);
  }
}

// OpenSSL would ask for the passphrase on the server's terminal.
TEST(SubjectKeyTest, IsNotReadFromAnEncryptedKey) {
  EXPECT_EQ(SubjectKey::FromPem(Secret("-----BEGIN RSA PRIVATE KEY-----\n"
                                       "Proc-Type: 4,ENCRYPTED\n"
                                       "DEK-Info: AES-128-CBC,0123456789ABCDEF0123456789ABCDEF\n"
                                       "\n"
                                       "AAAAAAAAAAAAAAAAAAAAAA==\n"
                                       "-----END RSA PRIVATE KEY-----\n"))
                .status()
                .code(),
            StatusCode::kInvalidArgument);
}

TEST(SubjectKeyTest, MakesACsrThatAsksForNothing) {
  for (const KeyType type : kTypes) {
    const SubjectKey key = Must(SubjectKey::Generate(type));
    const Csr csr = Must(Csr::Parse(key.Csr(std::nullopt)));
    EXPECT_EQ(csr.public_key().spki(), key.Spki());
    EXPECT_TRUE(csr.subject().empty());
    EXPECT_TRUE(csr.alternative_names().empty());
    EXPECT_TRUE(csr.extensions().empty());
    EXPECT_TRUE(csr.other_attributes().empty());
  }
}

TEST(SubjectKeyTest, MakesACsrThatAsksForOneSpiffeId) {
  const SpiffeId id = Must(SpiffeId::Parse("spiffe://prod.acme.example/bot"));
  const Csr csr = Must(Csr::Parse(Must(SubjectKey::Generate(KeyType::kP256)).Csr(id)));
  ASSERT_EQ(csr.alternative_names().size(), 1u);
  EXPECT_EQ(csr.alternative_names()[0],
            (Csr::AlternativeName{"URI", "spiffe://prod.acme.example/bot"}));
  EXPECT_TRUE(csr.extensions().empty());
}

}  // namespace
}  // namespace ca
