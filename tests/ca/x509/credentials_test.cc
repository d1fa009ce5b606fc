#include "ca/x509/credentials.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "tests/fakes/must.h"
#include "tests/fakes/refusal.h"
#include "tests/fakes/temporary_folder.h"

namespace ca {
namespace {

namespace fs = std::filesystem;
using testing::Must;
using testing::Says;

class CredentialsTest : public ::testing::Test {
 protected:
  static Credentials Some(const std::string& mark) {
    return {.key_pem = Secret("key " + mark),
            .cert_pem = "cert " + mark,
            .bundle_pem = "bundle " + mark,
            .server = "ca.example:8443",
            .server_ca_pem = "server-ca " + mark};
  }

  static std::string Contents(const fs::path& path) { return Must(ReadFile(path, 1000)); }

  static mode_t ModeOf(const fs::path& path) {
    struct stat status {};
    EXPECT_EQ(stat(path.c_str(), &status), 0);
    return status.st_mode & 07777;
  }

  std::vector<std::string> NamesIn(const fs::path& folder) {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder)) {
      names.push_back(entry.path().filename().string());
    }
    std::sort(names.begin(), names.end());
    return names;
  }

  const testing::TemporaryFolder temporary_;
  const fs::path folder_ = temporary_.path() / "bot";
};

// ---- writing ------------------------------------------------------------------------------------

TEST_F(CredentialsTest, AreReadBackAsTheyWereWritten) {
  Must(Some("1").Write(folder_));
  const Credentials read = Must(Credentials::Read(folder_));
  EXPECT_EQ(read.key_pem.Reveal(), "key 1");
  EXPECT_EQ(read.cert_pem, "cert 1");
  EXPECT_EQ(read.bundle_pem, "bundle 1");
  EXPECT_EQ(read.server, "ca.example:8443");
  EXPECT_EQ(read.server_ca_pem, "server-ca 1");
}

TEST_F(CredentialsTest, HaveAKeyThatItsOwnerAloneCanRead) {
  const mode_t before = umask(0);
  Must(Some("1").Write(folder_));
  umask(before);
  EXPECT_EQ(ModeOf(folder_ / "key.pem"), 0600u);
  EXPECT_EQ(ModeOf(folder_), 0700u);
  EXPECT_EQ(ModeOf(folder_ / "cert.pem"), 0644u);
}

TEST_F(CredentialsTest, MakeTheFoldersAbove) {
  Must(Some("1").Write(folder_ / "deep" / "er"));
  EXPECT_TRUE(Credentials::Read(folder_ / "deep" / "er").ok());
}

TEST_F(CredentialsTest, TakeAFolderWithATrailingSlash) {
  Must(Some("1").Write(folder_.string() + "/"));
  EXPECT_EQ(NamesIn(temporary_.path()), std::vector<std::string>{"bot"});
}

TEST_F(CredentialsTest, TakeThePlaceOfOlderOnesAndLeaveNothingBeside) {
  Must(Some("1").Write(folder_));
  Must(Some("2").Write(folder_));
  EXPECT_EQ(Must(Credentials::Read(folder_)).cert_pem, "cert 2");
  EXPECT_EQ(NamesIn(folder_), (std::vector<std::string>{"bundle.pem", "cert.pem", "key.pem",
                                                        "server", "server-ca.pem"}));
  EXPECT_EQ(NamesIn(temporary_.path()), std::vector<std::string>{"bot"});
}

// A reader that has the old folder open still sees the five old files.
TEST_F(CredentialsTest, TakeTheirPlaceInOneStep) {
  Must(Some("1").Write(folder_));
  const fs::path seen = temporary_.path() / "seen";
  struct stat old_folder {};
  struct stat new_folder {};
  ASSERT_EQ(stat(folder_.c_str(), &old_folder), 0);
  Must(Some("2").Write(folder_));
  ASSERT_EQ(stat(folder_.c_str(), &new_folder), 0);
  EXPECT_NE(old_folder.st_ino, new_folder.st_ino) << "another folder, not five other files";
}

TEST_F(CredentialsTest, KeepTheModeOfTheFolderThatTheyReplace) {
  Must(Some("1").Write(folder_));
  fs::permissions(folder_, fs::perms(0750));
  Must(Some("2").Write(folder_));
  EXPECT_EQ(ModeOf(folder_), 0750u);
}

TEST_F(CredentialsTest, LeaveTheKeyOfItsHolderWhereItIs) {
  Must(Some("1").Write(folder_));
  Credentials without_key = Some("2");
  without_key.key_pem = Secret();
  Must(without_key.Write(folder_));
  EXPECT_EQ(Contents(folder_ / "key.pem"), "key 1");
  EXPECT_EQ(Contents(folder_ / "cert.pem"), "cert 2");
  EXPECT_EQ(ModeOf(folder_ / "key.pem"), 0600u);
}

TEST_F(CredentialsTest, HaveNoKeyWhenItsHolderBroughtACsr) {
  Credentials without_key = Some("1");
  without_key.key_pem = Secret();
  Must(without_key.Write(folder_));
  EXPECT_FALSE(fs::exists(folder_ / "key.pem"));
}

TEST_F(CredentialsTest, AreWrittenIntoAnEmptyFolder) {
  fs::create_directory(folder_);
  EXPECT_TRUE(Some("1").Write(folder_).ok());
}

TEST_F(CredentialsTest, AreNotWrittenOverOtherFiles) {
  fs::create_directory(folder_);
  std::ofstream(folder_ / "thesis.txt") << "three years of work";
  EXPECT_TRUE(Says(Some("1").Write(folder_), StatusCode::kFailedPrecondition, "thesis.txt"));
  EXPECT_EQ(NamesIn(folder_), std::vector<std::string>{"thesis.txt"});
  EXPECT_EQ(NamesIn(temporary_.path()), std::vector<std::string>{"bot"});
}

TEST_F(CredentialsTest, AreNotWrittenOverAFile) {
  std::ofstream(folder_) << "not a folder";
  EXPECT_FALSE(Some("1").Write(folder_).ok());
  EXPECT_EQ(Contents(folder_), "not a folder");
}

// ---- reading ------------------------------------------------------------------------------------

TEST_F(CredentialsTest, AreNotReadFromWhereThereAreNone) {
  EXPECT_TRUE(Says(Credentials::Read(folder_).status(), StatusCode::kNotFound, folder_.string()));
}

TEST_F(CredentialsTest, AreNotReadWhenAFileIsMissingWhichIsNamed) {
  for (const char* name : {"key.pem", "cert.pem", "bundle.pem", "server", "server-ca.pem"}) {
    Must(Some("1").Write(folder_));
    fs::remove(folder_ / name);
    EXPECT_TRUE(Says(Credentials::Read(folder_).status(), StatusCode::kNotFound, name));
  }
}

TEST_F(CredentialsTest, AreNotReadWhenOthersCanReadTheKey) {
  Must(Some("1").Write(folder_));
  for (const unsigned mode : {0640u, 0604u, 0620u, 0601u}) {
    fs::permissions(folder_ / "key.pem", fs::perms(mode));
    EXPECT_TRUE(Says(Credentials::Read(folder_).status(), StatusCode::kFailedPrecondition,
                     "chmod 600 " + (folder_ / "key.pem").string()));
  }
  fs::permissions(folder_ / "key.pem", fs::perms(0400));
  EXPECT_TRUE(Credentials::Read(folder_).ok());
}

// ---- files --------------------------------------------------------------------------------------

TEST_F(CredentialsTest, AFileIsReadWholeAndBounded) {
  std::ofstream(folder_) << std::string(1000, 'x');
  EXPECT_EQ(Must(ReadFile(folder_, 1000)), std::string(1000, 'x'));
  EXPECT_TRUE(Says(ReadFile(folder_, 999).status(), StatusCode::kInvalidArgument,
                   folder_.string() + " is larger than 999 octets"));
}

TEST_F(CredentialsTest, AFolderIsNoFile) {
  EXPECT_TRUE(Says(ReadFile(temporary_.path(), 1000).status(), StatusCode::kInvalidArgument,
                   "is a folder"));
}

TEST_F(CredentialsTest, AnEndlessFileIsBoundedToo) {
  EXPECT_EQ(ReadFile("/dev/zero", 1000).status().code(), StatusCode::kInvalidArgument);
}

TEST(PemOfTest, IsOneBlockACertificate) {
  EXPECT_EQ(PemOf({"one", "two"}), Pem("CERTIFICATE", "one") + Pem("CERTIFICATE", "two"));
  EXPECT_EQ(PemOf({}), "");
}

}  // namespace
}  // namespace ca
