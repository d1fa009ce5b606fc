// Two tokens of one module, each with its own PIN. A fault of one does not affect the other,
// although PKCS#11 opens and closes both at once.

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "hsm/token_key_store.h"
#include "tests/hsm/recorded.h"
#include "tests/hsm/soft_hsm.h"

namespace hsm {
namespace {

using ca::StatusCode;
using std::chrono::milliseconds;
using std::chrono::steady_clock;
using testing::SignAsRecorded;
using testing::SoftHsm;

class SeveralTokensTest : public ::testing::Test {
 protected:
  SeveralTokensTest() {
    hsm_.InitToken("acme", "acme's pin");
    hsm_.InitToken("globex", "globex's pin");
    for (TokenOptions* options : {&acme_options_, &globex_options_}) {
      options->reopen_pause_min = options->reopen_pause_max = milliseconds(1);
    }
  }

  ca::Status Open() {
    acme_.reset();
    globex_.reset();
    auto opened = TokenKeyStore::OpenAll({acme_options_, globex_options_});
    EXPECT_TRUE(opened[0].opened.ok()) << opened[0].opened.ToString();
    acme_ = std::move(opened[0].store);
    globex_ = std::move(opened[1].store);
    return opened[1].opened;
  }
  void OpenBoth() {
    const ca::Status status = Open();
    ASSERT_TRUE(status.ok()) << status.ToString();
  }

  static std::shared_ptr<const ca::SigningKey> Generate(TokenKeyStore& store,
                                                        const std::string& label) {
    auto key = store.Generate(label);
    EXPECT_TRUE(key.ok()) << key.status().ToString();
    return *std::move(key);
  }
  static ca::Status Sign(const ca::SigningKey& key) {
    return SignAsRecorded(key, "a message").status();
  }
  static void ExpectHealthy(TokenKeyStore& store) {
    const ca::Status health = store.CheckHealth();
    EXPECT_TRUE(health.ok()) << health.ToString();
  }
  static void ExpectError(const ca::Status& status, StatusCode code, const std::string& word) {
    EXPECT_EQ(status.code(), code) << status.ToString();
    EXPECT_NE(ca::MessageOf(status).find(word), std::string::npos) << status.ToString();
  }
  // Repeats the health check until the token is healthy, because there is a pause between openings.
  static void AwaitHealth(TokenKeyStore& store) {
    const auto deadline = steady_clock::now() + std::chrono::seconds(10);
    while (!store.CheckHealth().ok() && steady_clock::now() < deadline) {
      std::this_thread::sleep_for(milliseconds(2));
    }
    ExpectHealthy(store);
  }

  SoftHsm hsm_;
  TokenOptions acme_options_ = SoftHsm::Options("acme", "acme's pin");
  TokenOptions globex_options_ = SoftHsm::Options("globex", "globex's pin");
  std::shared_ptr<TokenKeyStore> acme_;
  std::shared_ptr<TokenKeyStore> globex_;
};

TEST_F(SeveralTokensTest, EachHasKeysOfItsOwn) {
  OpenBoth();
  const auto key = Generate(*acme_, "root");
  EXPECT_EQ(globex_->Find("root").status().code(), StatusCode::kNotFound);
  const auto other = Generate(*globex_, "root");
  EXPECT_NE(key->spki(), other->spki());
  EXPECT_TRUE(Sign(*key).ok());
  EXPECT_TRUE(Sign(*other).ok());
  EXPECT_EQ((*acme_->Find("root"))->spki(), key->spki());

  EXPECT_TRUE(globex_->Destroy("root").ok());
  EXPECT_TRUE(Sign(*key).ok());
  ExpectHealthy(*acme_);
  ExpectHealthy(*globex_);
  ASSERT_EQ(acme_->Contents().size(), 1u);
  EXPECT_EQ(acme_->Contents()[0].token, "acme");
  EXPECT_EQ(acme_->Contents()[0].labels, std::vector<std::string>{"root"});
}

TEST_F(SeveralTokensTest, AWrongPinOfOneDoesNotAffectTheOther) {
  globex_options_.read_pin = [] { return ca::Secret("acme's pin"); };
  const ca::Status opened = Open();
  ExpectError(opened, StatusCode::kFailedPrecondition, "refuses the PIN");
  EXPECT_EQ(ca::MessageOf(opened).find("acme's pin"), std::string::npos);
  EXPECT_TRUE(Sign(*Generate(*acme_, "root")).ok());
  ExpectError(globex_->CheckHealth(), StatusCode::kUnavailable, "token 'globex'");
  ExpectHealthy(*acme_);
}

TEST_F(SeveralTokensTest, OpensATokenLaterThatWasUnavailableAtFirst) {
  hsm_.TakeAway("globex");
  ExpectError(Open(), StatusCode::kUnavailable, "'globex'");
  const auto key = Generate(*acme_, "root");
  EXPECT_EQ(globex_->Find("root").status().code(), StatusCode::kUnavailable);
  EXPECT_EQ(globex_->Contents()[0].status.code(), StatusCode::kUnavailable);
  EXPECT_EQ(globex_->CheckHealth().code(), StatusCode::kUnavailable);
  hsm_.PutBack("globex");
  AwaitHealth(*globex_);
  EXPECT_TRUE(Sign(*Generate(*globex_, "root")).ok());
  EXPECT_TRUE(Sign(*key).ok());
}

TEST_F(SeveralTokensTest, SignersWithOneAreNotDisturbedByTheOther) {
  OpenBoth();
  const auto key = Generate(*acme_, "root");
  const auto other = Generate(*globex_, "root");
  std::atomic<bool> is_done = false;
  std::atomic<int> signed_count = 0;
  std::vector<std::thread> signers(4);
  for (std::thread& signer : signers) {
    signer = std::thread([&] {
      while (!is_done) {
        const ca::Status status = Sign(*key);
        EXPECT_TRUE(status.ok()) << status.ToString();
        ++signed_count;
      }
    });
  }
  for (int round = 0; round < 5; ++round) {
    hsm_.TakeAway("globex");
    for (int look = 0; look < 3; ++look) {
      EXPECT_EQ(globex_->CheckHealth().code(), StatusCode::kUnavailable);
      EXPECT_EQ(Sign(*other).code(), StatusCode::kUnavailable);
      ExpectHealthy(*acme_);
      std::this_thread::sleep_for(milliseconds(5));
    }
    hsm_.PutBack("globex");
    AwaitHealth(*globex_);
    EXPECT_TRUE(Sign(*other).ok());
  }
  const int before = signed_count;
  while (signed_count < before + 50) std::this_thread::sleep_for(milliseconds(1));
  is_done = true;
  for (std::thread& signer : signers) signer.join();
}

TEST_F(SeveralTokensTest, AttemptsToOpenAnUnavailableTokenHaveAPause) {
  globex_options_.reopen_pause_min = globex_options_.reopen_pause_max = std::chrono::hours(1);
  OpenBoth();
  const auto key = Generate(*acme_, "root");
  Generate(*globex_, "root");
  hsm_.TakeAway("globex");
  EXPECT_EQ(globex_->CheckHealth().code(), StatusCode::kUnavailable);
  hsm_.PutBack("globex");
  ExpectError(globex_->CheckHealth(), StatusCode::kUnavailable, "unavailable");

  // If the other token is unavailable, too, no signer is disturbed, so there is no pause.
  hsm_.TakeAway("acme");
  EXPECT_EQ(Sign(*key).code(), StatusCode::kUnavailable);
  EXPECT_EQ(acme_->CheckHealth().code(), StatusCode::kUnavailable);
  ExpectHealthy(*globex_);
}

TEST_F(SeveralTokensTest, KeepsALoginWhosePinCannotBeReadNow) {
  const auto is_readable = std::make_shared<std::atomic<bool>>(true);
  acme_options_.read_pin = [is_readable]() -> ca::Result<ca::Secret> {
    if (*is_readable) return ca::Secret("acme's pin");
    return ca::Error(StatusCode::kFailedPrecondition, "the PIN file is gone");
  };
  OpenBoth();
  const auto key = Generate(*acme_, "root");
  const auto other = Generate(*globex_, "root");
  *is_readable = false;
  hsm_.TakeAway("globex");
  ExpectError(globex_->CheckHealth(), StatusCode::kUnavailable, "the PIN file is gone");
  EXPECT_TRUE(Sign(*key).ok());
  ExpectHealthy(*acme_);
  hsm_.PutBack("globex");
  std::this_thread::sleep_for(milliseconds(5));
  ExpectError(globex_->CheckHealth(), StatusCode::kUnavailable, "token 'acme'");
  *is_readable = true;
  AwaitHealth(*globex_);
  EXPECT_TRUE(Sign(*other).ok());
  EXPECT_TRUE(Sign(*key).ok());
}

TEST_F(SeveralTokensTest, BothComeBackAfterBothWereUnavailable) {
  OpenBoth();
  const auto key = Generate(*acme_, "root");
  const auto other = Generate(*globex_, "root");
  hsm_.TakeTokensAway();
  EXPECT_EQ(acme_->CheckHealth().code(), StatusCode::kUnavailable);
  EXPECT_EQ(globex_->CheckHealth().code(), StatusCode::kUnavailable);
  hsm_.PutTokensBack();
  AwaitHealth(*acme_);
  AwaitHealth(*globex_);
  EXPECT_TRUE(Sign(*key).ok());
  EXPECT_TRUE(Sign(*other).ok());
}

TEST_F(SeveralTokensTest, OneGoesOnWhenTheStoreOfTheOtherIsGone) {
  OpenBoth();
  const auto key = Generate(*acme_, "root");
  globex_.reset();
  EXPECT_TRUE(Sign(*key).ok());
  ExpectHealthy(*acme_);
}

}  // namespace
}  // namespace hsm
