// A token becomes unavailable under its signers and comes back. Calls fail at once and without a
// crash, and afterwards the keys that callers hold work again.

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <atomic>
#include <chrono>
#include <fstream>
#include <thread>
#include <vector>

#include "hsm/token_key_store.h"
#include "tests/hsm/raw_token.h"
#include "tests/hsm/recorded.h"
#include "tests/hsm/soft_hsm.h"

namespace hsm {
namespace {

using ca::StatusCode;
using std::chrono::milliseconds;
using std::chrono::steady_clock;
using testing::RawToken;
using testing::SignAsRecorded;
using testing::SoftHsm;

class HealthTest : public ::testing::Test {
 protected:
  HealthTest() {
    hsm_.InitToken();
    Open(hsm_.Options());
  }

  void Open(const TokenOptions& options) {
    store_.reset();
    auto store = TokenKeyStore::Open(options);
    EXPECT_TRUE(store.ok()) << store.status().ToString();
    store_ = *std::move(store);
  }

  std::shared_ptr<const ca::SigningKey> Generate(const std::string& label) {
    auto key = store_->Generate(label);
    EXPECT_TRUE(key.ok()) << key.status().ToString();
    return *std::move(key);
  }

  static ca::Status Sign(const ca::SigningKey& key) {
    return SignAsRecorded(key, "a message").status();
  }

  void ExpectHealthy() {
    const ca::Status health = store_->CheckHealth();
    EXPECT_TRUE(health.ok()) << health.ToString();
  }

  static void ExpectError(const ca::Status& status, StatusCode code, const std::string& word) {
    EXPECT_EQ(status.code(), code) << status.ToString();
    EXPECT_NE(ca::MessageOf(status).find(word), std::string::npos) << status.ToString();
  }

  SoftHsm hsm_;
  std::shared_ptr<TokenKeyStore> store_;
};

TEST_F(HealthTest, IsGoodBeforeThereIsAnyKey) { ExpectHealthy(); }

TEST_F(HealthTest, ComesBackWithTheTokenAndSoDoTheKeys) {
  const auto root = Generate("root");
  const auto issuing = Generate("issuing");
  hsm_.TakeTokensAway();
  ExpectError(Sign(*root), StatusCode::kUnavailable, "key 'root'");
  ExpectError(store_->CheckHealth(), StatusCode::kUnavailable, "token 'agentpki': unavailable");
  ExpectError(store_->CheckHealth(), StatusCode::kUnavailable, "directories.tokendir");
  ExpectError(Sign(*issuing), StatusCode::kUnavailable, "unavailable");

  hsm_.PutTokensBack();
  ExpectError(Sign(*root), StatusCode::kUnavailable, "unavailable");
  ExpectHealthy();
  EXPECT_TRUE(Sign(*root).ok());
  EXPECT_TRUE(Sign(*issuing).ok());
}

TEST_F(HealthTest, RecoversWhenTheTokenIsBackBeforeTheFirstCheck) {
  const auto root = Generate("root");
  hsm_.TakeTokensAway();
  ExpectError(Sign(*root), StatusCode::kUnavailable, "key 'root'");
  hsm_.PutTokensBack();
  // SoftHSM shows dead objects until C_Initialize is called again.
  ExpectError(Sign(*root), StatusCode::kUnavailable, "key 'root'");
  ExpectHealthy();
  EXPECT_TRUE(Sign(*root).ok());
}

TEST_F(HealthTest, AnUnavailableTokenIsNotATokenWithoutKeys) {
  Generate("root");
  hsm_.TakeTokensAway();
  // kNotFound would invite the caller to generate the key a second time.
  EXPECT_EQ(store_->Find("root").status().code(), StatusCode::kUnavailable);
  EXPECT_EQ(store_->Generate("issuing").status().code(), StatusCode::kUnavailable);
  EXPECT_EQ(store_->CheckHealth().code(), StatusCode::kUnavailable);
  EXPECT_EQ(store_->Find("root").status().code(), StatusCode::kUnavailable);
  EXPECT_EQ(store_->Generate("issuing").status().code(), StatusCode::kUnavailable);

  hsm_.PutTokensBack();
  ExpectHealthy();
  EXPECT_TRUE(store_->Find("root").ok());
  EXPECT_EQ(store_->Find("issuing").status().code(), StatusCode::kNotFound);
}

TEST_F(HealthTest, RecoversUnderTheLoadOfManySigners) {
  const auto root = Generate("root");
  std::atomic<bool> is_done = false;
  std::atomic<int> signed_count = 0;
  std::atomic<int> refused_count = 0;
  std::vector<std::thread> signers(8);
  for (std::thread& signer : signers) {
    signer = std::thread([&] {
      while (!is_done) {
        const ca::Status status = Sign(*root);
        ++(status.ok() ? signed_count : refused_count);
        EXPECT_TRUE(status.ok() || status.code() == StatusCode::kUnavailable) << status.ToString();
      }
    });
  }
  const auto wait_for_more_of = [](const std::atomic<int>& count) {
    const int before = count;
    const auto deadline = steady_clock::now() + std::chrono::seconds(20);
    while (count < before + 50 && steady_clock::now() < deadline) {
      std::this_thread::sleep_for(milliseconds(1));
    }
    EXPECT_GE(count, before + 50);
  };

  for (int round = 0; round < 5; ++round) {
    wait_for_more_of(signed_count);
    hsm_.TakeTokensAway();
    wait_for_more_of(refused_count);
    EXPECT_EQ(store_->CheckHealth().code(), StatusCode::kUnavailable);
    wait_for_more_of(refused_count);
    hsm_.PutTokensBack();
    ExpectHealthy();
  }
  wait_for_more_of(signed_count);
  is_done = true;
  for (std::thread& signer : signers) signer.join();
  EXPECT_TRUE(Sign(*root).ok());
}

TEST_F(HealthTest, RecoversAfterOtherCodeClosedAllSessions) {
  const auto root = Generate("root");
  RawToken().CloseAllSessions();
  ExpectError(Sign(*root), StatusCode::kUnavailable, "key 'root'");
  ExpectHealthy();
  EXPECT_TRUE(Sign(*root).ok());
}

TEST_F(HealthTest, RecoveredKeysWorkAfterTheStoreIsDestroyed) {
  const auto root = Generate("root");
  const auto same = *store_->Find("root");
  hsm_.TakeTokensAway();
  EXPECT_EQ(store_->CheckHealth().code(), StatusCode::kUnavailable);
  hsm_.PutTokensBack();
  ExpectHealthy();
  store_.reset();
  EXPECT_TRUE(Sign(*root).ok());
  EXPECT_TRUE(Sign(*same).ok());
}

TEST_F(HealthTest, OneLostKeyDoesNotDisturbTheOthers) {
  const auto first = Generate("a");
  const auto lost = Generate("b");
  const auto last = Generate("c");
  RawToken().DestroyPrivateKey("b");

  for (int i = 0; i < 3; ++i) {
    ExpectError(store_->CheckHealth(), StatusCode::kNotFound, "key 'b'");
    EXPECT_TRUE(Sign(*first).ok());
    EXPECT_TRUE(Sign(*last).ok());
    EXPECT_EQ(Sign(*lost).code(), StatusCode::kUnavailable);
  }
}

// As if another replica destroyed it, long after this one released it.
TEST_F(HealthTest, AKeyThatIsNoLongerHeldMayBeDestroyed) {
  const auto stays = Generate("stays");
  Generate("goes");
  RawToken().DestroyPrivateKey("goes");
  ExpectHealthy();
  hsm_.TakeTokensAway();
  EXPECT_EQ(store_->CheckHealth().code(), StatusCode::kUnavailable);
  hsm_.PutTokensBack();
  ExpectHealthy();
  EXPECT_TRUE(Sign(*stays).ok());
  EXPECT_EQ(store_->Find("goes").status().code(), StatusCode::kNotFound);
}

TEST_F(HealthTest, DestroysNothingOnAnUnavailableToken) {
  const auto root = Generate("root");
  hsm_.TakeTokensAway();
  EXPECT_EQ(store_->Destroy("root").code(), StatusCode::kUnavailable);
  EXPECT_EQ(store_->Labels().status().code(), StatusCode::kUnavailable);
  EXPECT_EQ(store_->CheckHealth().code(), StatusCode::kUnavailable);
  EXPECT_EQ(store_->Destroy("root").code(), StatusCode::kUnavailable);
  hsm_.PutTokensBack();
  ExpectHealthy();
  EXPECT_TRUE(store_->Find("root").ok());
  EXPECT_TRUE(store_->Destroy("root").ok());
  ExpectHealthy();
}

TEST_F(HealthTest, NeverSignsWithAnotherKeyThatHasTheLabelNow) {
  const auto root = Generate("root");
  {
    RawToken token;
    token.DestroyPrivateKey("root");
    token.GenerateP256({.label = "root", .id = "another"});
  }
  for (int i = 0; i < 2; ++i) {
    ExpectError(store_->CheckHealth(), StatusCode::kFailedPrecondition, "it is another key");
    EXPECT_EQ(Sign(*root).code(), StatusCode::kUnavailable);
    EXPECT_EQ(store_->Find("root").status().code(), StatusCode::kFailedPrecondition);
  }
}

TEST_F(HealthTest, ReadsThePinAtEachOpening) {
  std::atomic<const char*> pin = testing::kUserPin;
  TokenOptions options = hsm_.Options();
  options.read_pin = [&pin] { return ca::Secret(std::string(pin.load())); };
  Open(options);
  const auto root = Generate("root");
  {
    RawToken token;
    token.SetPin(testing::kUserPin, "staple");
    token.CloseAllSessions();
  }
  ExpectError(store_->CheckHealth(), StatusCode::kUnavailable, "refuses the PIN");
  ExpectError(Sign(*root), StatusCode::kUnavailable, "unavailable");
  pin = "staple";
  ExpectHealthy();
  EXPECT_TRUE(Sign(*root).ok());
}

TEST_F(HealthTest, ATokenThatHangsWhileItIsOpenedAgainDelaysNoSigner) {
  TokenOptions options = hsm_.Options();
  options.open_timeout = milliseconds(1000);
  Open(options);
  const auto root = Generate("root");
  RawToken().CloseAllSessions();
  // A configuration that is a pipe without a writer: C_Initialize waits for one.
  const auto config = hsm_.config_file();
  std::filesystem::rename(config, hsm_.folder() / "good.conf");
  ASSERT_EQ(mkfifo(config.c_str(), 0600), 0);

  std::thread check([&] {
    ExpectError(store_->CheckHealth(), StatusCode::kUnavailable, "hangs in C_Initialize");
  });
  milliseconds longest{0};
  for (const auto end = steady_clock::now() + milliseconds(800); steady_clock::now() < end;) {
    const auto start = steady_clock::now();
    EXPECT_EQ(Sign(*root).code(), StatusCode::kUnavailable);
    longest =
        std::max(longest, std::chrono::duration_cast<milliseconds>(steady_clock::now() - start));
  }
  check.join();
  EXPECT_LT(longest, milliseconds(500));

  std::ofstream(config) << std::ifstream(hsm_.folder() / "good.conf").rdbuf();
  std::filesystem::rename(hsm_.folder() / "good.conf", config);
  const auto deadline = steady_clock::now() + std::chrono::seconds(5);
  while (!store_->CheckHealth().ok() && steady_clock::now() < deadline) {
    std::this_thread::sleep_for(milliseconds(10));
  }
  EXPECT_TRUE(Sign(*root).ok());
}

}  // namespace
}  // namespace hsm
