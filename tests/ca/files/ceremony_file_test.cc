// Ceremony files.

#include "ca/files/ceremony_file.h"

#include <gtest/gtest.h>

#include <fstream>

#include "ca/x509/credentials.h"
#include "tests/fakes/must.h"
#include "tests/fakes/refusal.h"
#include "tests/fakes/temporary_folder.h"

namespace files {
namespace {

using ca::StatusCode;
using ca::testing::Must;
using ca::testing::Says;

const std::filesystem::path kExample = PROJECT_SOURCE_DIR "/deploy/ceremony/acme-prod-root.yaml";

class CeremonyFileTest : public ::testing::Test {
 protected:
  CeremonyFileTest() : text_(Must(ca::ReadFile(kExample, 1 << 20))) {}

  ca::Result<CeremonyFile> Load() {
    const std::filesystem::path path = folder_.path() / "acme.yaml";
    std::ofstream(path) << text_;
    return LoadCeremonyFile(path);
  }
  void Replace(const std::string& from, const std::string& to) {
    const size_t at = text_.find(from);
    ASSERT_NE(at, std::string::npos) << from;
    text_.replace(at, from.size(), to);
  }

  ca::testing::TemporaryFolder folder_;
  std::string text_;
};

TEST_F(CeremonyFileTest, TakesThePinForNoOtherFileHoweverItIsSpelled) {
  const std::string kept = text_;
  for (const std::string& spelled : {std::string("pin"), std::string("./pin"),
                                     std::string("x/../pin"), (folder_.path() / "pin").string()}) {
    text_ = kept;
    Replace("pin_file: pin ", "pin_file: " + spelled + " ");
    EXPECT_EQ(Must(Load()).script.pin_file, "pin") << spelled;
    Replace("certificate: root.pem", "certificate: pin");
    EXPECT_TRUE(Says(Load().status(), StatusCode::kInvalidArgument,
                     "root.certificate: 'pin' is the file of token.pin_file already"));
  }
}

TEST_F(CeremonyFileTest, TakesAPinInAnotherFolder) {
  Replace("pin_file: pin ", "pin_file: /run/ceremony/pin ");
  const CeremonyFile file = Must(Load());
  EXPECT_EQ(file.folder / file.pin_file, "/run/ceremony/pin");
}

TEST_F(CeremonyFileTest, TakesTheExample) {
  const CeremonyFile file = Must(LoadCeremonyFile(kExample));
  EXPECT_EQ(file.script.file, "acme-prod-root.yaml");
  EXPECT_EQ(file.script.digest, ca::Sha256(text_));
  EXPECT_EQ(file.script.hierarchy.Name(), "acme/prod");
  EXPECT_EQ(file.script.hierarchy.root_lifetime, std::chrono::hours(24 * 7300));
  EXPECT_EQ(file.script.root.generation, 1);
  EXPECT_EQ(file.script.issuing.at(0).csr, "issuing-1.csr");
  EXPECT_EQ(file.script.issuing.at(0).status.crl, "http://pki.acme.example/acme-prod-root-1.crl");
  EXPECT_EQ(file.script.crls.at(0).lifetime, std::chrono::hours(24 * 180));
  EXPECT_EQ(file.folder, kExample.parent_path());
  EXPECT_EQ(file.pin_file, "pin");
  EXPECT_EQ(file.script.pin_file, "pin");
}

TEST_F(CeremonyFileTest, HasDefaultsForLifetimes) {
  Replace("  lifetime: 7300d\n", "");
  Replace("    lifetime: 365d\n", "");
  Replace("\n    lifetime: 180d\n", "\n");
  const CeremonyFile file = Must(Load());
  EXPECT_EQ(file.script.hierarchy.root_lifetime, std::chrono::hours(24 * 3650));
  EXPECT_EQ(file.script.issuing.at(0).lifetime, std::chrono::hours(24 * 365));
  EXPECT_EQ(file.script.crls.at(0).lifetime, std::chrono::hours(24 * 180));
}

TEST_F(CeremonyFileTest, LetsNoIssuingAuthorityOutliveAShortRootByDefault) {
  Replace("lifetime: 7300d", "lifetime: 90d");
  Replace("    lifetime: 365d\n", "");
  EXPECT_EQ(Must(Load()).script.issuing.at(0).lifetime, std::chrono::hours(24 * 90));
}

TEST_F(CeremonyFileTest, ReadsRevocationsAndPins) {
  Replace("    # key_sha256:               #", "    key_sha256: " + std::string(64, 'a') + "  #");
  Replace("\n    lifetime: 180d\n",
          "\n    revocations:\n"
          "      - {certificate: issuing-1.pem, reason: key-compromise, at: "
          "2027-11-01T10:00:00Z}\n");
  const CeremonyFile file = Must(Load());
  EXPECT_EQ(ca::Hex(file.script.issuing.at(0).key_fingerprint), std::string(64, 'a'));
  const ca::RevocationLine line = file.script.crls.at(0).revocations.at(0);
  EXPECT_EQ(line.certificate, "issuing-1.pem");
  EXPECT_EQ(line.reason, ca::RevocationReason::kKeyCompromise);
  EXPECT_EQ(ca::Rfc3339(line.at), "2027-11-01T10:00:00Z");
}

TEST_F(CeremonyFileTest, NamesLineAndNearestKeyOfATypo) {
  Replace("  trust_domain:", "  trust_domian:");
  EXPECT_TRUE(Says(Load().status(), StatusCode::kInvalidArgument, "acme.yaml:12: "));
  EXPECT_TRUE(Says(Load().status(), StatusCode::kInvalidArgument, "trust_domain"));
}

TEST_F(CeremonyFileTest, NamesTheFieldThatCannotBe) {
  const std::tuple<const char*, const char*, const char*> changes[] = {
      {"trust_domain: prod.acme.example", "trust_domain: prod", "hierarchy: trust_domain"},
      {"10.10.0.0/16", "10.10.0.0/33", "hierarchy: ip_ranges"},
      {"    # key_sha256:  ", "    key_sha256: abcd #", "issuing.1.key_sha256: write the 64"},
      {"  pin_file: pin ", "  # ", "token: write module"},
      {"witnesses: [Ada Lovelace, Grace Hopper]", "witnesses: []", "witnesses: name 1 to 32"},
      {"\n    lifetime: 180d\n",
       "\n    revocations: [{certificate: issuing-1.pem, reason: hold, at: "
       "2027-11-01T10:00:00Z}]\n",
       "crls.1.revocations: "},
      {"\n    lifetime: 180d\n",
       "\n    revocations: [{certificate: issuing-1.pem, reason: superseded, at: yesterday}]\n",
       "crls.1.revocations: at: "},
  };
  const std::string whole = text_;
  for (const auto& [from, to, words] : changes) {
    text_ = whole;
    Replace(from, to);
    EXPECT_TRUE(Says(Load().status(), StatusCode::kInvalidArgument, words)) << words;
  }
}

}  // namespace
}  // namespace files
