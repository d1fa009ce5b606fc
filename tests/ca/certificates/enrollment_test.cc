// Enrollment and renewal: certificates are issued, refused, and interrupted at each step.

#include "ca/certificates/enrollment.h"

#include <optional>

#include "tests/fakes/interrupted_ports.h"
#include "tests/fixtures/csr_builder.h"
#include "tests/fixtures/use_case_test.h"

namespace ca {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::IsRefusal;
using testing::MemoryKeyStore;
using testing::Must;
using testing::Step;

class EnrollmentTest : public testing::StoryTest {
 protected:
  // Interrupts one step, once.
  void InterruptAt(Step step, Status status) { interruption_.emplace(step, std::move(status)); }

  RequestId NewRequest() const { return RequestId::New(clock_.Now()); }

  EnrollmentRequest RequestBy(const JoinToken& token, Bytes csr) const {
    return {NewRequest(), std::move(csr), Secret(std::string(token.secret.Reveal()))};
  }
  EnrollmentRequest RequestBy(const JoinToken& token) const {
    return RequestBy(token, testing::NewSubjectKey().Csr(std::nullopt));
  }

  Result<IssuedCertificate> Enroll(const EnrollmentRequest& request) {
    return testing::ValueOf(enrollment_.Enroll(CallBy(Caller(), Action::kEnroll), request));
  }
  Result<IssuedCertificate> Renew(const Caller& caller, Bytes csr) {
    return testing::ValueOf(
        enrollment_.Renew(CallBy(caller, Action::kRenew), {NewRequest(), std::move(csr)}));
  }
  Result<IssuedCertificate> Renew(const Caller& caller) {
    return Renew(caller, testing::NewSubjectKey().Csr(std::nullopt));
  }

  static Caller CallerWith(const IssuedCertificate& issued) {
    const IssuanceRecord& record = issued.certificate.record;
    return {.id = record.subject, .hierarchy = record.hierarchy, .serial = record.serial};
  }

  std::vector<CertificateEntry> List() {
    return Must(ports_.ledger.ListCertificates({.hierarchy = deployment_.acme.id}));
  }
  JoinTokenRecord::State StateOf(const JoinToken& token) {
    return Must(ports_.registry.FindInvitation(Sha256(token.secret.Reveal())))
        .token.StateAt(clock_.Now());
  }

  // A refusal leaves nothing behind: no record, no use of the token, and no signature.
  void ExpectRefused(const EnrollmentRequest& request, StatusCode code, std::string_view rule) {
    const size_t events = ports_.events.All().size();
    const size_t issuances = List().size();
    const int signatures = signatures_;
    EXPECT_TRUE(IsRefusal(Enroll(request).status(), code, rule));
    EXPECT_EQ(ports_.events.All().size(), events) << "the event is the caller's to record";
    EXPECT_EQ(List().size(), issuances);
    EXPECT_EQ(signatures_, signatures);
  }

  const Agent bot_ = deployment_.Register(deployment_.acme, "billing/invoice-bot");
  const JoinToken token_ = deployment_.Invite(bot_);
  int signatures_ = 0;

 private:
  Status Interrupt(Step step) {
    if (!interruption_ || interruption_->first != step) return Ok();
    const Status status = interruption_->second;
    interruption_.reset();
    return status;
  }

  std::optional<std::pair<Step, Status>> interruption_;
  testing::InterruptedLedger ledger_{ports_.ledger, [this](Step step) { return Interrupt(step); }};
  testing::InterruptedKeyStore keys_{ports_.keys, [this](Step step) { return Interrupt(step); },
                                     [this](BytesView, BytesView) { ++signatures_; }};

 protected:
  const std::unique_ptr<LiveCatalog> catalogs_ = Must(LiveCatalog::Load(ports_.stores(), keys_));
  const Enrollment enrollment_{*catalogs_, ports_.registry, ledger_, testing::Directory(), clock_};
};

// ---- what is kept of a request ------------------------------------------------------------------

TEST_F(EnrollmentTest, TheEventKeepsWhatThePolicyDecidedBy) {
  const auto issued = Must(Enroll(RequestBy(token_)));
  EXPECT_EQ(ports_.events.All().back().request,
            RequestFacts::Of(bot_, KeyType::kP256, Operation::kEnroll));
  Must(Renew(CallerWith(issued)).status());
  EXPECT_EQ(ports_.events.All().back().request,
            RequestFacts::Of(bot_, KeyType::kP256, Operation::kRenew));
}

TEST_F(EnrollmentTest, TheEventOfARefusalKeepsIt) {
  const SubjectKey key = Must(SubjectKey::Generate(KeyType::kEd25519));
  ExpectRefused(RequestBy(token_, key.Csr(std::nullopt)), StatusCode::kInvalidArgument,
                "profile.key-type");
  EXPECT_EQ(LastEvent().request, RequestFacts::Of(bot_, KeyType::kEd25519, Operation::kEnroll));
}

TEST_F(EnrollmentTest, TheEventOfARequestThatIsNoneHasNothingToKeep) {
  EXPECT_FALSE(Enroll(RequestBy(token_, "no csr")).ok());
  EXPECT_EQ(LastEvent().request, std::nullopt);
}

// ---- quotas -------------------------------------------------------------------------------------

TEST_F(EnrollmentTest, GivesATenantNoMoreThanItsQuota) {
  const Quotas quotas({{"acme", {.agents = 0, .certificates_per_minute = 2}}});
  const Enrollment enrollment(*catalogs_, ports_.registry, ports_.ledger, testing::Directory(),
                              clock_, quotas);
  const auto issue = [&](const Agent& agent, const Grounds& grounds) {
    return enrollment
        .Issue(CallBy(Caller(), Action::kEnroll), agent, testing::NewSubjectKey().Csr(agent.id),
               grounds, RequestId::New(clock_.Now()))
        .status();
  };
  const auto issued = Must(Enroll(RequestBy(token_)));  // by a server without quotas
  const RenewalGrounds renewal{issued.certificate.record.serial};
  Must(issue(bot_, renewal));
  Must(issue(bot_, renewal));
  EXPECT_TRUE(testing::IsRefusal(issue(bot_, renewal), StatusCode::kResourceExhausted,
                                 "quota.certificates"));
  Must(issue(bot_, SystemGrounds{}));
  clock_.Advance(seconds(30));
  Must(issue(bot_, renewal));
}

// ---- enrolling ----------------------------------------------------------------------------------

TEST_F(EnrollmentTest, IssuesACertificateForWhomTheJoinTokenNames) {
  const SubjectKey key = testing::NewSubjectKey();
  const auto issued = Must(Enroll(RequestBy(token_, key.Csr(std::nullopt))));

  const IssuanceRecord& record = issued.certificate.record;
  EXPECT_EQ(record.subject, bot_.id);
  EXPECT_EQ(record.hierarchy, deployment_.acme.id);
  EXPECT_EQ(record.agent, bot_.number);
  EXPECT_EQ(record.profile, "agent");
  EXPECT_EQ(record.key_fingerprint, testing::PublicHalf(key).fingerprint());
  EXPECT_EQ(record.validity.not_before, std::chrono::floor<seconds>(clock_.Now()) - minutes(1));
  EXPECT_EQ(record.validity.not_after, std::chrono::floor<seconds>(clock_.Now()) + hours(1));
}

TEST_F(EnrollmentTest, ReleasesTheCertificateWithItsChainAndRoots) {
  const auto issued = Must(Enroll(RequestBy(token_)));
  const auto issuer = Must(catalogs_->Snapshot()->Find(deployment_.acme.id)->ActiveIssuer());
  EXPECT_EQ(issued.intermediates(), std::vector{issuer->certificate()});
  EXPECT_EQ(issued.roots(), catalogs_->Snapshot()->Find(deployment_.acme.id)->Roots());

  const X509Ptr leaf = Must(ParseX509(issued.certificate.Der()));
  EXPECT_EQ(X509_verify(leaf.get(), X509_get0_pubkey(issuer->x509())), 1);
}

TEST_F(EnrollmentTest, HasTheCertificateInTheLedgerBeforeItIsReleased) {
  const auto issued = Must(Enroll(RequestBy(token_)));
  const Certificate recorded =
      Must(ports_.ledger.FindCertificate(deployment_.acme.id, issued.certificate.record.serial));
  EXPECT_EQ(recorded.Der(), issued.certificate.Der());
  EXPECT_EQ(StateOf(token_), JoinTokenRecord::State::kUsed);
}

TEST_F(EnrollmentTest, RecordsWhoGotWhatByWhichToken) {
  const EnrollmentRequest request = RequestBy(token_);
  const auto issued = Must(Enroll(request));
  const AuditEvent event = ports_.events.All().back();
  EXPECT_EQ(event.actor, "join-token:" + Hex(Sha256(token_.secret.Reveal())).substr(0, 16));
  EXPECT_EQ(event.action, "Enroll");
  EXPECT_EQ(event.decision, Decision::kAllowed);
  EXPECT_EQ(event.hierarchy, deployment_.acme.id);
  EXPECT_EQ(event.subject, bot_.id.ToString());
  EXPECT_EQ(event.serial, issued.certificate.record.serial.ToString());
  EXPECT_EQ(event.request_id, request.id.ToString());
}

TEST_F(EnrollmentTest, TakesACsrThatAsksForTheAgentsOwnName) {
  EXPECT_TRUE(Enroll(RequestBy(token_, testing::NewSubjectKey().Csr(bot_.id))).ok());
}

// ---- refusing -----------------------------------------------------------------------------------

TEST_F(EnrollmentTest, RefusesATokenThatNobodyMade) {
  ExpectRefused(RequestBy(JoinToken::New("ca.example:8443", Bytes(32, 'r'))),
                StatusCode::kPermissionDenied, "join-token.unknown");
  EXPECT_EQ(LastEvent().subject, "") << "it learned nothing";
}

TEST_F(EnrollmentTest, RefusesATokenThatWasUsedByAnotherRequest) {
  Must(Enroll(RequestBy(token_)).status());
  ExpectRefused(RequestBy(token_), StatusCode::kPermissionDenied, "join-token.used");
}

TEST_F(EnrollmentTest, RefusesATokenThatHasExpired) {
  clock_.Advance(hours(1));
  ExpectRefused(RequestBy(token_), StatusCode::kPermissionDenied, "join-token.expired");
}

TEST_F(EnrollmentTest, RefusesATokenThatWasRevoked) {
  const std::string id = Hex(Sha256(token_.secret.Reveal())).substr(0, 16);
  Must(ports_.registry
           .RevokeJoinToken(deployment_.acme.id, id, clock_.Now(),
                            testing::EventAt(clock_.Now(), "RevokeJoinToken"))
           .status());
  ExpectRefused(RequestBy(token_), StatusCode::kPermissionDenied, "join-token.revoked");
}

TEST_F(EnrollmentTest, RefusesAnAgentThatIsDisabled) {
  ports_.registry.Disable(bot_.id);
  ExpectRefused(RequestBy(token_), StatusCode::kPermissionDenied, "agent.disabled");
  EXPECT_EQ(StateOf(token_), JoinTokenRecord::State::kReady);
}

TEST_F(EnrollmentTest, RefusesAKeyOfAnotherAgentAndSparesTheToken) {
  const SubjectKey key = testing::NewSubjectKey();
  deployment_.Issue(deployment_.Register(deployment_.acme, "other"), testing::PublicHalf(key));
  ExpectRefused(RequestBy(token_, key.Csr(std::nullopt)), StatusCode::kAlreadyExists, "key.in-use");
  EXPECT_EQ(StateOf(token_), JoinTokenRecord::State::kReady);
}

TEST_F(EnrollmentTest, RefusesACsrThatIsNoneAndSparesTheToken) {
  ExpectRefused(RequestBy(token_, "junk"), StatusCode::kInvalidArgument, "csr.malformed");
  EXPECT_EQ(StateOf(token_), JoinTokenRecord::State::kReady);
  EXPECT_EQ(LastEvent().subject, bot_.id.ToString()) << "what it learned is there for the event";
  EXPECT_EQ(LastEvent().hierarchy, deployment_.acme.id);
}

TEST_F(EnrollmentTest, RefusesACsrThatAsksForAnotherName) {
  const SpiffeId other = testing::IdOf(deployment_.acme, "other");
  ExpectRefused(RequestBy(token_, testing::NewSubjectKey().Csr(other)),
                StatusCode::kInvalidArgument, "csr.alternative-name");
}

TEST_F(EnrollmentTest, RefusesAKeyThatTheProfileDoesNotAllow) {
  const Bytes csr = testing::CsrBuilder(testing::SharedKey(KeyType::kRsa2048)).Der();
  ExpectRefused(RequestBy(token_, csr), StatusCode::kInvalidArgument, "profile.key-type");
}

TEST_F(EnrollmentTest, SaysThatTheRegistryIsAwayAndNotThatTheTokenIsUnknown) {
  ports_.registry.TakeAway();
  EXPECT_EQ(Enroll(RequestBy(token_)).status().code(), StatusCode::kUnavailable);
}

TEST_F(EnrollmentTest, SaysToTryAgainForAHierarchyThatThisServerHasNotHeardOf) {
  Agent agent = bot_;
  agent.hierarchy = HierarchyId{99};
  EXPECT_EQ(enrollment_
                .Issue(CallBy(Caller(), Action::kEnroll), agent,
                       testing::NewSubjectKey().Csr(std::nullopt), SystemGrounds{}, NewRequest())
                .status()
                .code(),
            StatusCode::kUnavailable);
}

// ---- renewing -----------------------------------------------------------------------------------

TEST_F(EnrollmentTest, RenewsForANewKey) {
  const auto first = Must(Enroll(RequestBy(token_)));
  clock_.Advance(minutes(40));
  const auto second = Must(Renew(CallerWith(first)));
  EXPECT_EQ(second.certificate.record.subject, bot_.id);
  EXPECT_NE(second.certificate.record.serial, first.certificate.record.serial);
  EXPECT_GT(second.certificate.record.validity.not_after,
            first.certificate.record.validity.not_after);
  EXPECT_EQ(ports_.events.All().back().action, "Renew");
  EXPECT_EQ(ports_.events.All().back().subject, bot_.id.ToString());
}

TEST_F(EnrollmentTest, RenewsForNobodyWithoutACertificate) {
  EXPECT_TRUE(
      IsRefusal(Renew(Caller{}).status(), StatusCode::kUnauthenticated, "caller.anonymous"));
}

TEST_F(EnrollmentTest, RenewsForNoKeyThatIsNotNew) {
  const SubjectKey key = testing::NewSubjectKey();
  const auto first = Must(Enroll(RequestBy(token_, key.Csr(std::nullopt))));
  EXPECT_TRUE(IsRefusal(Renew(CallerWith(first), key.Csr(std::nullopt)).status(),
                        StatusCode::kAlreadyExists, "key.not-new"));
}

TEST_F(EnrollmentTest, RenewsForNobodyWhoIsDisabled) {
  const auto first = Must(Enroll(RequestBy(token_)));
  ports_.registry.Disable(bot_.id);
  EXPECT_TRUE(IsRefusal(Renew(CallerWith(first)).status(), StatusCode::kPermissionDenied,
                        "agent.disabled"));
}

TEST_F(EnrollmentTest, RenewsForNobodyWhoseCertificateIsNotInTheLedger) {
  const Caller caller{.id = bot_.id,
                      .hierarchy = bot_.hierarchy,
                      .serial = SerialNumber::New(clock_.Now() + hours(1))};
  EXPECT_TRUE(IsRefusal(Renew(caller).status(), StatusCode::kPermissionDenied,
                        "renewal.unknown-certificate"));
}

TEST_F(EnrollmentTest, RenewsForNobodyWhoIsNotRegistered) {
  const Caller caller{.id = testing::IdOf(deployment_.acme, "ghost"),
                      .hierarchy = deployment_.acme.id,
                      .serial = SerialNumber::New(clock_.Now() + hours(1))};
  EXPECT_EQ(Renew(caller).status().code(), StatusCode::kNotFound);
  EXPECT_EQ(LastEvent().subject, caller.Name());
  EXPECT_EQ(LastEvent().hierarchy, deployment_.acme.id);
}

// ---- retries ------------------------------------------------------------------------------------

TEST_F(EnrollmentTest, AnswersARepeatedRequestWithTheSameCertificate) {
  const EnrollmentRequest request = RequestBy(token_);
  const Bytes first = Must(Enroll(request)).certificate.Der();
  clock_.Advance(hours(2));
  const auto again = Must(Enroll(request));
  EXPECT_EQ(again.certificate.Der(), first);
  EXPECT_EQ(again.intermediates().size(), 1u);
  EXPECT_EQ(again.roots().size(), 1u);
  EXPECT_EQ(signatures_, 1);
}

TEST_F(EnrollmentTest, RefusesARequestIdThatWasUsedForAnotherKey) {
  const EnrollmentRequest request = RequestBy(token_);
  Must(Enroll(request).status());
  EnrollmentRequest other = RequestBy(token_);
  other.id = request.id;
  ExpectRefused(other, StatusCode::kInvalidArgument, "request-id.reused");
}

// ---- interruptions: whatever fails wherever, a repeated request gets one certificate ------------

class InterruptedEnrollmentTest : public EnrollmentTest,
                                  public ::testing::WithParamInterface<Step> {};

TEST_P(InterruptedEnrollmentTest, ReleasesNothingAndLetsARetryGetTheOneCertificate) {
  const EnrollmentRequest request = RequestBy(token_);
  InterruptAt(GetParam(), Error(StatusCode::kUnavailable, "interrupted"));
  EXPECT_EQ(Enroll(request).status().code(), StatusCode::kUnavailable);
  const auto left = List();

  const auto issued = Must(Enroll(request));

  ASSERT_EQ(List().size(), 1u);
  EXPECT_EQ(List().front().serial, issued.certificate.record.serial);
  EXPECT_TRUE(List().front().is_signed);
  if (!left.empty()) {
    EXPECT_EQ(left.front().serial, issued.certificate.record.serial) << "not a second serial";
  }
}

INSTANTIATE_TEST_SUITE_P(, InterruptedEnrollmentTest, ::testing::ValuesIn(testing::kAllSteps),
                         [](const auto& param) { return NameOf(param.param); });

TEST_F(EnrollmentTest, SignsNothingWhoseIntentIsNotRecorded) {
  for (const Step step : {Step::kBeforeRecordIntent, Step::kAfterRecordIntent}) {
    InterruptAt(step, Error(StatusCode::kUnavailable, "interrupted"));
    EXPECT_FALSE(Enroll(RequestBy(deployment_.Invite(bot_))).ok());
  }
  EXPECT_EQ(signatures_, 0);
}

TEST_F(EnrollmentTest, LeavesARecordWhenTheTokenFailsToSign) {
  ports_.keys.Fail(MemoryKeyStore::Fault::kUnavailable);
  EXPECT_EQ(Enroll(RequestBy(token_)).status().code(), StatusCode::kUnavailable);
  ASSERT_EQ(List().size(), 1u);
  EXPECT_FALSE(List().front().is_signed);
  EXPECT_EQ(LastEvent().serial, List().front().serial.ToString()) << "for the event of the failure";
}

TEST_F(EnrollmentTest, ReleasesNoSignatureThatDoesNotVerify) {
  const EnrollmentRequest request = RequestBy(token_);
  ports_.keys.Fail(MemoryKeyStore::Fault::kWrongSignature);
  EXPECT_EQ(Enroll(request).status().code(), StatusCode::kInternal);
  ASSERT_EQ(List().size(), 1u);
  EXPECT_FALSE(List().front().is_signed) << "and it is not recorded either";

  ports_.keys.Fail(MemoryKeyStore::Fault::kNone);
  EXPECT_EQ(Must(Enroll(request)).certificate.record.serial, List().front().serial);
}

}  // namespace
}  // namespace ca
