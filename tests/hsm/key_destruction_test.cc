// A destroyed key is gone from the token, for this store and for other programs. Nothing else is.

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "hsm/token_key_store.h"
#include "tests/hsm/raw_token.h"
#include "tests/hsm/recorded.h"
#include "tests/hsm/soft_hsm.h"

namespace hsm {
namespace {

using ca::StatusCode;
using testing::RawToken;
using testing::SignAsRecorded;
using testing::SoftHsm;

class KeyDestructionTest : public ::testing::Test {
 protected:
  KeyDestructionTest() {
    hsm_.InitToken();
    auto store = TokenKeyStore::Open(hsm_.Options());
    EXPECT_TRUE(store.ok()) << store.status().ToString();
    store_ = *std::move(store);
  }

  SoftHsm hsm_;
  std::shared_ptr<TokenKeyStore> store_;
};

TEST_F(KeyDestructionTest, DestroysBothHalvesOfAPairAndNoOther) {
  const auto other = *store_->Generate("root-2");
  ASSERT_TRUE(store_->Generate("root").ok());
  const ca::Bytes id = RawToken().Id("root");

  EXPECT_TRUE(store_->Destroy("root").ok());

  const RawToken token;
  EXPECT_EQ(token.CountPrivateKeys("root"), 0u);
  EXPECT_EQ(token.CountPublicKeys(id), 0u);
  EXPECT_EQ(token.CountPrivateKeys("root-2"), 1u);
  EXPECT_EQ(store_->Find("root").status().code(), StatusCode::kNotFound);
  EXPECT_TRUE(SignAsRecorded(*other, "a message").ok());
  EXPECT_TRUE(store_->CheckHealth().ok());
}

TEST_F(KeyDestructionTest, DestroysAgainWhatIsGone) {
  EXPECT_TRUE(store_->Destroy("root").ok());
  ASSERT_TRUE(store_->Generate("root").ok());
  EXPECT_TRUE(store_->Destroy("root").ok());
  EXPECT_TRUE(store_->Destroy("root").ok());
}

TEST_F(KeyDestructionTest, DestroysWhatAnInterruptionHasLeftOfAPair) {
  ASSERT_TRUE(store_->Generate("root").ok());
  RawToken token;
  const ca::Bytes id = token.Id("root");
  token.DestroyPrivateKey("root");
  EXPECT_TRUE(store_->Destroy("root").ok());
  EXPECT_EQ(token.CountPublicKeys(id), 0u);
}

TEST_F(KeyDestructionTest, SignsNothingMoreWithAKeyThatItDestroyed) {
  const auto key = *store_->Generate("root");
  const auto same = *store_->Find("root");
  EXPECT_TRUE(store_->Destroy("root").ok());
  for (const auto& held : {key, same}) {
    const ca::Status status = SignAsRecorded(*held, "a message").status();
    EXPECT_EQ(status.code(), StatusCode::kFailedPrecondition);
    EXPECT_EQ(ca::MessageOf(status), "token 'agentpki': key 'root': it was destroyed");
  }
  EXPECT_TRUE(store_->CheckHealth().ok()) << "it was meant to go";
}

TEST_F(KeyDestructionTest, GivesALabelToAnotherKeyWhenTheFirstIsDestroyed) {
  const auto first = *store_->Generate("root");
  EXPECT_TRUE(store_->Destroy("root").ok());
  const auto second = *store_->Generate("root");
  EXPECT_NE(second->spki(), first->spki());
  EXPECT_TRUE(SignAsRecorded(*second, "a message").ok());
  EXPECT_FALSE(SignAsRecorded(*first, "a message").ok());
}

TEST_F(KeyDestructionTest, DestroysWhileOthersSign) {
  const auto key = *store_->Generate("stays");
  std::atomic<bool> is_done = false;
  std::vector<std::thread> signers(4);
  for (std::thread& signer : signers) {
    signer = std::thread([&] {
      while (!is_done) EXPECT_TRUE(SignAsRecorded(*key, "a message").ok());
    });
  }
  for (int round = 0; round < 10; ++round) {
    const std::string label = fmt::format("goes-{}", round);
    EXPECT_TRUE(store_->Generate(label).ok());
    EXPECT_TRUE(store_->Destroy(label).ok());
  }
  is_done = true;
  for (std::thread& signer : signers) signer.join();
}

TEST_F(KeyDestructionTest, ListsTheLabelsOfAllPrivateKeys) {
  EXPECT_TRUE(store_->Labels()->empty());
  std::vector<std::string> labels;
  for (int i = 0; i < 20; ++i) {
    labels.push_back(fmt::format("key-{:02}", i));
    ASSERT_TRUE(store_->Generate(labels.back()).ok());
  }
  RawToken().GenerateEd25519({.label = "edwards"});
  labels.insert(labels.begin(), "edwards");
  EXPECT_EQ(*store_->Labels(), labels);
}

}  // namespace
}  // namespace hsm
