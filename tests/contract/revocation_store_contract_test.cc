// Revocation orders: the certificates that they revoke, the ones that they leave, and the status of
// a serial afterwards.

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <thread>

#include "tests/contract/ledger_fixture.h"

namespace contract {
namespace {

using ca::AllOfAgent;
using ca::AllOfAuthority;
using ca::Certificate;
using ca::Revocation;
using ca::RevocationCursor;
using ca::RevocationOrder;
using ca::RevocationOutcome;
using ca::RevocationReason;
using ca::SerialNumber;
using ca::StatusCode;
using ca::SystemGrounds;
using ca::testing::IsRefusal;
using ca::testing::Must;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

class RevocationStoreContract : public LedgerContract {
 protected:
  template <typename Target>
  RevocationOrder OrderOf(const Target& target) const {
    return {.hierarchy = deployment_.acme.id,
            .target = target,
            .reason = RevocationReason::kSuperseded,
            .invalidity_date = std::nullopt,
            .now = clock_.Now()};
  }
  template <typename Target>
  RevocationOrder CompromiseOf(const Target& target) const {
    RevocationOrder order = OrderOf(target);
    order.reason = RevocationReason::kKeyCompromise;
    return order;
  }

  ca::Result<RevocationOutcome> TryRevoke(const RevocationOrder& order) {
    ca::AuditEvent event = ca::testing::EventAt(clock_.Now(), "Revoke");
    event.hierarchy = order.hierarchy;
    return ca::testing::ValueOf(revocations().Revoke(order, event));
  }
  RevocationOutcome Revoke(const RevocationOrder& order) { return Must(TryRevoke(order)); }
  RevocationOutcome Revoke(const Certificate& certificate) {
    return Revoke(OrderOf(certificate.record.serial));
  }

  ca::CertificateStatus StatusOf(const Certificate& certificate) {
    return StatusOf(certificate.record);
  }
  ca::CertificateStatus StatusOf(const ca::IssuanceRecord& record) {
    return Must(revocations().FindStatus(record.hierarchy, record.authority, record.serial));
  }
  bool IsGood(const Certificate& certificate) {
    return std::holds_alternative<ca::GoodCertificate>(StatusOf(certificate));
  }
  bool IsRevoked(const Certificate& certificate) {
    return std::holds_alternative<Revocation>(StatusOf(certificate));
  }
  static bool IsUnknown(const ca::CertificateStatus& status) {
    return std::holds_alternative<ca::UnknownCertificate>(status);
  }

  std::set<std::string> ReadSerials(RevocationCursor& cursor) {
    std::set<std::string> serials;
    for (const Revocation& one : Must(revocations().ReadSince(cursor, clock_.Now() - hours(25)))) {
      serials.insert(one.serial.ToString());
    }
    return serials;
  }

  SerialNumber SerialOf(ca::AuthorityId authority) {
    return *Must(deployment_.catalog->FindAuthority(authority))->serial();
  }

  ca::AuthorityId IssuerOf(const ca::Hierarchy& hierarchy) {
    return Must(deployment_.catalog->Find(hierarchy.id)->ActiveIssuer())->id();
  }
};

INSTANTIATE_CONTRACT(RevocationStoreContract);

// ---- one serial ---------------------------------------------------------------------------------

TEST_P(RevocationStoreContract, KeepsARevocationAsItWasOrdered) {
  const Certificate certificate = deployment_.Issue(bot_);
  RevocationOrder order = OrderOf(certificate.record.serial);
  order.reason = RevocationReason::kPrivilegeWithdrawn;
  order.invalidity_date = clock_.Now() - hours(3);
  const Revocation expected{
      .serial = certificate.record.serial,
      .hierarchy = deployment_.acme.id,
      .authority = certificate.record.authority,
      .shard = certificate.record.shard,
      .not_after = certificate.record.validity.not_after,
      .revoked_at = clock_.Now(),
      .reason = RevocationReason::kPrivilegeWithdrawn,
      .invalidity_date = clock_.Now() - hours(3),
  };
  const RevocationOutcome outcome = Revoke(order);
  EXPECT_EQ(outcome.revoked_count, 1);
  EXPECT_EQ(outcome.already_revoked_count, 0);
  ASSERT_EQ(outcome.revoked.size(), 1u);
  EXPECT_EQ(outcome.revoked[0].serial, certificate.record.serial);
  EXPECT_EQ(outcome.revoked[0].subject, bot_.id);
  EXPECT_EQ(outcome.revoked[0].not_after, certificate.record.validity.not_after);
  ASSERT_TRUE(outcome.standing);
  ExpectSame(*outcome.standing, expected);

  const auto status = StatusOf(certificate);
  ASSERT_TRUE(std::holds_alternative<Revocation>(status));
  ExpectSame(std::get<Revocation>(status), expected);
  RevocationCursor cursor;
  const auto read = Must(revocations().ReadSince(cursor, clock_.Now()));
  ASSERT_EQ(read.size(), 1u);
  ExpectSame(read[0], expected);
}

TEST_P(RevocationStoreContract, KeepsTheShardOfTheCertificate) {
  const auto issuer = Must(deployment_.catalog->Find(deployment_.acme.id)->ActiveIssuer());
  ca::StatusDirectory directory(Must(ca::StatusUrls::At("http://status.test")));
  directory.SetNewestShard(issuer->id(), 3);
  const auto* const profile = Must(deployment_.acme.FindProfile(bot_.profile));
  auto prepared = Must(issuer->Prepare(deployment_.HierarchyOf(bot_), bot_, *profile, NewKey(),
                                       directory.For(issuer->id()), clock_.Now()));
  const Certificate certificate =
      SignAndRecord(Recorded(Record(std::move(prepared), SystemGrounds{}, NewRequest())));
  ASSERT_EQ(certificate.record.shard, 3);
  EXPECT_EQ(
      Must(ledger().FindCertificate(deployment_.acme.id, certificate.record.serial)).record.shard,
      3);
  EXPECT_EQ(Revoke(certificate).standing->shard, 3);
}

TEST_P(RevocationStoreContract, RevokesWhatIsRecordedAndNotYetSigned) {
  ca::RecordedIssuance recorded = Recorded(Record(bot_, NewKey(), SystemGrounds{}));
  const ca::IssuanceRecord record = recorded.record();
  EXPECT_EQ(Revoke(OrderOf(record.serial)).revoked_count, 1);
  EXPECT_TRUE(std::holds_alternative<Revocation>(StatusOf(record)));
  SignAndRecord(std::move(recorded));
  EXPECT_TRUE(std::holds_alternative<Revocation>(StatusOf(record)));
}

TEST_P(RevocationStoreContract, LeavesTheFirstRevocationAsItIs) {
  const Certificate certificate = deployment_.Issue(bot_);
  const Revocation first = *Revoke(certificate).standing;
  clock_.Advance(seconds(10));
  const RevocationOutcome again = Revoke(CompromiseOf(certificate.record.serial));
  EXPECT_EQ(again.revoked_count, 0);
  EXPECT_EQ(again.already_revoked_count, 1);
  EXPECT_TRUE(again.revoked.empty());
  ASSERT_TRUE(again.standing);
  ExpectSame(*again.standing, first);
}

TEST_P(RevocationStoreContract, KnowsNoSerialThatWasNeverRecorded) {
  const Certificate certificate = deployment_.Issue(bot_);
  const auto never = SerialNumber::New(certificate.record.validity.not_after);
  const size_t events = world_.Events().size();
  EXPECT_EQ(TryRevoke(OrderOf(never)).status().code(), StatusCode::kNotFound);
  EXPECT_EQ(revocations().Preview(OrderOf(never)).status().code(), StatusCode::kNotFound);
  EXPECT_EQ(world_.Events().size(), events);
}

TEST_P(RevocationStoreContract, RevokesNothingOfAnotherHierarchy) {
  const Certificate certificate = deployment_.Issue(stranger_);
  const auto issuer = certificate.record.authority;
  EXPECT_EQ(TryRevoke(OrderOf(certificate.record.serial)).status().code(), StatusCode::kNotFound);
  EXPECT_EQ(Revoke(OrderOf(AllOfAgent{stranger_.id})).revoked_count, 0);
  EXPECT_EQ(Revoke(OrderOf(AllOfAuthority{issuer})).revoked_count, 0);
  EXPECT_TRUE(IsGood(certificate));
}

TEST_P(RevocationStoreContract, RefusesWhatHasExpired) {
  const Certificate certificate = deployment_.Issue(bot_);
  clock_.Set(certificate.record.validity.not_after + std::chrono::microseconds(1));
  EXPECT_TRUE(IsRefusal(TryRevoke(OrderOf(certificate.record.serial)).status(),
                        StatusCode::kFailedPrecondition, "certificate.expired"));
  EXPECT_TRUE(IsGood(certificate)) << "it was, and nobody asks";
}

TEST_P(RevocationStoreContract, RevokesToTheLastSecond) {
  const Certificate certificate = deployment_.Issue(bot_);
  clock_.Set(certificate.record.validity.not_after);
  EXPECT_EQ(Revoke(certificate).revoked_count, 1);
}

TEST_P(RevocationStoreContract, SaysWhatStandsOfWhatWasRevokedBeforeItExpired) {
  const Certificate certificate = deployment_.Issue(bot_);
  const Revocation first = *Revoke(certificate).standing;
  clock_.Set(certificate.record.validity.not_after + hours(1));
  const RevocationOutcome again = Revoke(certificate);
  EXPECT_EQ(again.already_revoked_count, 1);
  ExpectSame(*again.standing, first);
}

TEST_P(RevocationStoreContract, RecordsTheEventOfARevocationAndNoneOfAPreview) {
  const Certificate certificate = deployment_.Issue(bot_);
  const size_t before = world_.Events().size();
  Must(revocations().Preview(OrderOf(certificate.record.serial)));
  EXPECT_EQ(world_.Events().size(), before);
  ca::AuditEvent event = EventIn(deployment_.acme, "Revoke");
  event.serial = certificate.record.serial.ToString();
  event.reason = "superseded";
  Must(revocations().Revoke(OrderOf(certificate.record.serial), event));
  ASSERT_EQ(world_.Events().size(), before + 1);
  ExpectSame(world_.Events().back(), event);
}

// ---- many ---------------------------------------------------------------------------------------

TEST_P(RevocationStoreContract, RevokesAllLiveCertificatesOfAnAgentAndNoOther) {
  const Certificate expired = deployment_.Issue(bot_);
  clock_.Set(expired.record.validity.not_after + seconds(1));
  const Certificate first = deployment_.Issue(bot_);
  const Certificate second = deployment_.Issue(bot_);
  const Certificate before = deployment_.Issue(bot_);
  const Certificate others = deployment_.Issue(other_);
  Revoke(before);

  const RevocationOutcome outcome = Revoke(OrderOf(AllOfAgent{bot_.id}));
  EXPECT_EQ(outcome.revoked_count, 2);
  EXPECT_EQ(outcome.already_revoked_count, 1);
  EXPECT_FALSE(outcome.standing);
  ASSERT_EQ(outcome.revoked.size(), 2u);
  EXPECT_EQ(outcome.revoked[0].serial, std::min(first.record.serial, second.record.serial));
  EXPECT_EQ(outcome.revoked[1].serial, std::max(first.record.serial, second.record.serial));
  EXPECT_TRUE(IsRevoked(first));
  EXPECT_TRUE(IsRevoked(second));
  EXPECT_TRUE(IsGood(others));
  EXPECT_TRUE(IsGood(expired));
}

TEST_P(RevocationStoreContract, RevokesAllThatAnAuthorityIssued) {
  const Certificate one = deployment_.Issue(bot_);
  const Certificate two = deployment_.Issue(other_);
  const Certificate elsewhere = deployment_.Issue(stranger_);
  EXPECT_EQ(Revoke(OrderOf(AllOfAuthority{one.record.authority})).revoked_count, 2);
  EXPECT_TRUE(IsRevoked(one));
  EXPECT_TRUE(IsRevoked(two));
  EXPECT_TRUE(IsGood(elsewhere));
  EXPECT_EQ(Revoke(OrderOf(AllOfAuthority{one.record.authority})).already_revoked_count, 2);
}

TEST_P(RevocationStoreContract, RevokesNothingOfAnAgentThatHasNothing) {
  const RevocationOutcome outcome = Revoke(OrderOf(AllOfAgent{bot_.id}));
  EXPECT_EQ(outcome.revoked_count, 0);
  EXPECT_EQ(outcome.already_revoked_count, 0);
  EXPECT_TRUE(outcome.revoked.empty());
}

TEST_P(RevocationStoreContract, PreviewsWhatItWouldDoAndDoesNothing) {
  const Certificate one = deployment_.Issue(bot_);
  const Certificate two = deployment_.Issue(bot_);
  Revoke(one);
  const RevocationOutcome preview = Must(revocations().Preview(CompromiseOf(AllOfAgent{bot_.id})));
  EXPECT_EQ(preview.revoked_count, 1);
  EXPECT_EQ(preview.already_revoked_count, 1);
  ASSERT_EQ(preview.revoked.size(), 1u);
  EXPECT_EQ(preview.revoked[0].serial, two.record.serial);
  EXPECT_TRUE(IsGood(two));
  RevocationCursor cursor;
  EXPECT_EQ(ReadSerials(cursor), std::set<std::string>{one.record.serial.ToString()});
}

// ---- what the ledger refuses afterwards ---------------------------------------------------------

TEST_P(RevocationStoreContract, RefusesARenewalByWhatIsRevoked) {
  const Certificate revoked = deployment_.Issue(bot_);
  const Certificate standing = deployment_.Issue(bot_);
  Revoke(revoked);
  ExpectRefused(Record(bot_, NewKey(), ca::RenewalGrounds{revoked.record.serial}),
                StatusCode::kPermissionDenied, "renewal.revoked");
  EXPECT_TRUE(Record(bot_, NewKey(), ca::RenewalGrounds{standing.record.serial}).ok());
}

TEST_P(RevocationStoreContract, RefusesAKeyThatWasCompromisedToEverybodyForEver) {
  const ca::PublicKey key = NewKey();
  const Certificate certificate = deployment_.Issue(bot_, key);
  Revoke(CompromiseOf(certificate.record.serial));
  clock_.Set(certificate.record.validity.not_after + hours(24));
  for (const ca::Agent& agent : {bot_, other_, stranger_}) {
    ExpectRefused(Record(agent, key, SystemGrounds{}), StatusCode::kPermissionDenied,
                  "key.compromised");
  }
}

TEST_P(RevocationStoreContract, BlocksNoKeyForAnotherReason) {
  const ca::PublicKey key = NewKey();
  const Certificate certificate = deployment_.Issue(bot_, key);
  Revoke(certificate);
  EXPECT_TRUE(Record(bot_, key, SystemGrounds{}).ok());
}

TEST_P(RevocationStoreContract, BlocksTheKeysOfAllThatItNamesAlsoOfWhatWasRevokedBefore) {
  const ca::PublicKey keys[] = {NewKey(), NewKey()};
  Revoke(deployment_.Issue(bot_, keys[0]));
  deployment_.Issue(bot_, keys[1]);
  Revoke(CompromiseOf(AllOfAgent{bot_.id}));
  for (const ca::PublicKey& key : keys) {
    ExpectRefused(Record(bot_, key, SystemGrounds{}), StatusCode::kPermissionDenied,
                  "key.compromised");
  }
}

TEST_P(RevocationStoreContract, BlocksTheKeysOfAllThatAnAuthorityIssued) {
  const ca::PublicKey key = NewKey();
  const Certificate certificate = deployment_.Issue(bot_, key);
  Revoke(CompromiseOf(AllOfAuthority{certificate.record.authority}));
  ExpectRefused(Record(other_, key, SystemGrounds{}), StatusCode::kPermissionDenied,
                "key.compromised");
}

// ---- reading ------------------------------------------------------------------------------------

TEST_P(RevocationStoreContract, ReadsWhatIsNewSinceTheLastTime) {
  RevocationCursor cursor;
  EXPECT_TRUE(ReadSerials(cursor).empty());
  const Certificate first = deployment_.Issue(bot_);
  const Certificate second = deployment_.Issue(stranger_);
  Revoke(first);
  EXPECT_TRUE(ReadSerials(cursor).contains(first.record.serial.ToString()));
  RevocationOrder order = OrderOf(second.record.serial);
  order.hierarchy = deployment_.globex.id;
  Revoke(order);
  EXPECT_TRUE(ReadSerials(cursor).contains(second.record.serial.ToString()))
      << "of whatever hierarchy";
}

TEST_P(RevocationStoreContract, ReadsNothingTwiceWhenNothingHappens) {
  Revoke(deployment_.Issue(bot_));
  RevocationCursor cursor;
  EXPECT_EQ(ReadSerials(cursor).size(), 1u);
  EXPECT_TRUE(ReadSerials(cursor).empty());
  EXPECT_TRUE(ReadSerials(cursor).empty());
}

TEST_P(RevocationStoreContract, ReadsFromTheBeginningWhatHasNotExpired) {
  const Certificate expired = deployment_.Issue(bot_);
  Revoke(expired);
  clock_.Set(expired.record.validity.not_after + hours(1));
  const Certificate live = deployment_.Issue(bot_);
  Revoke(live);
  RevocationCursor cursor;
  const auto read = Must(revocations().ReadSince(cursor, clock_.Now()));
  ASSERT_EQ(read.size(), 1u);
  EXPECT_EQ(read[0].serial, live.record.serial);
  RevocationCursor another;
  EXPECT_EQ(ReadSerials(another).size(), 2u) << "25 hours back";
}

// ---- news ---------------------------------------------------------------------------------------

TEST_P(RevocationStoreContract, WakesWhoeverAwaitsNews) {
  const Certificate certificate = deployment_.Issue(bot_);
  // As a server does before it serves: from here on nothing is missed.
  Must(revocations().AwaitNews(milliseconds(1)));
  Must(revocations().AwaitNews(milliseconds(1)));
  const auto start = std::chrono::steady_clock::now();
  std::thread revoker([&] {
    std::this_thread::sleep_for(milliseconds(20));
    Revoke(certificate);
  });
  const auto status = revocations().AwaitNews(seconds(30));
  revoker.join();
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_LT(std::chrono::steady_clock::now() - start, seconds(15));
}

TEST_P(RevocationStoreContract, TellsNewsThatCameBeforeItWasAskedFor) {
  const Certificate certificate = deployment_.Issue(bot_);
  Must(revocations().AwaitNews(milliseconds(1)));
  Must(revocations().AwaitNews(milliseconds(1)));
  Revoke(certificate);
  const auto start = std::chrono::steady_clock::now();
  Must(revocations().AwaitNews(seconds(30)));
  EXPECT_LT(std::chrono::steady_clock::now() - start, seconds(15));
}

TEST_P(RevocationStoreContract, ReturnsWithoutNewsWhenThePatienceIsOver) {
  Must(revocations().AwaitNews(milliseconds(1)));
  Must(revocations().AwaitNews(milliseconds(1)));
  EXPECT_TRUE(revocations().AwaitNews(milliseconds(20)).ok());
}

// ---- statuses -----------------------------------------------------------------------------------

TEST_P(RevocationStoreContract, CallsGoodWhatIsSignedAndNothingElse) {
  ca::RecordedIssuance recorded = Recorded(Record(bot_, NewKey(), SystemGrounds{}));
  const ca::IssuanceRecord record = recorded.record();
  EXPECT_TRUE(IsUnknown(StatusOf(record))) << "recorded is not signed";
  const Certificate certificate = SignAndRecord(std::move(recorded));
  EXPECT_TRUE(IsGood(certificate));
}

TEST_P(RevocationStoreContract, KnowsACertificateOnlyOfItsOwnIssuer) {
  const Certificate certificate = deployment_.Issue(bot_);
  const ca::IssuanceRecord& record = certificate.record;
  const auto root = Must(deployment_.catalog->FindAuthority(record.authority))->issuer();
  EXPECT_TRUE(IsUnknown(Must(revocations().FindStatus(deployment_.acme.id, root, record.serial))));
  EXPECT_TRUE(IsUnknown(Must(revocations().FindStatus(
      deployment_.globex.id, IssuerOf(deployment_.globex), record.serial))));
  Revoke(certificate);
  EXPECT_TRUE(IsUnknown(Must(revocations().FindStatus(deployment_.acme.id, root, record.serial))));
}

TEST_P(RevocationStoreContract, KnowsNoSerialOfADayThatNobodyExpiresOn) {
  for (const hours away : {hours(0), hours(24 * 400), hours(-24 * 400), hours(24 * 365 * 200)}) {
    const auto never = SerialNumber::New(clock_.Now() + away);
    EXPECT_TRUE(IsUnknown(
        Must(revocations().FindStatus(deployment_.acme.id, IssuerOf(deployment_.acme), never))));
  }
}

TEST_P(RevocationStoreContract, AnswersManyAtOnceEachForItself) {
  std::vector<Certificate> certificates;
  for (int i = 0; i < 12; ++i) {
    certificates.push_back(deployment_.Issue(i % 2 == 0 ? bot_ : stranger_));
  }
  for (size_t i = 0; i < certificates.size(); i += 4) Revoke(certificates[i]);
  std::vector<std::thread> askers;
  std::vector<int> wrong(certificates.size());
  for (size_t i = 0; i < certificates.size(); ++i) {
    askers.emplace_back([&, i] {
      for (int round = 0; round < 20; ++round) {
        const bool is_right = i % 4 == 0 ? IsRevoked(certificates[i]) : IsGood(certificates[i]);
        if (!is_right) ++wrong[i];
      }
    });
  }
  for (std::thread& asker : askers) asker.join();
  EXPECT_EQ(wrong, std::vector<int>(certificates.size()));
}

// ---- the certificates of authorities ------------------------------------------------------------

TEST_P(RevocationStoreContract, KnowsTheCertificateOfAnIssuingAuthority) {
  const auto issuing = Must(deployment_.catalog->Find(deployment_.acme.id)->ActiveIssuer());
  const auto status = [&](ca::AuthorityId issuer) {
    return Must(revocations().FindStatus(deployment_.acme.id, issuer, *issuing->serial()));
  };
  EXPECT_TRUE(std::holds_alternative<ca::GoodCertificate>(status(issuing->issuer())));
  EXPECT_TRUE(IsUnknown(status(issuing->id())));

  RevocationOrder order = OrderOf(*issuing->serial());
  order.reason = RevocationReason::kCaCompromise;
  const RevocationOutcome outcome = Revoke(order);
  ASSERT_EQ(outcome.revoked.size(), 1u);
  EXPECT_EQ(outcome.revoked[0].subject, ca::SpiffeId::OfTrustDomain(deployment_.acme.trust_domain));
  ASSERT_TRUE(outcome.standing);
  EXPECT_EQ(outcome.standing->authority, issuing->issuer());
  EXPECT_EQ(outcome.standing->not_after, issuing->validity().not_after);
  EXPECT_TRUE(std::holds_alternative<Revocation>(status(issuing->issuer())));
  RevocationCursor cursor;
  EXPECT_EQ(ReadSerials(cursor), std::set<std::string>{issuing->serial()->ToString()});
  EXPECT_EQ(Revoke(order).already_revoked_count, 1);
}

TEST_P(RevocationStoreContract, RevokesNoRoot) {
  const auto issuing = Must(deployment_.catalog->Find(deployment_.acme.id)->ActiveIssuer());
  EXPECT_TRUE(IsRefusal(TryRevoke(OrderOf(SerialOf(issuing->issuer()))).status(),
                        StatusCode::kFailedPrecondition, "certificate.root"));
}

}  // namespace
}  // namespace contract
