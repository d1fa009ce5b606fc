// Opening a token that has a fault ends soon, with an error that says what to check.

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <chrono>
#include <fstream>
#include <thread>

#include "hsm/token_key_store.h"
#include "tests/hsm/raw_token.h"
#include "tests/hsm/soft_hsm.h"

namespace hsm {
namespace {

using ca::StatusCode;
using std::chrono::milliseconds;
using std::chrono::steady_clock;
using testing::RawToken;
using testing::SoftHsm;

class OpeningTest : public ::testing::Test {
 protected:
  // Opens the token. The test fails if that takes so long that it must have hung.
  static ca::Result<std::shared_ptr<TokenKeyStore>> Open(const TokenOptions& options) {
    const auto start = steady_clock::now();
    auto store = TokenKeyStore::Open(options);
    EXPECT_LT(steady_clock::now() - start, std::chrono::seconds(8));
    return store;
  }

  static void ExpectError(const TokenOptions& options, StatusCode code,
                          const std::vector<std::string>& words) {
    const auto store = Open(options);
    ASSERT_FALSE(store.ok());
    EXPECT_EQ(store.status().code(), code) << store.status().ToString();
    const std::string message = ca::MessageOf(store.status());
    for (const std::string& word : words) {
      EXPECT_NE(message.find(word), std::string::npos) << "no '" << word << "' in: " << message;
    }
    EXPECT_EQ(message.find(testing::kUserPin), std::string::npos) << message;
  }

  void WriteConfig(const std::string& text) { std::ofstream(hsm_.config_file()) << text; }

  SoftHsm hsm_;
};

TEST_F(OpeningTest, WorksAgainAndAgain) {
  hsm_.InitToken();
  for (int i = 0; i < 5; ++i) {
    const auto store = Open(hsm_.Options());
    ASSERT_TRUE(store.ok()) << store.status().ToString();
    EXPECT_TRUE((*store)->CheckHealth().ok());
  }
}

TEST_F(OpeningTest, NamesTheModuleThatIsMissing) {
  TokenOptions options = hsm_.Options();
  options.module_path = "/usr/lib/no-such-module.so";
  ExpectError(options, StatusCode::kFailedPrecondition,
              {"/usr/lib/no-such-module.so", "check the path"});
}

TEST_F(OpeningTest, RefusesALibraryThatIsNoModule) {
  TokenOptions options = hsm_.Options();
  options.module_path = "libm.so.6";
  ExpectError(options, StatusCode::kFailedPrecondition, {"libm.so.6 is not a PKCS#11 module"});
}

TEST_F(OpeningTest, NamesTheConfigurationWhenItIsMissing) {
  std::filesystem::remove(hsm_.config_file());
  ExpectError(hsm_.Options(), StatusCode::kFailedPrecondition, {"C_Initialize", "SOFTHSM2_CONF"});
}

TEST_F(OpeningTest, NamesTheConfigurationWhenItIsBad) {
  WriteConfig("directories.tokendir = " + hsm_.token_folder().string() +
              "\nobjectstore.backend = no-such-backend\n");
  ExpectError(hsm_.Options(), StatusCode::kFailedPrecondition, {"C_Initialize", "SOFTHSM2_CONF"});
}

TEST_F(OpeningTest, NamesTheTokenFolderWhenItIsMissing) {
  hsm_.InitToken();
  hsm_.TakeTokensAway();
  ExpectError(hsm_.Options(), StatusCode::kFailedPrecondition, {"directories.tokendir"});
}

TEST_F(OpeningTest, SaysThatThereIsNoTokenAtAll) {
  // SoftHSM shows an uninitialized token then, and a login to it would hang for ever.
  ExpectError(hsm_.Options(), StatusCode::kUnavailable,
              {"no token is labelled 'agentpki'", "no initialized token was seen"});
}

TEST_F(OpeningTest, NeverTakesAnUninitializedTokenForOneWithoutALabel) {
  ExpectError(hsm_.Options(""), StatusCode::kUnavailable, {"no token is labelled ''"});
}

TEST_F(OpeningTest, ListsTheTokensWhenNoneHasTheLabel) {
  hsm_.InitToken("first");
  hsm_.InitToken("second one");
  ExpectError(hsm_.Options(), StatusCode::kUnavailable,
              {"no token is labelled 'agentpki'", "'first'", "'second one'"});
}

TEST_F(OpeningTest, RefusesToChooseBetweenTwoTokensOfOneLabel) {
  hsm_.InitToken();
  hsm_.InitToken("another");
  hsm_.InitToken();
  ExpectError(hsm_.Options(), StatusCode::kFailedPrecondition,
              {"2 tokens are labelled 'agentpki'", "'another'"});
}

TEST_F(OpeningTest, SaysThatThePinIsWrongAndAcceptsTheRightOneAfterwards) {
  hsm_.InitToken();
  TokenOptions options = hsm_.Options();
  options.read_pin = [] { return ca::Secret("incorrect horse"); };
  for (int i = 0; i < 5; ++i) {
    ExpectError(options, StatusCode::kFailedPrecondition,
                {"C_Login", "check where it is read from"});
  }
  EXPECT_TRUE(Open(hsm_.Options()).ok());
}

TEST_F(OpeningTest, SaysThatTheTokenHasNoPinYet) {
  RawToken::InitTokenWithoutPin("agentpki");
  ExpectError(hsm_.Options(), StatusCode::kFailedPrecondition, {"no user PIN", "--init-pin"});
}

TEST_F(OpeningTest, PassesOnWhyThePinCannotBeRead) {
  hsm_.InitToken();
  TokenOptions options = hsm_.Options();
  options.read_pin = [] {
    return ca::Error(StatusCode::kFailedPrecondition, "PIN file /run/pin: is empty");
  };
  ExpectError(options, StatusCode::kFailedPrecondition, {"PIN file /run/pin: is empty"});
}

TEST_F(OpeningTest, RefusesASecondStoreInTheProcess) {
  hsm_.InitToken("first");
  hsm_.InitToken("second");
  {
    const auto store = Open(hsm_.Options("first"));
    ASSERT_TRUE(store.ok());
    ExpectError(hsm_.Options("second"), StatusCode::kFailedPrecondition,
                {"is open in this process already"});
    EXPECT_TRUE((*store)->CheckHealth().ok());
  }
  EXPECT_TRUE(Open(hsm_.Options("second")).ok());
}

TEST_F(OpeningTest, SaysWhichCallHangsAndWorksOnceThatComesBack) {
  hsm_.InitToken();
  // A configuration that is a pipe without a writer: C_Initialize waits for one.
  const auto config = hsm_.config_file();
  const auto good_config = hsm_.folder() / "good.conf";
  std::filesystem::rename(config, good_config);
  ASSERT_EQ(mkfifo(config.c_str(), 0600), 0);

  TokenOptions options = hsm_.Options();
  options.open_timeout = milliseconds(1000);
  ExpectError(options, StatusCode::kUnavailable,
              {"opening token 'agentpki' hangs in C_Initialize", "end this process"});
  ExpectError(options, StatusCode::kFailedPrecondition, {"an attempt to open it hangs"});

  std::ofstream(config) << std::ifstream(good_config).rdbuf();
  std::filesystem::rename(good_config, config);
  const auto deadline = steady_clock::now() + std::chrono::seconds(5);
  auto store = Open(hsm_.Options());
  while (!store.ok() && steady_clock::now() < deadline) {
    std::this_thread::sleep_for(milliseconds(10));
    store = Open(hsm_.Options());
  }
  EXPECT_TRUE(store.ok()) << store.status().ToString();
}

}  // namespace
}  // namespace hsm
