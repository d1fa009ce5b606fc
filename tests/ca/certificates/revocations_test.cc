// Which caller may revoke which certificates, by which name.

#include "ca/certificates/revocations.h"

#include "ca/catalog/revocation_index.h"
#include "ca/certificates/enrollment.h"
#include "tests/fixtures/use_case_test.h"

namespace ca {
namespace {

using std::chrono::hours;
using testing::IsRefusal;
using testing::Must;
using testing::Says;

class RevocationsTest : public testing::StoryTest {
 protected:
  static Caller HolderOf(const Certificate& certificate) {
    return {.id = certificate.record.subject,
            .hierarchy = certificate.record.hierarchy,
            .serial = certificate.record.serial};
  }

  Result<RevocationOutcome> Revoke(const Caller& caller, RevocationRequest request) {
    return testing::ValueOf(revocations_.Revoke(CallBy(caller, Action::kRevoke), request));
  }
  Result<RevocationOutcome> Revoke(const Caller& caller, const Certificate& certificate,
                                   RevocationReason reason = RevocationReason::kSuperseded) {
    return Revoke(
        caller,
        {.target = certificate.record.serial, .reason = reason, .invalidity_date = std::nullopt});
  }

  bool IsRevoked(const Certificate& certificate) {
    const auto status = Must(ports_.revocations.FindStatus(
        certificate.record.hierarchy, certificate.record.authority, certificate.record.serial));
    return std::holds_alternative<Revocation>(status);
  }

  const Agent agent_ = deployment_.Register(deployment_.acme, "billing/bot");
  const Certificate certificate_ = deployment_.Issue(agent_);
  const Caller revoker_ = OperatorWith(Role::kRevoker);
  const Authorization authorization_{ports_.registry};
  const Approvals approvals_{*deployment_.catalogs, authorization_, ports_.hierarchies,
                             ports_.approvals};
  const Revocations revocations_{*deployment_.catalogs, authorization_,     ports_.registry,
                                 ports_.ledger,         ports_.revocations, approvals_};
};

// ---- what is meant ------------------------------------------------------------------------------

TEST_F(RevocationsTest, RevokesBySerialAndLeavesAnEvent) {
  const auto outcome = Must(Revoke(revoker_, certificate_, RevocationReason::kKeyCompromise));
  EXPECT_EQ(outcome.revoked_count, 1);
  ASSERT_EQ(outcome.revoked.size(), 1u);
  EXPECT_EQ(outcome.revoked[0].subject, agent_.id);
  EXPECT_TRUE(IsRevoked(certificate_));
  const AuditEvent event = ports_.events.All().back();
  EXPECT_EQ(event.serial, certificate_.record.serial.ToString());
  EXPECT_EQ(event.subject, agent_.id.ToString());
  EXPECT_EQ(event.hierarchy, deployment_.acme.id);
  EXPECT_EQ(event.reason, "keyCompromise");
}

TEST_F(RevocationsTest, RevokesByTheCertificateItself) {
  Must(Revoke(revoker_, {.target = certificate_.Der(), .invalidity_date = std::nullopt}));
  EXPECT_TRUE(IsRevoked(certificate_));
}

TEST_F(RevocationsTest, RefusesACertificateThatIsNotTheLedgersOwn) {
  Certificate forged = certificate_;
  forged.signature.back() = static_cast<char>(forged.signature.back() ^ 1);
  const auto outcome = Revoke(revoker_, {.target = forged.Der(), .invalidity_date = std::nullopt});
  EXPECT_TRUE(Says(outcome.status(), StatusCode::kInvalidArgument, "another one"));
  EXPECT_FALSE(IsRevoked(certificate_));
}

TEST_F(RevocationsTest, RefusesWhatIsNoCertificateOfOurs) {
  const auto outcome =
      Revoke(revoker_, {.target = Bytes("no certificate"), .invalidity_date = std::nullopt});
  EXPECT_TRUE(Says(outcome.status(), StatusCode::kInvalidArgument, "certificate:"));
}

TEST_F(RevocationsTest, RevokesAllOfAnAgentAndNoOthers) {
  const Certificate second = deployment_.Issue(agent_);
  const Certificate others = deployment_.Issue(deployment_.Register(deployment_.acme, "other"));
  const auto outcome =
      Must(Revoke(revoker_, {.target = agent_.id, .invalidity_date = std::nullopt}));
  EXPECT_EQ(outcome.revoked_count, 2);
  EXPECT_TRUE(IsRevoked(certificate_));
  EXPECT_TRUE(IsRevoked(second));
  EXPECT_FALSE(IsRevoked(others));
}

TEST_F(RevocationsTest, DoesNotTakeAMistypedAgentForOneWithoutCertificates) {
  const auto outcome = Revoke(revoker_, {.target = testing::IdOf(deployment_.acme, "biling/bot"),
                                         .invalidity_date = std::nullopt});
  EXPECT_TRUE(Says(outcome.status(), StatusCode::kNotFound, "not registered"));
}

TEST_F(RevocationsTest, RevokesAllOfAnAuthorityByItsName) {
  const Certificate globex = deployment_.Issue(deployment_.Register(deployment_.globex, "bot"));
  Must(Revoke(revoker_, {.target = AuthorityName{deployment_.acme.Name() + "/issuing/1"},
                         .invalidity_date = std::nullopt}));
  EXPECT_TRUE(IsRevoked(certificate_));
  EXPECT_FALSE(IsRevoked(globex));
}

TEST_F(RevocationsTest, SaysHowToWriteAnAuthorityThatThereIsNot) {
  for (const std::string name :
       {"acme/prod/issuing/2", "acme/prod/root/1", "nobody/issuing/1", ""}) {
    const auto outcome =
        Revoke(revoker_, {.target = AuthorityName{name}, .invalidity_date = std::nullopt});
    EXPECT_TRUE(Says(outcome.status(), StatusCode::kNotFound, "acme/prod/issuing/1")) << name;
  }
}

TEST_F(RevocationsTest, SaysThatASerialIsUnknown) {
  const SerialNumber never = SerialNumber::New(clock_.Now() + hours(1));
  const auto outcome = Revoke(revoker_, {.target = never, .invalidity_date = std::nullopt});
  EXPECT_TRUE(Says(outcome.status(), StatusCode::kNotFound, "agentpki cert list"));
}

TEST_F(RevocationsTest, SaysThatACertificateHasExpired) {
  clock_.Advance(hours(24 * 8));
  const auto outcome = Revoke(revoker_, certificate_);
  EXPECT_TRUE(IsRefusal(outcome.status(), StatusCode::kFailedPrecondition, "certificate.expired"));
}

TEST_F(RevocationsTest, RefusesAnInvalidityDateThatIsYetToCome) {
  const auto outcome = Revoke(
      revoker_, {.target = certificate_.record.serial, .invalidity_date = clock_.Now() + hours(1)});
  EXPECT_TRUE(Says(outcome.status(), StatusCode::kInvalidArgument, "invalidity_date"));
  EXPECT_FALSE(IsRevoked(certificate_));
}

TEST_F(RevocationsTest, IsIdempotentAndTheFirstReasonStands) {
  Must(Revoke(revoker_, certificate_, RevocationReason::kSuperseded));
  const TimePoint first = clock_.Now();
  clock_.Advance(std::chrono::minutes(1));
  const auto again = Must(Revoke(revoker_, certificate_, RevocationReason::kUnspecified));
  EXPECT_EQ(again.revoked_count, 0);
  EXPECT_EQ(again.already_revoked_count, 1);
  ASSERT_TRUE(again.standing);
  EXPECT_EQ(again.standing->reason, RevocationReason::kSuperseded);
  EXPECT_EQ(again.standing->revoked_at, first);
}

TEST_F(RevocationsTest, APreviewChangesNothing) {
  const auto outcome =
      Must(revocations_.Preview(CallBy(revoker_, Action::kPreviewRevocation),
                                {.target = agent_.id, .invalidity_date = std::nullopt}));
  EXPECT_EQ(outcome.revoked_count, 1);
  EXPECT_FALSE(IsRevoked(certificate_));
}

// ---- who may ------------------------------------------------------------------------------------

TEST_F(RevocationsTest, AHolderMayRevokeItsOwnAndNoOther) {
  const Certificate second = deployment_.Issue(agent_);
  Must(Revoke(HolderOf(certificate_), certificate_));
  EXPECT_EQ(LastEvent().rule, "holder");
  EXPECT_TRUE(IsRevoked(certificate_));
  const auto other = Revoke(HolderOf(certificate_), second);
  EXPECT_TRUE(IsRefusal(other.status(), StatusCode::kPermissionDenied, "caller.role"));
  const auto all = Revoke(HolderOf(second), {.target = agent_.id, .invalidity_date = std::nullopt});
  EXPECT_TRUE(IsRefusal(all.status(), StatusCode::kPermissionDenied, "caller.role"));
  EXPECT_FALSE(IsRevoked(second));
}

TEST_F(RevocationsTest, OtherRolesMayNot) {
  for (const Role role : {Role::kRegistrar, Role::kAuditor}) {
    const auto outcome = Revoke(OperatorWith(role), certificate_);
    EXPECT_TRUE(IsRefusal(outcome.status(), StatusCode::kPermissionDenied, "caller.role"));
  }
  EXPECT_FALSE(IsRevoked(certificate_));
}

TEST_F(RevocationsTest, ARevokerOfAnotherTenantLearnsNothing) {
  const auto outcome = Revoke(OperatorWith(Role::kRevoker, deployment_.globex.id), certificate_);
  EXPECT_EQ(outcome.status().code(), StatusCode::kNotFound);
  EXPECT_FALSE(IsRevoked(certificate_));
}

// ---- what follows -------------------------------------------------------------------------------

TEST_F(RevocationsTest, ARevokedCertificateIsNotRenewed) {
  Must(Revoke(revoker_, certificate_));
  const Enrollment enrollment(*deployment_.catalogs, ports_.registry, ports_.ledger,
                              testing::Directory(), clock_);
  const SubjectKey key = Must(SubjectKey::Generate(KeyType::kP256));
  const auto renewed = enrollment.Renew(CallBy(HolderOf(certificate_), Action::kRenew),
                                        {RequestId::New(clock_.Now()), key.Csr(agent_.id)});
  EXPECT_TRUE(IsRefusal(renewed.status(), StatusCode::kPermissionDenied, "renewal.revoked"));
}

TEST_F(RevocationsTest, ACompromisedKeyIsRefusedForEverAndForEveryone) {
  const PublicKey key = testing::PublicHalf(testing::NewSubjectKey());
  const Certificate compromised = deployment_.Issue(agent_, key);
  Must(Revoke(revoker_, compromised, RevocationReason::kKeyCompromise));
  clock_.Advance(hours(24 * 30));
  const Agent other = deployment_.Register(deployment_.globex, "bot");
  const auto intent = ports_.ledger.RecordIntent(deployment_.Prepare(other, key), SystemGrounds{},
                                                 RequestId::New(clock_.Now()),
                                                 testing::EventAt(clock_.Now(), "Enroll"));
  EXPECT_TRUE(IsRefusal(intent.status(), StatusCode::kPermissionDenied, "key.compromised"));
}

}  // namespace
}  // namespace ca
