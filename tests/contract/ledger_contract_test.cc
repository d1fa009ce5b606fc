// Intents: recorded, refused by each rule, and repeated.

#include <gtest/gtest.h>

#include "tests/contract/ledger_fixture.h"

namespace contract {
namespace {

using ca::Certificate;
using ca::PublicKey;
using ca::RecordedIssuance;
using ca::RenewalGrounds;
using ca::RequestId;
using ca::StatusCode;
using ca::SystemGrounds;
using ca::testing::IsRefusal;
using ca::testing::Must;
using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::seconds;

INSTANTIATE_CONTRACT(LedgerContract);

// ---- record, sign, release ----------------------------------------------------------------------

TEST_P(LedgerContract, RecordsNothingOfAnAuthorityThatIsRevokedWithAllThatItHasIssued) {
  const ca::Certificate before = deployment_.Issue(bot_);
  const ca::Certificate stranger = deployment_.Issue(stranger_);
  auto prepared = deployment_.Prepare(other_, NewKey());
  const auto authority = before.record.authority;
  const auto revoke = [&] {
    return Must(authorities().RevokeAuthority(authority, ca::RevocationReason::kCaCompromise,
                                              "it was stolen",
                                              EventIn(deployment_.acme, "RevokeAuthority")));
  };
  EXPECT_EQ(revoke(), 1);
  EXPECT_EQ(revoke(), 0) << "it may be repeated";
  ExpectRefused(Record(std::move(prepared), ca::SystemGrounds{}, NewRequest()),
                StatusCode::kAborted, "authority.superseded");
  const auto status_of = [&](const ca::Hierarchy& hierarchy, ca::AuthorityId by,
                             const ca::SerialNumber& serial) {
    return Must(revocations().FindStatus(hierarchy.id, by, serial));
  };
  const auto issuing = Must(deployment_.catalog->FindAuthority(authority));
  for (const auto& status : {status_of(deployment_.acme, authority, before.record.serial),
                             status_of(deployment_.acme, issuing->issuer(), *issuing->serial())}) {
    ASSERT_TRUE(std::holds_alternative<ca::Revocation>(status));
    EXPECT_EQ(std::get<ca::Revocation>(status).reason, ca::RevocationReason::kCaCompromise);
  }
  EXPECT_TRUE(std::holds_alternative<ca::GoodCertificate>(
      status_of(deployment_.globex, stranger.record.authority, stranger.record.serial)));
}

TEST_P(LedgerContract, GivesBackWhatItRecordsToBeSigned) {
  auto prepared = deployment_.Prepare(bot_, NewKey());
  const ca::IssuanceRecord expected = prepared.record();
  const RecordedIssuance recorded =
      Recorded(Record(std::move(prepared), SystemGrounds{}, NewRequest()));
  ExpectSame(recorded.record(), expected);
}

TEST_P(LedgerContract, FindsACertificateAsItWasSigned) {
  const Certificate issued = deployment_.Issue(bot_);
  const Certificate found =
      Must(ledger().FindCertificate(deployment_.acme.id, issued.record.serial));
  ExpectSame(found.record, issued.record);
  EXPECT_EQ(found.Der(), issued.Der());
}

TEST_P(LedgerContract, FindsNoCertificateThatWasNeverSigned) {
  const RecordedIssuance recorded = Recorded(Record(bot_, NewKey(), SystemGrounds{}));
  const auto found = ledger().FindCertificate(deployment_.acme.id, recorded.record().serial);
  EXPECT_EQ(found.status().code(), StatusCode::kNotFound);
}

TEST_P(LedgerContract, FindsNoCertificateOfAnotherHierarchy) {
  const Certificate issued = deployment_.Issue(bot_);
  const auto found = ledger().FindCertificate(deployment_.globex.id, issued.record.serial);
  EXPECT_EQ(found.status().code(), StatusCode::kNotFound);
}

TEST_P(LedgerContract, ReleasesNoSignatureOverWhatIsNotRecorded) {
  Certificate forged = deployment_.Issue(bot_);
  forged.record.serial = ca::SerialNumber::New(forged.record.validity.not_after);
  EXPECT_EQ(ledger().RecordCertificate(forged).status().code(), StatusCode::kInternal);
  EXPECT_EQ(ledger().FindCertificate(deployment_.acme.id, forged.record.serial).status().code(),
            StatusCode::kNotFound);
}

TEST_P(LedgerContract, KeepsTheFirstOfTwoSignatures) {
  const PublicKey key = NewKey();
  const RequestId request = NewRequest();
  RecordedIssuance first = Recorded(Record(bot_, key, SystemGrounds{}, request));
  RecordedIssuance second = Recorded(Record(bot_, key, SystemGrounds{}, request));
  const Certificate winner = SignAndRecord(std::move(first));
  const Certificate loser = deployment_.Sign(std::move(second));
  ASSERT_NE(loser.signature, winner.signature);

  EXPECT_EQ(Must(ledger().RecordCertificate(loser)).Der(), winner.Der());
  EXPECT_EQ(Must(ledger().FindCertificate(deployment_.acme.id, winner.record.serial)).Der(),
            winner.Der());
}

TEST_P(LedgerContract, RecordsTheEventOfWhatItAllows) {
  const size_t before = world_.Events().size();
  const RequestId request = NewRequest();
  const RecordedIssuance recorded = Recorded(Record(bot_, NewKey(), SystemGrounds{}, request));
  const auto events = world_.Events();
  ASSERT_EQ(events.size(), before + 1);
  ca::AuditEvent expected = EventIn(deployment_.acme, "Enroll");
  expected.subject = bot_.id.ToString();
  expected.serial = recorded.record().serial.ToString();
  expected.request_id = request.ToString();
  ExpectSame(events.back(), expected);
}

TEST_P(LedgerContract, RecordsAnEventThatChangesNothing) {
  ca::AuditEvent event = EventIn(deployment_.acme, "GetAgent");
  event.decision = ca::Decision::kDenied;
  event.rule = "caller.role";
  event.reason = "it may not";
  event.subject = bot_.id.ToString();
  event.serial = "01";
  event.request_id = NewRequest().ToString();
  Must(ledger().RecordEvent(event));
  ExpectSame(world_.Events().back(), event);
}

TEST_P(LedgerContract, RecordsAnEventAboutNoHierarchy) {
  ca::AuditEvent event = ca::testing::EventAt(clock_.Now(), "Enroll");
  event.decision = ca::Decision::kFailed;
  Must(ledger().RecordEvent(event));
  ExpectSame(world_.Events().back(), event);
}

TEST_P(LedgerContract, RecordsAnEventWhateverItsCallerSent) {
  ca::AuditEvent event = EventIn(deployment_.acme, "RevokeJoinToken");
  event.subject = std::string("join-token:\0\xff\xc3", 14);
  event.reason = event.request_id = event.subject;
  EXPECT_TRUE(ledger().RecordEvent(event).ok());
}

// ---- join tokens --------------------------------------------------------------------------------

TEST_P(LedgerContract, UsesAJoinTokenInTheNameOfTheRequest) {
  const ca::JoinToken token = deployment_.Invite(bot_);
  const RequestId request = NewRequest();
  clock_.Advance(microseconds(1));
  ASSERT_TRUE(Record(bot_, NewKey(), By(token), request).ok());
  EXPECT_EQ(TokenRecord(token).used_by_request, request.ToString());
  EXPECT_EQ(TokenRecord(token).used_at, clock_.Now());
}

TEST_P(LedgerContract, RefusesAJoinTokenThatItDoesNotKnow) {
  const auto answer = Record(bot_, NewKey(), ca::JoinTokenGrounds{ca::Bytes(32, 'x')});
  ExpectRefused(answer, StatusCode::kPermissionDenied, "join-token.unknown");
}

TEST_P(LedgerContract, RefusesAJoinTokenForTheSecondTime) {
  const ca::JoinToken token = deployment_.Invite(bot_);
  ASSERT_TRUE(Record(bot_, NewKey(), By(token)).ok());
  const auto answer = Record(bot_, NewKey(), By(token));
  ExpectRefused(answer, StatusCode::kPermissionDenied, "join-token.used");
}

TEST_P(LedgerContract, RefusesAJoinTokenFromTheInstantInWhichItExpires) {
  const ca::JoinToken spent = deployment_.Invite(bot_, hours(1));
  const ca::JoinToken standing = deployment_.Invite(bot_, hours(1) + seconds(1));
  clock_.Advance(hours(1));
  ExpectRefused(Record(bot_, NewKey(), By(spent)), StatusCode::kPermissionDenied,
                "join-token.expired");
  EXPECT_TRUE(Record(bot_, NewKey(), By(standing)).ok());
}

TEST_P(LedgerContract, RefusesAJoinTokenThatWasRevoked) {
  const ca::JoinToken token = deployment_.Invite(bot_);
  Must(registry()
           .RevokeJoinToken(deployment_.acme.id, TokenRecord(token).Id(), clock_.Now(),
                            EventIn(deployment_.acme, "RevokeJoinToken"))
           .status());
  ExpectRefused(Record(bot_, NewKey(), By(token)), StatusCode::kPermissionDenied,
                "join-token.revoked");
}

TEST_P(LedgerContract, RefusesAJoinTokenOfAnotherAgent) {
  const ca::JoinToken token = deployment_.Invite(other_);
  ExpectRefused(Record(bot_, NewKey(), By(token)), StatusCode::kPermissionDenied,
                "join-token.agent");
  EXPECT_TRUE(TokenRecord(token).used_by_request.empty());
}

TEST_P(LedgerContract, DoesNotKnowTheJoinTokenOfAnotherHierarchy) {
  const ca::JoinToken token = deployment_.Invite(stranger_);
  ExpectRefused(Record(bot_, NewKey(), By(token)), StatusCode::kPermissionDenied,
                "join-token.unknown");
  EXPECT_TRUE(TokenRecord(token).used_by_request.empty());
}

TEST_P(LedgerContract, KeepsNothingOfWhatItRefuses) {
  const PublicKey key = NewKey();
  deployment_.Issue(other_, key);
  const ca::JoinToken token = deployment_.Invite(bot_);
  const RequestId request = NewRequest();
  const size_t events = world_.Events().size();
  const size_t certificates = List(QueryOf(deployment_.acme)).size();

  ExpectRefused(Record(bot_, key, By(token), request), StatusCode::kAlreadyExists, "key.in-use");

  EXPECT_EQ(world_.Events().size(), events);
  EXPECT_EQ(List(QueryOf(deployment_.acme)).size(), certificates);
  EXPECT_TRUE(Record(bot_, NewKey(), By(token), request).ok())
      << "the token and the request id are as good as new";
}

// ---- authorities --------------------------------------------------------------------------------

TEST_P(LedgerContract, RefusesAnAuthorityThatDoesNotIssueAnyMore) {
  const RequestId request = NewRequest();
  const PublicKey key = NewKey();
  const auto recorded = Recorded(Record(bot_, key, SystemGrounds{}, request)).record();
  auto prepared = deployment_.Prepare(bot_, NewKey());

  deployment_.ActivateSuccessor(deployment_.acme);

  ExpectRefused(Record(std::move(prepared), SystemGrounds{}, NewRequest()), StatusCode::kAborted,
                "authority.superseded");
  const auto again = Recorded(Record(bot_, key, SystemGrounds{}, request)).record();
  EXPECT_EQ(again.serial, recorded.serial) << "a retry gets what was recorded, by whomever";
  EXPECT_EQ(again.authority, recorded.authority);
  const auto next = Recorded(Record(bot_, NewKey(), SystemGrounds{})).record();
  EXPECT_NE(next.authority, recorded.authority);
}

// ---- agents -------------------------------------------------------------------------------------

TEST_P(LedgerContract, RefusesAnAgentThatIsDisabled) {
  const ca::JoinToken token = deployment_.Invite(bot_);
  world_.Disable(bot_.id);
  ExpectRefused(Record(bot_, NewKey(), By(token)), StatusCode::kPermissionDenied, "agent.disabled");
  ExpectRefused(Record(bot_, NewKey(), SystemGrounds{}), StatusCode::kPermissionDenied,
                "agent.disabled");
}

TEST_P(LedgerContract, RefusesAnAgentThatIsNotRegistered) {
  ca::Agent ghost = ca::testing::AgentOf(deployment_.acme, "ghost");
  ghost.number = ca::AgentNumber{4711};
  ExpectRefused(Record(ghost, NewKey(), SystemGrounds{}), StatusCode::kNotFound, "agent.unknown");
}

TEST_P(LedgerContract, RefusesAnAgentByTheNumberOfAnother) {
  ca::Agent impostor = bot_;
  impostor.number = other_.number;
  ExpectRefused(Record(impostor, NewKey(), SystemGrounds{}), StatusCode::kNotFound,
                "agent.unknown");
}

TEST_P(LedgerContract, RefusesAnAgentOfAnotherHierarchy) {
  ca::Agent lost = bot_;  // but for its number: another trust domain does not pass the linter
  lost.number = stranger_.number;
  ExpectRefused(Record(lost, NewKey(), SystemGrounds{}), StatusCode::kNotFound, "agent.unknown");
}

// ---- renewals -----------------------------------------------------------------------------------

TEST_P(LedgerContract, RenewsWithTheCertificateThatStandsAndANewKey) {
  const Certificate standing = deployment_.Issue(bot_);
  EXPECT_TRUE(Record(bot_, NewKey(), RenewalGrounds{standing.record.serial}).ok());
}

TEST_P(LedgerContract, RefusesARenewalByACertificateThatItDoesNotKnow) {
  const auto unknown = ca::SerialNumber::New(clock_.Now() + hours(1));
  ExpectRefused(Record(bot_, NewKey(), RenewalGrounds{unknown}), StatusCode::kPermissionDenied,
                "renewal.unknown-certificate");
}

TEST_P(LedgerContract, RefusesARenewalByACertificateThatWasNeverSigned) {
  const RecordedIssuance recorded = Recorded(Record(bot_, NewKey(), SystemGrounds{}));
  ExpectRefused(Record(bot_, NewKey(), RenewalGrounds{recorded.record().serial}),
                StatusCode::kPermissionDenied, "renewal.unknown-certificate");
}

TEST_P(LedgerContract, RefusesARenewalByTheCertificateOfAnotherAgent) {
  const Certificate standing = deployment_.Issue(other_);
  ExpectRefused(Record(bot_, NewKey(), RenewalGrounds{standing.record.serial}),
                StatusCode::kPermissionDenied, "renewal.unknown-certificate");
}

TEST_P(LedgerContract, RefusesARenewalWithAKeyThatHasALiveCertificate) {
  const PublicKey key = NewKey();
  const Certificate standing = deployment_.Issue(bot_, key);
  ExpectRefused(Record(bot_, key, RenewalGrounds{standing.record.serial}),
                StatusCode::kAlreadyExists, "key.not-new");
}

TEST_P(LedgerContract, TakesAnEarlierKeyForARenewalOnceItsCertificatesHaveExpired) {
  const PublicKey key = NewKey();
  const Certificate first = deployment_.Issue(bot_, key);
  clock_.Set(first.record.validity.not_after + microseconds(1));
  const Certificate standing = deployment_.Issue(bot_);
  EXPECT_TRUE(Record(bot_, key, RenewalGrounds{standing.record.serial}).ok());
}

// ---- one key, one agent -------------------------------------------------------------------------

TEST_P(LedgerContract, RefusesAKeyThatAnotherAgentHasALiveCertificateFor) {
  const PublicKey key = NewKey();
  const Certificate live = deployment_.Issue(other_, key);
  clock_.Set(live.record.validity.not_after);  // its last instant
  ExpectRefused(Record(bot_, key, SystemGrounds{}), StatusCode::kAlreadyExists, "key.in-use");
}

TEST_P(LedgerContract, RefusesAKeyThatAnAgentOfAnotherHierarchyHasALiveCertificateFor) {
  const PublicKey key = NewKey();
  deployment_.Issue(stranger_, key);
  ExpectRefused(Record(bot_, key, SystemGrounds{}), StatusCode::kAlreadyExists, "key.in-use");
}

TEST_P(LedgerContract, RefusesAKeyThatIsRecordedForAnotherAgentAndNotYetSigned) {
  const PublicKey key = NewKey();
  ASSERT_TRUE(Record(other_, key, SystemGrounds{}).ok());
  ExpectRefused(Record(bot_, key, SystemGrounds{}), StatusCode::kAlreadyExists, "key.in-use");
}

TEST_P(LedgerContract, TakesAKeyWhoseCertificatesForAnotherAgentHaveExpired) {
  const PublicKey key = NewKey();
  const Certificate expired = deployment_.Issue(other_, key);
  clock_.Set(expired.record.validity.not_after + microseconds(1));
  EXPECT_TRUE(Record(bot_, key, SystemGrounds{}).ok());
}

TEST_P(LedgerContract, TakesTheSameKeyOfTheSameAgentByANewJoinToken) {
  const PublicKey key = NewKey();
  deployment_.Issue(bot_, key);
  EXPECT_TRUE(Record(bot_, key, By(deployment_.Invite(bot_))).ok());
}

// ---- retries ------------------------------------------------------------------------------------

TEST_P(LedgerContract, AnswersARequestThatWasAnsweredWithTheSameCertificate) {
  const PublicKey key = NewKey();
  const ca::JoinToken token = deployment_.Invite(bot_);
  const RequestId request = NewRequest();
  const Certificate first = SignAndRecord(Recorded(Record(bot_, key, By(token), request)));
  clock_.Advance(hours(2));  // when the token has expired, and the certificate too

  const auto again = Must(Record(bot_, key, By(token), request));

  ASSERT_TRUE(std::holds_alternative<Certificate>(again));
  ExpectSame(std::get<Certificate>(again).record, first.record);
  EXPECT_EQ(std::get<Certificate>(again).Der(), first.Der());
  EXPECT_EQ(List(QueryOf(deployment_.acme)).size(), 1u);
}

TEST_P(LedgerContract, GoesOnWithTheFirstAttemptThatWasRecordedAndNeverSigned) {
  const PublicKey key = NewKey();
  const ca::JoinToken token = deployment_.Invite(bot_);
  const RequestId request = NewRequest();
  const ca::IssuanceRecord first = Recorded(Record(bot_, key, By(token), request)).record();
  clock_.Advance(seconds(10));

  const RecordedIssuance again = Recorded(Record(bot_, key, By(token), request));

  ExpectSame(again.record(), first);
  EXPECT_EQ(List(QueryOf(deployment_.acme)).size(), 1u);
}

TEST_P(LedgerContract, GoesOnWithARenewalThatWasRecordedAndNeverSigned) {
  const Certificate standing = deployment_.Issue(bot_);
  const PublicKey key = NewKey();
  const RequestId request = NewRequest();
  const RenewalGrounds grounds{standing.record.serial};
  const ca::IssuanceRecord first = Recorded(Record(bot_, key, grounds, request)).record();
  ExpectSame(Recorded(Record(bot_, key, grounds, request)).record(), first);
}

TEST_P(LedgerContract, RecordsThatARequestWasAnsweredAgain) {
  const PublicKey key = NewKey();
  const RequestId request = NewRequest();
  const Certificate first = SignAndRecord(Recorded(Record(bot_, key, SystemGrounds{}, request)));
  ASSERT_TRUE(Record(bot_, key, SystemGrounds{}, request).ok());
  const ca::AuditEvent told = world_.Events().back();
  EXPECT_EQ(told.decision, ca::Decision::kAllowed);
  EXPECT_EQ(told.rule, "replay");
  EXPECT_EQ(told.serial, first.record.serial.ToString());
}

TEST_P(LedgerContract, RefusesARequestIdThatWasUsedForAnotherKey) {
  const RequestId request = NewRequest();
  ASSERT_TRUE(Record(bot_, NewKey(), SystemGrounds{}, request).ok());
  ExpectRefused(Record(bot_, NewKey(), SystemGrounds{}, request), StatusCode::kInvalidArgument,
                "request-id.reused");
}

TEST_P(LedgerContract, TellsAgentsThatUseTheSameRequestIdApart) {
  const RequestId request = NewRequest();
  const RecordedIssuance first = Recorded(Record(bot_, NewKey(), SystemGrounds{}, request));
  const RecordedIssuance second = Recorded(Record(other_, NewKey(), SystemGrounds{}, request));
  EXPECT_NE(first.record().serial, second.record().serial);
}

}  // namespace
}  // namespace contract
