#include "ca/model/join_token.h"

#include <gtest/gtest.h>

#include "tests/fakes/fake_clock.h"
#include "tests/fakes/must.h"
#include "tests/fakes/refusal.h"

namespace ca {
namespace {

using State = JoinTokenRecord::State;
using std::chrono::hours;
using std::chrono::microseconds;
using testing::Must;
using testing::Says;

JoinToken NewToken() { return JoinToken::New("ca.acme.example:8443", Bytes(32, 'r')); }

::testing::AssertionResult Refuses(std::string_view text) {
  return Says(JoinToken::Parse(text).status(), StatusCode::kInvalidArgument,
              "the join token is not whole");
}

TEST(JoinTokenTest, ReadsBackWhatItWrote) {
  const JoinToken token = NewToken();
  const JoinToken read = Must(JoinToken::Parse(token.ToText().Reveal()));
  EXPECT_EQ(read.address, "ca.acme.example:8443");
  EXPECT_EQ(read.root_fingerprint, Bytes(32, 'r'));
  EXPECT_EQ(read.secret.Reveal(), token.secret.Reveal());
}

TEST(JoinTokenTest, HasASecretOf256BitsThatIsNeverTheSame) {
  EXPECT_EQ(NewToken().secret.Reveal().size(), 32u);
  EXPECT_NE(NewToken().secret.Reveal(), NewToken().secret.Reveal());
}

TEST(JoinTokenTest, IsOneWordThatBeginsWithItsKind) {
  const std::string text(NewToken().ToText().Reveal());
  EXPECT_TRUE(text.starts_with("apki1_"));
  EXPECT_EQ(
      text.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"),
      std::string::npos);
}

TEST(JoinTokenTest, RefusesEveryTruncation) {
  const std::string text(NewToken().ToText().Reveal());
  for (size_t size = 0; size < text.size(); ++size) EXPECT_TRUE(Refuses(text.substr(0, size)));
}

TEST(JoinTokenTest, RefusesEveryMistypedCharacter) {
  const std::string text(NewToken().ToText().Reveal());
  for (size_t i = 0; i < text.size(); ++i) {
    std::string mistyped = text;
    mistyped[i] = text[i] == 'A' ? 'B' : 'A';
    EXPECT_TRUE(Refuses(mistyped)) << i;
  }
}

TEST(JoinTokenTest, RefusesWhatIsAroundIt) {
  const std::string text(NewToken().ToText().Reveal());
  for (const std::string& other :
       {" " + text, text + "\n", text + "AAAA", "apki2_" + text.substr(6), text.substr(6),
        text + std::string(100'000, 'A')}) {
    EXPECT_TRUE(Refuses(other));
  }
}

TEST(JoinTokenTest, BoundsTheAddress) {
  const auto with = [](size_t size) {
    return JoinToken::Parse(
        JoinToken::New(std::string(size, 'x'), Bytes(32, 'r')).ToText().Reveal());
  };
  EXPECT_TRUE(with(1).ok());
  EXPECT_TRUE(with(JoinToken::kAddressSizeMax).ok());
  EXPECT_FALSE(with(0).ok());
  EXPECT_FALSE(with(JoinToken::kAddressSizeMax + 1).ok());
}

TEST(JoinTokenTest, IsNotEchoedWhenItIsRefused) {
  const std::string text(NewToken().ToText().Reveal());
  const Status status = JoinToken::Parse(text.substr(0, text.size() - 1)).status();
  EXPECT_EQ(MessageOf(status).find(text.substr(6, 20)), std::string::npos);
}

// ---- what the ledger keeps ----------------------------------------------------------------------

class JoinTokenRecordTest : public ::testing::Test {
 protected:
  const TimePoint now_ = testing::FakeClock().Now();
  const JoinToken token_ = NewToken();
  JoinTokenRecord record_ =
      JoinTokenRecord::Of(token_, Must(SpiffeId::Parse("spiffe://prod.acme.example/bot")),
                          "spiffe://system.agentpki.internal/operator/admin", now_, hours(1));
};

TEST_F(JoinTokenRecordTest, HasTheHashOfTheSecretAndNotTheSecret) {
  EXPECT_EQ(record_.secret_hash, Sha256(token_.secret.Reveal()));
  EXPECT_EQ(record_.Id(), Hex(record_.secret_hash).substr(0, 16));
}

TEST_F(JoinTokenRecordTest, IsReadyUntilTheInstantInWhichItExpires) {
  EXPECT_EQ(record_.created_at, now_);
  EXPECT_EQ(record_.StateAt(now_), State::kReady);
  EXPECT_EQ(record_.StateAt(now_ + hours(1) - microseconds(1)), State::kReady);
  EXPECT_EQ(record_.StateAt(now_ + hours(1)), State::kExpired);
}

TEST_F(JoinTokenRecordTest, IsUsedOrRevokedWhateverTheTime) {
  JoinTokenRecord used = record_;
  used.used_at = now_;
  JoinTokenRecord revoked = record_;
  revoked.revoked_at = now_;
  for (const TimePoint time : {now_, now_ + hours(2)}) {
    EXPECT_EQ(used.StateAt(time), State::kUsed);
    EXPECT_EQ(revoked.StateAt(time), State::kRevoked);
  }
}

TEST_F(JoinTokenRecordTest, HasStatesWithNames) {
  EXPECT_EQ(NameOf(State::kReady), "ready");
  EXPECT_EQ(NameOf(State::kUsed), "used");
  EXPECT_EQ(NameOf(State::kExpired), "expired");
  EXPECT_EQ(NameOf(State::kRevoked), "revoked");
}

}  // namespace
}  // namespace ca
