#include "tests/ocsp/responder_fixture.h"

namespace ocsp::testing {
namespace {

using ca::RevocationReason;

class ResponderTest : public ResponderFixture {
 protected:
  const ca::SerialNumber serial_ = Issue();
};

TEST_F(ResponderTest, SaysGoodOfASignedCertificateByBothHashes) {
  for (const EVP_MD* hash : {EVP_sha1(), EVP_sha256()}) {
    const ca::Bytes request = About(serial_, hash).Der();
    const auto answer = Ask(request);
    const Verdict verdict = Read(*answer, request);
    ASSERT_EQ(verdict.response, "successful");
    EXPECT_EQ(verdict.singles.front().status, "good");
    EXPECT_EQ(Verified(*answer), "");
  }
}

TEST_F(ResponderTest, DatesItsAnswersInWholeSeconds) {
  const ca::Bytes request = About(serial_).Der();
  const auto answer = Ask(request);
  const Verdict verdict = Read(*answer, request);
  const auto now = std::chrono::floor<seconds>(clock_.Now());
  EXPECT_EQ(verdict.produced_at, now);
  EXPECT_EQ(verdict.singles.front().this_update, now);
  EXPECT_EQ(verdict.singles.front().next_update, now + hours(1));
  EXPECT_TRUE(answer->is_cacheable);
  EXPECT_EQ(answer->this_update, now);
  EXPECT_EQ(answer->next_update, now + hours(1));
  EXPECT_EQ(answer->etag.size(), 34u);
  EXPECT_EQ(answer->etag.front(), '"');
}

TEST_F(ResponderTest, AnswersForAsLongAsTheHierarchySaysFromTheNextOneOn) {
  const ca::Bytes request = About(serial_).Der();
  const auto before = Ask(request);
  for (const seconds lifetime : {seconds(minutes(5)), seconds(hours(24))}) {
    lifetime_ = lifetime;
    Appoint();
    EXPECT_EQ(Ask(request), before) << "what was signed is given until half of its life";
    const ca::Bytes other = About(Issue()).Der();
    const auto answer = Ask(other);
    EXPECT_EQ(answer->next_update - answer->this_update, lifetime);
  }
}

TEST_F(ResponderTest, RepeatsANonceAndSignsEachTime) {
  for (const size_t size : {1u, 32u, 128u}) {
    const ca::Bytes request = About(serial_).Nonce(ca::Bytes(size, 'n')).Der();
    const auto answer = Ask(request);
    const Verdict verdict = Read(*answer, request);
    EXPECT_EQ(verdict.nonce, 1) << size;  // present in both, and equal
    EXPECT_EQ(verdict.singles.front().status, "good");
    EXPECT_EQ(Verified(*answer), "");
    EXPECT_FALSE(answer->is_cacheable);
    EXPECT_EQ(responder_.Recall(issuer_->id(), request), nullptr);
  }
  EXPECT_EQ(responder_.counts().signed_answers, 3u);
}

TEST_F(ResponderTest, SaysRevokedWithTimeAndReason) {
  for (const auto reason :
       {RevocationReason::kKeyCompromise, RevocationReason::kCessationOfOperation,
        RevocationReason::kAaCompromise}) {
    const ca::SerialNumber serial = Issue();
    Revoke(serial, reason);
    const ca::Bytes request = About(serial).Der();
    const auto answer = Ask(request);
    const Single single = Read(*answer, request).singles.front();
    EXPECT_EQ(single.status, "revoked");
    EXPECT_EQ(single.reason, static_cast<int>(reason));
    EXPECT_EQ(single.revoked_at, std::chrono::floor<seconds>(clock_.Now()));
    EXPECT_EQ(Verified(*answer), "");
    EXPECT_TRUE(answer->is_cacheable);
  }
}

TEST_F(ResponderTest, LeavesOutTheReasonThatSaysNothing) {
  Revoke(serial_, RevocationReason::kUnspecified);
  const ca::Bytes request = About(serial_).Der();
  const Single single = Read(*Ask(request), request).singles.front();
  EXPECT_EQ(single.status, "revoked");
  EXPECT_EQ(single.reason, std::nullopt);
}

TEST_F(ResponderTest, FlipsAtOnceWhenTheIndexLearnsOfARevocation) {
  const ca::Bytes request = About(serial_).Der();
  EXPECT_EQ(Status(request), "good");
  ASSERT_NE(responder_.Recall(issuer_->id(), request), nullptr);

  Revoke(serial_);

  EXPECT_EQ(responder_.Recall(issuer_->id(), request), nullptr);
  EXPECT_EQ(Status(request), "revoked");
  const auto recalled = responder_.Recall(issuer_->id(), request);
  ASSERT_NE(recalled, nullptr);
  EXPECT_EQ(StatusIn(*recalled, request), "revoked");
}

TEST_F(ResponderTest, BelievesTheLedgerWhenTheIndexIsBehind) {
  RevokeInTheLedger(serial_);
  const ca::Bytes request = About(serial_).Der();
  EXPECT_EQ(Status(request), "revoked");
  EXPECT_NE(responder_.Recall(issuer_->id(), request), nullptr);
}

TEST_F(ResponderTest, RecallsWithoutSigningUntilHalfOfItsLife) {
  const ca::Bytes request = About(serial_).Der();
  const auto made = Ask(request);
  clock_.Advance(minutes(29));
  EXPECT_EQ(responder_.Recall(issuer_->id(), request), made);
  clock_.Advance(minutes(1));
  EXPECT_EQ(responder_.Recall(issuer_->id(), request), nullptr);
  const auto refreshed = responder_.Make(issuer_->id(), request);
  EXPECT_EQ(refreshed->this_update, std::chrono::floor<seconds>(clock_.Now()));
  EXPECT_EQ(responder_.Recall(issuer_->id(), request), refreshed);
  EXPECT_EQ(responder_.counts().signed_answers, 2u);
  EXPECT_EQ(responder_.counts().recalled, 2u);
}

TEST_F(ResponderTest, CachesOneAnswerForAllEqualQuestions) {
  const auto made = Ask(About(serial_).Der());
  Question adorned = About(serial_);
  adorned.Extension("1.2.3.4", false, "x").Signed();
  EXPECT_EQ(Ask(adorned.Der()), made);
  EXPECT_EQ(responder_.counts().signed_answers, 1u);
}

TEST_F(ResponderTest, AnswersForSeveralCertificatesAtOnce) {
  const ca::SerialNumber revoked = Issue();
  Revoke(revoked);
  const ca::Bytes request = About(serial_).About(*issuer_, revoked, EVP_sha256()).Der();
  const auto answer = Ask(request);
  const Verdict verdict = Read(*answer, request);
  ASSERT_EQ(verdict.singles.size(), 2u);
  EXPECT_EQ(verdict.singles[0].status, "good");
  EXPECT_EQ(verdict.singles[1].status, "revoked");
  EXPECT_EQ(Verified(*answer), "");
  EXPECT_EQ(responder_.Recall(issuer_->id(), request), answer);

  Revoke(serial_);
  EXPECT_EQ(responder_.Recall(issuer_->id(), request), nullptr);
  EXPECT_EQ(Status(request), "revoked");
}

TEST_F(ResponderTest, SaysUnknownOfASerialItNeverSignedAndDoesNotCacheThat) {
  const ca::Bytes request = About(ca::SerialNumber::New(clock_.Now())).Der();
  for (int i = 0; i < 2; ++i) {
    const auto answer = Ask(request);
    EXPECT_EQ(StatusIn(*answer, request), "unknown");
    EXPECT_EQ(Verified(*answer), "");
    EXPECT_FALSE(answer->is_cacheable);
  }
  EXPECT_EQ(responder_.counts().signed_answers, 2u);
  EXPECT_EQ(responder_.counts().recalled, 0u);
}

TEST_F(ResponderTest, SaysUnknownOfWhatIsRecordedAndNotSignedUntilItIs) {
  auto event = ca::testing::EventAt(clock_.Now(), "Enroll");
  event.hierarchy = agent_.hierarchy;
  auto intent = Must(ports_.ledger.RecordIntent(
      deployment_.Prepare(agent_, ca::testing::PublicHalf(ca::testing::NewSubjectKey())),
      ca::SystemGrounds{}, ca::RequestId::New(clock_.Now()), event));
  auto recorded = std::get<ca::RecordedIssuance>(std::move(intent));
  const ca::Bytes request = About(recorded.record().serial).Der();
  EXPECT_EQ(Status(request), "unknown");
  Must(ports_.ledger.RecordCertificate(deployment_.Sign(std::move(recorded))));
  EXPECT_EQ(Status(request), "good");
}

TEST_F(ResponderTest, DoesNotAskTheLedgerForASerialThatIsNotOfItsForm) {
  const ca::Bytes request = Question().AboutOctets(*issuer_, "\x02").Der();
  EXPECT_EQ(Status(request), "unknown");
  EXPECT_EQ(ports_.revocations.find_count(), 0);
}

TEST_F(ResponderTest, SaysGoodOfAnAuthorityThatTheRootIssued) {
  const ca::Bytes request = Question().About(*root_, *issuer_->serial(), EVP_sha256()).Der();
  const auto answer = responder_.Make(root_->id(), request);
  EXPECT_EQ(StatusIn(*answer, request), "good");
  EXPECT_EQ(Verify(*answer, *root_, *root_, clock_.Now()), "");
  EXPECT_EQ(ports_.revocations.find_count(), 0);

  Revoke(*issuer_->serial(), RevocationReason::kCaCompromise);
  EXPECT_EQ(responder_.Recall(root_->id(), request), nullptr);
  EXPECT_EQ(StatusIn(*responder_.Make(root_->id(), request), request), "revoked");
}

TEST_F(ResponderTest, IsUnauthorizedForAnothersCertificates) {
  const auto globex = Must(deployment_.catalog->Find(deployment_.globex.id)->ActiveIssuer());
  EXPECT_EQ(Status(Question().About(*globex, serial_).Der()), "unauthorized");
  EXPECT_EQ(Status(Question().About(*root_, serial_).Der()), "unauthorized");
  // The whole request is refused, even if one certificate is of this issuer.
  EXPECT_EQ(Status(About(serial_).About(*globex, serial_).Der()), "unauthorized");
  EXPECT_EQ(Status(About(serial_, EVP_sha384()).Der()), "unauthorized");
  const ca::Bytes ours = About(serial_).Der();
  EXPECT_EQ(StatusIn(*responder_.Make(ca::AuthorityId{4711}, ours), ours), "unauthorized");
  EXPECT_EQ(StatusIn(*responder_.Make(root_->id(), ours), ours), "unauthorized");
  EXPECT_EQ(responder_.counts().unauthorized, 6u);
  EXPECT_FALSE(Ask(Question().About(*globex, serial_).Der())->is_cacheable);
}

TEST_F(ResponderTest, IsUnauthorizedWhenNameAndKeyAreOfTwoAuthorities) {
  auto request = Must(Request::Parse(About(serial_).Der()));
  ca::Bytes der = About(serial_).Der();
  const ca::Bytes key = request.cert_ids.front().issuer_key_hash;
  der.replace(der.find(key), key.size(), root_->key_identifier());
  EXPECT_EQ(Status(der), "unauthorized");
}

TEST_F(ResponderTest, CallsAnUnreadableRequestMalformed) {
  const ca::Bytes good = About(serial_).Der();
  for (const ca::Bytes& bad :
       {ca::Bytes(), ca::Bytes("GET / HTTP/1.1"), good + "x", good.substr(0, good.size() - 1),
        About(serial_).Nonce("").Der(), About(serial_).Nonce(ca::Bytes(129, 'n')).Der(),
        ca::Bytes(Responder::kRequestMax + 1, '0')}) {
    EXPECT_EQ(Status(bad), "malformedrequest") << ca::Hex(bad);
  }
  EXPECT_EQ(responder_.counts().malformed, 7u);
}

TEST_F(ResponderTest, DoesNotLetAnIndexEntryOfAnotherAuthoritySpeak) {
  index_.Add({.serial = serial_,
              .hierarchy = deployment_.acme.id,
              .authority = root_->id(),
              .not_after = clock_.Now() + hours(1),
              .revoked_at = clock_.Now()});
  EXPECT_EQ(Status(About(serial_).Der()), "good");
}

TEST_F(ResponderTest, TellsTheStatusOfOneSerialWithoutSigning) {
  EXPECT_TRUE(std::holds_alternative<ca::GoodCertificate>(
      Must(responder_.StatusOf(issuer_->id(), serial_))));
  Revoke(serial_);
  EXPECT_TRUE(
      std::holds_alternative<ca::Revocation>(Must(responder_.StatusOf(issuer_->id(), serial_))));
  EXPECT_EQ(responder_.StatusOf(ca::AuthorityId{4711}, serial_).status().code(),
            ca::StatusCode::kNotFound);
  EXPECT_EQ(responder_.counts().signed_answers, 0u);
}

}  // namespace
}  // namespace ocsp::testing
