// The keys that the store generates, finds and refuses.

#include "hsm/token_key_store.h"

#include <gtest/gtest.h>

#include <atomic>
#include <ostream>
#include <thread>
#include <vector>

#include "tests/hsm/raw_token.h"
#include "tests/hsm/recorded.h"
#include "tests/hsm/soft_hsm.h"

namespace hsm {
namespace {

using ca::StatusCode;
using testing::RawToken;
using testing::SignAsRecorded;
using testing::SoftHsm;

class TokenKeyStoreTest : public ::testing::Test {
 protected:
  TokenKeyStoreTest() { hsm_.InitToken(); }

  std::shared_ptr<TokenKeyStore> Open() {
    auto store = TokenKeyStore::Open(hsm_.Options());
    EXPECT_TRUE(store.ok()) << store.status().ToString();
    return *std::move(store);
  }

  template <typename T>
  static void ExpectError(const ca::Result<T>& result, StatusCode code,
                          const std::vector<std::string>& words) {
    ASSERT_FALSE(result.ok());
    EXPECT_EQ(result.status().code(), code) << result.status().ToString();
    const std::string message = ca::MessageOf(result.status());
    for (const std::string& word : words) {
      EXPECT_NE(message.find(word), std::string::npos) << "no '" << word << "' in: " << message;
    }
  }

  static void ExpectSigns(const ca::SigningKey& key) {
    const auto signature = SignAsRecorded(key, "a message");
    EXPECT_TRUE(signature.ok()) << signature.status().ToString();
  }

  SoftHsm hsm_;
};

// ---- making keys

TEST_F(TokenKeyStoreTest, GeneratesAKeyThatSigns) {
  const auto store = Open();
  const auto key = store->Generate("acme/prod/root/1");
  ASSERT_TRUE(key.ok()) << key.status().ToString();
  ExpectSigns(**key);
  EXPECT_TRUE(store->CheckHealth().ok());
}

TEST_F(TokenKeyStoreTest, GeneratesKeysThatNeverLeaveTheTokenAndOnlySign) {
  const auto store = Open();
  ASSERT_TRUE(store->Generate("root").ok());

  const RawToken token;
  for (const CK_ATTRIBUTE_TYPE type : {CKA_TOKEN, CKA_PRIVATE, CKA_SENSITIVE, CKA_ALWAYS_SENSITIVE,
                                       CKA_NEVER_EXTRACTABLE, CKA_LOCAL, CKA_SIGN}) {
    EXPECT_TRUE(token.Flag("root", type)) << std::hex << type;
  }
  for (const CK_ATTRIBUTE_TYPE type :
       {CKA_EXTRACTABLE, CKA_DECRYPT, CKA_UNWRAP, CKA_DERIVE, CKA_MODIFIABLE}) {
    EXPECT_FALSE(token.Flag("root", type)) << std::hex << type;
  }
  EXPECT_EQ(token.ReadPrivateValue("root"), CKR_ATTRIBUTE_SENSITIVE);
}

TEST_F(TokenKeyStoreTest, GeneratedKeysCannotBeGivenAnotherUseLater) {
  const auto store = Open();
  ASSERT_TRUE(store->Generate("root").ok());

  const RawToken token;
  EXPECT_EQ(token.SetFlag("root", CKA_DERIVE, true), CKR_ACTION_PROHIBITED);
  EXPECT_EQ(token.SetFlag("root", CKA_EXTRACTABLE, true), CKR_ACTION_PROHIBITED);
}

TEST_F(TokenKeyStoreTest, GeneratesPairsWithAnIdOfTheirOwn) {
  const auto store = Open();
  ASSERT_TRUE(store->Generate("root").ok());
  ASSERT_TRUE(store->Generate("issuing").ok());

  const RawToken token;
  EXPECT_EQ(token.Id("root").size(), 16u);
  EXPECT_NE(token.Id("root"), token.Id("issuing"));
  EXPECT_EQ(token.CountPublicKeys(token.Id("root")), 1u);
}

TEST_F(TokenKeyStoreTest, NeverGeneratesUnderALabelThatIsTaken) {
  const auto store = Open();
  const auto first = store->Generate("root");
  ASSERT_TRUE(first.ok());
  ExpectError(store->Generate("root"), StatusCode::kAlreadyExists, {"'root'", "'agentpki'"});

  EXPECT_EQ(RawToken().CountPrivateKeys("root"), 1u);
  EXPECT_EQ((*store->Find("root"))->spki(), (*first)->spki());
}

TEST_F(TokenKeyStoreTest, GeneratesOneKeyWhenManyThreadsWantIt) {
  const auto store = Open();
  std::atomic<int> successes = 0;
  std::vector<std::thread> threads(4);
  for (std::thread& thread : threads) {
    thread = std::thread([&] {
      for (int round = 0; round < 10; ++round) {
        const auto key = store->Generate(fmt::format("key {}", round));
        if (key.ok()) ++successes;
        EXPECT_TRUE(key.ok() || key.status().code() == StatusCode::kAlreadyExists)
            << key.status().ToString();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();

  EXPECT_EQ(successes, 10);
  const RawToken token;
  for (int round = 0; round < 10; ++round) {
    EXPECT_EQ(token.CountPrivateKeys(fmt::format("key {}", round)), 1u);
  }
}

TEST_F(TokenKeyStoreTest, RefusesLabelsThatAreNotPrintable) {
  const auto store = Open();
  for (const std::string& label : {std::string(), std::string(129, 'x'), std::string("a\nb"),
                                   std::string("schl\xc3\xbcssel")}) {
    ExpectError(store->Generate(label), StatusCode::kInvalidArgument, {"printable ASCII"});
  }
  EXPECT_TRUE(store->Generate(std::string(128, 'x')).ok());
}

// ---- finding keys

TEST_F(TokenKeyStoreTest, FindsWhatAnEarlierStoreGenerated) {
  const ca::Bytes spki = (*Open()->Generate("root"))->spki();
  const auto key = Open()->Find("root");
  ASSERT_TRUE(key.ok()) << key.status().ToString();
  EXPECT_EQ((*key)->spki(), spki);
  ExpectSigns(**key);
}

TEST_F(TokenKeyStoreTest, FindsAKeyByItsLabelAmongMany) {
  const auto store = Open();
  std::vector<ca::Bytes> spkis(20);
  for (int i = 0; i < 20; ++i) {
    spkis[i] = (*store->Generate(fmt::format("issuing {}", i)))->spki();
  }
  for (int i = 0; i < 20; ++i) {
    const auto key = store->Find(fmt::format("issuing {}", i));
    ASSERT_TRUE(key.ok()) << key.status().ToString();
    EXPECT_EQ((*key)->spki(), spkis[i]);
    ExpectSigns(**key);
  }
  ExpectError(store->Find("issuing"), StatusCode::kNotFound, {"'issuing'"});
}

TEST_F(TokenKeyStoreTest, SaysThatThereIsNoSuchKey) {
  ExpectError(Open()->Find("root"), StatusCode::kNotFound, {"key 'root'", "token 'agentpki'"});
}

TEST_F(TokenKeyStoreTest, FindsAKeyBesideOneThatLibp11CannotList) {
  const auto store = Open();
  const auto root = store->Generate("root");
  ASSERT_TRUE(root.ok());
  RawToken().GenerateEd25519({.label = "edwards"});

  EXPECT_TRUE(store->Find("root").ok());
  EXPECT_TRUE(store->CheckHealth().ok());
  ASSERT_TRUE(store->Generate("issuing").ok());
  ExpectError(store->Find("edwards"), StatusCode::kFailedPrecondition,
              {"not an elliptic curve key"});
}

TEST_F(TokenKeyStoreTest, FindsAKeyAfterAStartBesideOneThatLibp11CannotList) {
  ASSERT_TRUE(Open()->Generate("root").ok());
  RawToken().GenerateEd25519({.label = "edwards"});
  const auto key = Open()->Find("root");
  ASSERT_TRUE(key.ok()) << key.status().ToString();
  ExpectSigns(**key);
}

TEST_F(TokenKeyStoreTest, RefusesToChooseBetweenTwoKeysOfOneLabel) {
  RawToken().GenerateP256({.label = "root", .id = "one"});
  RawToken().GenerateP256({.label = "root", .id = "two"});
  ExpectError(Open()->Find("root"), StatusCode::kFailedPrecondition,
              {"2 private keys have that label"});
}

// ---- refusing keys

struct Spoiled {
  std::string name;
  RawToken::PrivateKey key;
  std::vector<std::string> words;
};

void PrintTo(const Spoiled& spoiled, std::ostream* out) { *out << spoiled.name; }

class SpoiledKeyTest : public TokenKeyStoreTest, public ::testing::WithParamInterface<Spoiled> {};

TEST_P(SpoiledKeyTest, IsRefusedWithTheAttributeNamed) {
  RawToken().GenerateP256(GetParam().key);
  ExpectError(Open()->Find("spoiled"), StatusCode::kFailedPrecondition, GetParam().words);
}

INSTANTIATE_TEST_SUITE_P(
    All, SpoiledKeyTest,
    ::testing::Values(
        Spoiled{"Extractable",
                {.label = "spoiled", .is_extractable = true},
                {"CKA_EXTRACTABLE is true", "CKA_NEVER_EXTRACTABLE is false"}},
        Spoiled{"NotSensitive",
                {.label = "spoiled", .is_sensitive = false},
                {"CKA_SENSITIVE is false", "CKA_ALWAYS_SENSITIVE is false"}},
        Spoiled{"Derives", {.label = "spoiled", .can_derive = true}, {"CKA_DERIVE is true"}},
        Spoiled{"Decrypts", {.label = "spoiled", .can_decrypt = true}, {"CKA_DECRYPT is true"}},
        Spoiled{"Unwraps", {.label = "spoiled", .can_unwrap = true}, {"CKA_UNWRAP is true"}},
        Spoiled{"DoesNotSign", {.label = "spoiled", .can_sign = false}, {"CKA_SIGN is false"}},
        Spoiled{"WithoutId", {.label = "spoiled", .id = ""}, {"no CKA_ID"}}),
    [](const auto& instance) { return instance.param.name; });

TEST_F(TokenKeyStoreTest, RefusesAKeyThatWasMadeElsewhere) {
  RawToken().ImportP256({.label = "imported"});
  ExpectError(
      Open()->Find("imported"), StatusCode::kFailedPrecondition,
      {"CKA_LOCAL is false", "CKA_ALWAYS_SENSITIVE is false", "CKA_NEVER_EXTRACTABLE is false"});
}

TEST_F(TokenKeyStoreTest, RefusesOtherKeysThanP256) {
  RawToken().GenerateP384({.label = "p384", .id = "p384"});
  RawToken().GenerateRsa({.label = "rsa", .id = "rsa"});
  const auto store = Open();
  ExpectError(store->Find("p384"), StatusCode::kFailedPrecondition, {"another curve", "P-256"});
  ExpectError(store->Find("rsa"), StatusCode::kFailedPrecondition, {"not an elliptic curve key"});
}

TEST_F(TokenKeyStoreTest, RefusesAKeyWithoutItsPublicHalf) {
  RawToken().GenerateP256({.label = "root", .id = "an id"});
  RawToken().DestroyPublicKeys("an id");
  ExpectError(Open()->Find("root"), StatusCode::kFailedPrecondition, {"0 public keys"});
}

TEST_F(TokenKeyStoreTest, RefusesAPublicKeyThatIsNotTheOtherHalf) {
  RawToken().GenerateP256({.label = "root", .id = "an id"});
  RawToken().PlantPublicKey("an id");
  ExpectError(Open()->Find("root"), StatusCode::kFailedPrecondition, {"2 public keys"});

  RawToken().DestroyPublicKeys("an id");
  RawToken().PlantPublicKey("an id");
  ExpectError(Open()->Find("root"), StatusCode::kFailedPrecondition, {"does not belong to it"});
}

// ---- using keys

TEST_F(TokenKeyStoreTest, SignsFromManyThreads) {
  const auto store = Open();
  const auto root = *store->Generate("root");
  const auto issuing = *store->Generate("issuing");
  std::vector<std::thread> threads(24);  // more than there are sessions
  for (std::thread& thread : threads) {
    thread = std::thread([&] {
      for (int round = 0; round < 10; ++round) {
        ExpectSigns(*root);
        ExpectSigns(*issuing);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST_F(TokenKeyStoreTest, GeneratesWhileOthersSignAndFind) {
  const auto store = Open();
  const auto root = *store->Generate("root");
  std::atomic<bool> is_done = false;
  std::thread signer([&] {
    while (!is_done) ExpectSigns(*root);
  });
  std::vector<std::thread> finders(3);
  for (std::thread& finder : finders) {
    finder = std::thread([&] {
      while (!is_done) EXPECT_TRUE(store->Find("root").ok());
    });
  }
  for (int i = 0; i < 20; ++i) {
    const auto key = store->Generate(fmt::format("issuing {}", i));
    EXPECT_TRUE(key.ok()) << key.status().ToString();
  }
  is_done = true;
  signer.join();
  for (std::thread& finder : finders) finder.join();
  EXPECT_TRUE(store->CheckHealth().ok());
}

TEST_F(TokenKeyStoreTest, KeysWorkAfterTheStoreIsDestroyed) {
  auto store = Open();
  auto root = *store->Generate("root");
  const auto same = *store->Find("root");
  store.reset();
  ExpectSigns(*root);
  root.reset();
  ExpectSigns(*same);
}

}  // namespace
}  // namespace hsm
