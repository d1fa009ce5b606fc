#include "hsm/pin.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace hsm {
namespace {

namespace fs = std::filesystem;

class PinTest : public ::testing::Test {
 public:
  PinTest() {
    std::string name = (fs::temp_directory_path() / "pin.XXXXXX").string();
    folder_ = mkdtemp(name.data());
  }
  ~PinTest() override {
    fs::remove_all(folder_);
    unsetenv("CREDENTIALS_DIRECTORY");
  }

  std::string File(const std::string& content, mode_t mode = 0600) {
    const fs::path path = folder_ / "pin";
    std::ofstream(path) << content;
    chmod(path.c_str(), mode);
    return path;
  }

  static void ExpectRefusal(const ca::Result<ca::Secret>& result, const std::string& what) {
    ASSERT_FALSE(result.ok());
    EXPECT_EQ(result.status().code(), ca::StatusCode::kFailedPrecondition);
    EXPECT_NE(ca::MessageOf(result.status()).find(what), std::string::npos)
        << result.status().ToString();
  }

  fs::path folder_;
};

TEST_F(PinTest, IsTheFirstLine) {
  EXPECT_EQ(ReadPinFile(File("0815\n"))->Reveal(), "0815");
  EXPECT_EQ(ReadPinFile(File("0815"))->Reveal(), "0815");
  EXPECT_EQ(ReadPinFile(File("0815\r\n"))->Reveal(), "0815");
  EXPECT_EQ(ReadPinFile(File(" two words \n", 0400))->Reveal(), " two words ");
}

TEST_F(PinTest, MayBeAsLongAsSoftHsmAllowsAndNoLonger) {
  const std::string longest(kPinSizeMax, '7');
  EXPECT_EQ(ReadPinFile(File(longest + "\n"))->Reveal(), longest);
  ExpectRefusal(ReadPinFile(File(longest + "7")), "longer than 255 octets");
  ExpectRefusal(ReadPinFile(File(std::string(100'000, '7'))), "longer than 255 octets");
}

TEST_F(PinTest, IsRefusedFromAFileThatOthersCanReach) {
  for (const mode_t mode : {0640, 0604, 0620, 0602, 0610, 0601}) {
    ExpectRefusal(ReadPinFile(File("0815\n", mode)), "run: chmod 600 " + folder_.string());
  }
}

TEST_F(PinTest, NamesTheFileThatIsMissing) {
  ExpectRefusal(ReadPinFile(folder_ / "nothing"), (folder_ / "nothing").string());
  ExpectRefusal(ReadPinFile(folder_ / "nothing"), "No such file");
}

TEST_F(PinTest, IsRefusedFromAnythingButARegularFile) {
  ExpectRefusal(ReadPinFile(folder_), "is not a regular file");
  const fs::path pipe = folder_ / "pipe";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  ExpectRefusal(ReadPinFile(pipe), "is not a regular file");
}

TEST_F(PinTest, IsRefusedWhenItIsNotOneLineOfText) {
  ExpectRefusal(ReadPinFile(File("")), "is empty");
  ExpectRefusal(ReadPinFile(File("\n")), "is empty");
  ExpectRefusal(ReadPinFile(File("0815\n4711\n")), "a second line");
  ExpectRefusal(ReadPinFile(File(std::string("08\0"
                                             "15\n",
                                             6))),
                "a control character");
}

TEST_F(PinTest, NeverShowsInARefusal) {
  const auto result = ReadPinFile(File("0815\n4711\n"));
  EXPECT_EQ(ca::MessageOf(result.status()).find("0815"), std::string::npos);
}

TEST_F(PinTest, IsReadFromTheServicesCredential) {
  File("0815\n", 0440);  // the mode that stat shows for a credential of a service with User=
  setenv("CREDENTIALS_DIRECTORY", folder_.c_str(), 1);
  EXPECT_EQ(ReadPinCredential("pin")->Reveal(), "0815");
}

TEST_F(PinTest, CredentialIsRefusedWhenOthersCanReachIt) {
  File("0815\n", 0444);
  setenv("CREDENTIALS_DIRECTORY", folder_.c_str(), 1);
  ExpectRefusal(ReadPinCredential("pin"), "its mode is 0444");
}

TEST_F(PinTest, CredentialNeedsAServiceManager) {
  ExpectRefusal(ReadPinCredential("pin"), "LoadCredential=pin:");
}

TEST_F(PinTest, CredentialStaysInItsFolder) {
  setenv("CREDENTIALS_DIRECTORY", (folder_ / "inner").c_str(), 1);
  File("0815\n");
  for (const char* name : {"", ".", "..", "../pin", "/etc/passwd"}) {
    ExpectRefusal(ReadPinCredential(name), "does not name a systemd credential");
  }
}

}  // namespace
}  // namespace hsm
