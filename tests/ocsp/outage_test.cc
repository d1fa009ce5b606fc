// Answers while the database, the token or the responder's own certificate is unavailable.

#include "tests/ocsp/responder_fixture.h"

namespace ocsp::testing {
namespace {

using ca::testing::MemoryKeyStore;

class OutageTest : public ResponderFixture {
 protected:
  const ca::SerialNumber serial_ = Issue();
  const ca::Bytes request_ = About(serial_).Der();
};

TEST_F(OutageTest, SaysTryLaterRatherThanGuess) {
  ports_.revocations.TakeAway();
  EXPECT_EQ(Status(request_), "trylater");
  EXPECT_FALSE(Ask(request_)->is_cacheable);
  ports_.revocations.BringBack();
  EXPECT_EQ(Status(request_), "good");
  EXPECT_EQ(responder_.counts().try_later, 2u);
}

TEST_F(OutageTest, GoesOnWithASignedAnswerUntilItExpires) {
  const auto signed_before = Ask(request_);
  ports_.revocations.TakeAway();
  clock_.Advance(minutes(31));  // past half its lifetimetime
  EXPECT_EQ(responder_.Recall(issuer_->id(), request_), nullptr);
  EXPECT_EQ(Ask(request_), signed_before);
  clock_.Set(signed_before->next_update - std::chrono::microseconds(1));
  EXPECT_EQ(Ask(request_), signed_before);
  clock_.Set(signed_before->next_update);
  EXPECT_EQ(Status(request_), "trylater");
}

TEST_F(OutageTest, StillSaysRevokedByTheIndex) {
  EXPECT_EQ(Status(request_), "good");
  Revoke(serial_);
  ports_.revocations.TakeAway();
  EXPECT_EQ(Status(request_), "revoked");
  EXPECT_EQ(Status(About(serial_).Nonce("n").Der()), "revoked");
}

TEST_F(OutageTest, SaysTryLaterForAllWhenOneCannotBeKnown) {
  const ca::SerialNumber revoked = Issue();
  Revoke(revoked);
  ports_.revocations.TakeAway();
  EXPECT_EQ(Status(About(revoked).Der()), "revoked");
  EXPECT_EQ(Status(About(revoked).About(*issuer_, serial_).Der()), "trylater");
}

TEST_F(OutageTest, DoesNotPassOffAnOldAnswerForOneWithANonce) {
  EXPECT_EQ(Status(request_), "good");
  ports_.revocations.TakeAway();
  EXPECT_EQ(Status(About(serial_).Nonce("n").Der()), "trylater");
}

TEST_F(OutageTest, AsksTheLedgerOnceAsLongAsTheIndexIsCurrent) {
  const ca::Bytes with_nonce = About(serial_).Nonce("n").Der();
  EXPECT_EQ(Status(with_nonce), "good");
  ports_.revocations.TakeAway();
  EXPECT_EQ(Status(with_nonce), "trylater") << "nobody has said that the index is complete";
  index_.SetCompleteUntil(clock_.Now());
  EXPECT_EQ(Status(with_nonce), "good");
  EXPECT_EQ(Status(About(Issue()).Nonce("n").Der()), "trylater") << "never asked of before";
  clock_.Advance(ca::RevocationIndex::kCurrentFor);
  EXPECT_EQ(Status(with_nonce), "good");
  clock_.Advance(std::chrono::microseconds(1));
  EXPECT_EQ(Status(with_nonce), "trylater");
  index_.SetCompleteUntil(clock_.Now());
  EXPECT_EQ(Status(with_nonce), "good");
}

TEST_F(OutageTest, TrustsTheIndexMoreThanAnEarlierAnswerOfTheLedger) {
  const ca::Bytes with_nonce = About(serial_).Nonce("n").Der();
  EXPECT_EQ(Status(with_nonce), "good");
  Revoke(serial_);
  index_.SetCompleteUntil(clock_.Now());
  EXPECT_EQ(Status(with_nonce), "revoked");
}

TEST_F(OutageTest, GoesOnWithSignedAnswersWhileTheTokenIsUnavailable) {
  const auto signed_before = Ask(request_);
  ports_.keys.Fail(MemoryKeyStore::Fault::kUnavailable);
  clock_.Advance(minutes(45));
  EXPECT_EQ(Ask(request_), signed_before);
  clock_.Advance(minutes(15));
  EXPECT_EQ(Status(request_), "trylater");
  ports_.keys.Fail(MemoryKeyStore::Fault::kNone);
  EXPECT_EQ(Status(request_), "good");
}

TEST_F(OutageTest, NeverSaysGoodOfARevokedOneWhenItCannotSignTheNews) {
  EXPECT_EQ(Status(request_), "good");
  Revoke(serial_);
  ports_.keys.Fail(MemoryKeyStore::Fault::kUnavailable);
  EXPECT_EQ(Status(request_), "trylater");
}

TEST_F(OutageTest, SaysTryLaterAsLongAsThereIsNoResponder) {
  auto authorities = std::make_shared<AnsweredAuthorities>();
  authorities->emplace(issuer_->id(), AnsweredAuthority{issuer_, nullptr});
  responder_.SetAuthorities(authorities);
  EXPECT_EQ(Status(request_), "trylater");
  EXPECT_FALSE(responder_.CanSignFor(issuer_->id()));
  EXPECT_FALSE(responder_.CanSignFor(root_->id())) << "it does not know it";
  Appoint();
  EXPECT_EQ(Status(request_), "good");
  EXPECT_TRUE(responder_.CanSignFor(issuer_->id()));
}

TEST_F(OutageTest, EndsItsAnswersWithTheRespondersCertificate) {
  const ca::TimePoint end = ResponderOf(*issuer_)->validity().not_after;
  clock_.Set(end - minutes(20));
  const auto last = Ask(request_);
  EXPECT_EQ(last->next_update, end);
  EXPECT_EQ(Verified(*last), "");
  clock_.Advance(minutes(10));  // half of the rest
  EXPECT_EQ(responder_.Recall(issuer_->id(), request_), nullptr);
  EXPECT_TRUE(responder_.CanSignFor(issuer_->id()));
  clock_.Set(end);
  EXPECT_EQ(Status(request_), "trylater");
  EXPECT_FALSE(responder_.CanSignFor(issuer_->id()));
}

TEST_F(OutageTest, HandsOverToTheNextResponderAndKeepsWhatTheLastOneSigned) {
  clock_.Advance(hours(24 * 4));  // past half its lifetime
  const auto before = Ask(request_);
  const auto first = ResponderOf(*issuer_);
  Appoint();
  EXPECT_EQ(Ask(request_), before);
  clock_.Advance(minutes(30));
  const auto after = Ask(request_);
  EXPECT_NE(after, before);
  EXPECT_EQ(Verified(*after), "");
  EXPECT_EQ(after->der.find(first->certificate()) != ca::Bytes::npos, true);
  EXPECT_EQ(before->der.find(first->certificate()), ca::Bytes::npos);
}

TEST_F(OutageTest, KeepsItsLifetimeWithinBounds) {
  for (const auto& [wanted, had] :
       {std::pair{seconds(0), seconds(60)}, {hours(24 * 7), hours(24)}}) {
    Responder responder(index_, ports_.revocations, clock_, {.lifetime = wanted});
    auto authorities = std::make_shared<AnsweredAuthorities>();
    authorities->emplace(issuer_->id(), AnsweredAuthority{issuer_, ResponderOf(*issuer_)});
    responder.SetAuthorities(authorities);
    const auto answer = responder.Make(issuer_->id(), request_);
    EXPECT_EQ(answer->next_update - answer->this_update, had);
  }
}

}  // namespace
}  // namespace ocsp::testing
