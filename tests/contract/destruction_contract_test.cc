// The destruction of a hierarchy, and the state of the database from its decision on.

#include "tests/contract/ledger_fixture.h"

namespace contract {
namespace {

using ca::AuthorityKind;
using ca::AuthorityRecord;
using ca::Hierarchy;
using ca::HierarchyDestruction;
using ca::HierarchyId;
using ca::StatusCode;
using ca::testing::IsRefusal;
using ca::testing::Must;

class DestructionContract : public LedgerContract {
 protected:
  ca::Result<HierarchyDestruction> Destroy(const Hierarchy& hierarchy,
                                           const std::string& reason = "merged") {
    return ca::testing::ValueOf(hierarchies().DestroyHierarchy(
        hierarchy.id, reason, EventIn(hierarchy, "DestroyHierarchy")));
  }
  ca::Status RecordDestroyed(const Hierarchy& hierarchy, const ca::Bytes& record) {
    return hierarchies().RecordHierarchyDestroyed(hierarchy.id, record,
                                                  EventIn(hierarchy, "RecordHierarchyDestroyed"));
  }
  std::vector<AuthorityRecord> AuthoritiesOf(const Hierarchy& hierarchy) {
    std::vector<AuthorityRecord> records = Must(authorities().LoadAuthorities());
    std::erase_if(records, [&](const auto& record) { return record.hierarchy != hierarchy.id; });
    return records;
  }
  void DestroyKeysOf(const Hierarchy& hierarchy) {
    for (const AuthorityRecord& record : AuthoritiesOf(hierarchy)) {
      DecideOn(hierarchy, record);
      Must(authorities().RecordKeyDestroyed(record.id, EventIn(hierarchy, "DestroyKey")));
    }
  }
  void DecideOn(const Hierarchy& hierarchy, const AuthorityRecord& record) {
    Must(authorities().DecideKeyDestruction(record.id, 1, "its hierarchy is destroyed",
                                            EventIn(hierarchy, "DecideKeyDestruction")));
  }
  std::vector<std::string> Names() {
    std::vector<std::string> names;
    for (const Hierarchy& hierarchy : Must(hierarchies().LoadHierarchies())) {
      names.push_back(hierarchy.Name());
    }
    return names;
  }
  bool IsRevoked(HierarchyId hierarchy, ca::AuthorityId authority, const ca::SerialNumber& serial) {
    return std::holds_alternative<ca::Revocation>(
        Must(revocations().FindStatus(hierarchy, authority, serial)));
  }

  const Hierarchy& acme_ = deployment_.acme;
};
INSTANTIATE_CONTRACT(DestructionContract);

TEST_P(DestructionContract, IsWhatIsLoadedFromThenOn) {
  const HierarchyDestruction made = Must(Destroy(acme_));
  EXPECT_EQ(made.hierarchy, acme_);
  EXPECT_EQ(made.reason, "merged");
  EXPECT_EQ(made.decided_by, EventIn(acme_, "").actor);
  EXPECT_EQ(made.decided_at, clock_.Now());
  EXPECT_EQ(made.finished_at, std::nullopt);
  EXPECT_EQ(Must(hierarchies().LoadDestructions()), std::vector{made});
  EXPECT_EQ(Must(hierarchies().FindDestructions("acme/prod", 10)), std::vector{made});
  EXPECT_EQ(Must(hierarchies().FindDestructions("", 10)), std::vector{made});
  EXPECT_TRUE(Must(hierarchies().FindDestructions("globex/prod", 10)).empty());
  EXPECT_TRUE(Must(hierarchies().FindDestructions("x' OR true --", 10)).empty());
  const auto names = Names();
  EXPECT_EQ(std::count(names.begin(), names.end(), "acme/prod"), 0);
  EXPECT_EQ(std::count(names.begin(), names.end(), "globex/prod"), 1);
  ExpectSame(world_.Events().back(), EventIn(acme_, "DestroyHierarchy"));
}

TEST_P(DestructionContract, RevokesWhatStandsAndCountsIt) {
  const ca::Certificate one = SignAndRecord(Recorded(Record(bot_, NewKey(), ca::SystemGrounds{})));
  const ca::Certificate two =
      SignAndRecord(Recorded(Record(other_, NewKey(), ca::SystemGrounds{})));
  const ca::RevocationOrder before{.hierarchy = acme_.id,
                                   .target = one.record.serial,
                                   .reason = ca::RevocationReason::kSuperseded,
                                   .invalidity_date = std::nullopt,
                                   .now = clock_.Now()};
  Must(revocations().Revoke(before, EventIn(acme_, "Revoke")).status());
  const ca::Certificate stranger = deployment_.Issue(stranger_);

  EXPECT_EQ(Must(Destroy(acme_)).revoked_count, 1) << "the other was revoked before";

  EXPECT_TRUE(IsRevoked(acme_.id, two.record.authority, two.record.serial));
  const auto status =
      Must(revocations().FindStatus(acme_.id, one.record.authority, one.record.serial));
  EXPECT_EQ(std::get<ca::Revocation>(status).reason, ca::RevocationReason::kSuperseded)
      << "what was revoked before stays as it is";
  const auto issuer = Must(deployment_.catalog->Find(acme_.id)->ActiveIssuer());
  EXPECT_TRUE(IsRevoked(acme_.id, issuer->issuer(), *issuer->serial()));
  EXPECT_FALSE(IsRevoked(deployment_.globex.id, stranger.record.authority, stranger.record.serial));
}

TEST_P(DestructionContract, LetsNothingBeIssuedPlannedActivatedOrChanged) {
  auto prepared = deployment_.Prepare(bot_, NewKey());
  const auto issuer = Must(deployment_.catalog->Find(acme_.id)->ActiveIssuer());
  Must(Destroy(acme_).status());
  ExpectRefused(Record(std::move(prepared), ca::SystemGrounds{}, NewRequest()),
                StatusCode::kAborted, "authority.superseded");
  EXPECT_TRUE(IsRefusal(authorities()
                            .PlanAuthority(acme_, AuthorityKind::kIssuing, 2, issuer->issuer(),
                                           EventIn(acme_, "PlanAuthority"))
                            .status(),
                        StatusCode::kFailedPrecondition, "hierarchy.destroyed"));
  EXPECT_EQ(
      activations()
          .Activate({acme_.id, 2, issuer->id(), clock_.Now()}, EventIn(acme_, "ActivateAuthority"))
          .status()
          .code(),
      StatusCode::kAborted);
  Hierarchy changed = acme_;
  changed.rotate_every = std::chrono::hours(48);
  EXPECT_EQ(hierarchies().ChangeHierarchy(acme_, changed, EventIn(acme_, "ChangeHierarchy")).code(),
            StatusCode::kAborted);
}

TEST_P(DestructionContract, FreesItsNameItsTrustDomainAndItsAgentsNames) {
  Must(Destroy(acme_).status());
  Hierarchy wanted = acme_;
  wanted.id = {};
  const Hierarchy again =
      Must(hierarchies().CreateHierarchy(wanted, EventIn(acme_, "CreateHierarchy")));
  EXPECT_NE(again.id, acme_.id);
  const ca::Agent bot = Must(registry().RegisterAgent(
      ca::testing::AgentOf(again, "billing/invoice-bot"), EventIn(again, "RegisterAgent")));
  EXPECT_NE(bot.number, bot_.number);
  EXPECT_EQ(bot.id, bot_.id);
  EXPECT_EQ(Must(registry().FindAgent(again.id, bot.id)).number, bot.number);
  EXPECT_EQ(
      hierarchies().CreateHierarchy(wanted, EventIn(acme_, "CreateHierarchy")).status().code(),
      StatusCode::kAlreadyExists);

  clock_.Advance(std::chrono::minutes(1));
  Must(Destroy(again).status());
  const auto both = Must(hierarchies().FindDestructions("acme/prod", 10));
  ASSERT_EQ(both.size(), 2u);
  EXPECT_EQ(both.front().hierarchy.id, again.id) << "newest first";
  EXPECT_EQ(Must(hierarchies().FindDestructions("acme/prod", 1)).size(), 1u);
}

TEST_P(DestructionContract, IsDecidedOnce) {
  const HierarchyDestruction first = Must(Destroy(acme_));
  clock_.Advance(std::chrono::minutes(1));
  EXPECT_EQ(Must(Destroy(acme_, "another reason")), first);
  ca::AuditEvent replayed = EventIn(acme_, "DestroyHierarchy");
  replayed.rule = "replay";
  ExpectSame(world_.Events().back(), replayed);
}

TEST_P(DestructionContract, IsNotForTheSystemHierarchy) {
  const size_t events = world_.Events().size();
  EXPECT_TRUE(IsRefusal(Destroy(deployment_.system).status(), StatusCode::kFailedPrecondition,
                        "hierarchy.system"));
  EXPECT_EQ(world_.Events().size(), events);
  Hierarchy unknown = acme_;
  unknown.id = HierarchyId{4711};
  EXPECT_EQ(Destroy(unknown).status().code(), StatusCode::kNotFound);
}

// The one that issues, and a root whose issuing authority stays, which is in use as long as the
// hierarchy is.
TEST_P(DestructionContract, LetsEveryKeyGo) {
  const auto issuer = Must(deployment_.catalog->Find(acme_.id)->ActiveIssuer());
  EXPECT_TRUE(IsRefusal(authorities().DecideKeyDestruction(issuer->issuer(), 1, "x",
                                                           EventIn(acme_, "DecideKeyDestruction")),
                        StatusCode::kFailedPrecondition, "key.in-use"));
  Must(Destroy(acme_).status());
  EXPECT_EQ(RecordDestroyed(acme_, "record").code(), StatusCode::kFailedPrecondition)
      << "its keys are left";
  for (const AuthorityRecord& record : AuthoritiesOf(acme_)) DecideOn(acme_, record);
  EXPECT_EQ(RecordDestroyed(acme_, "record").code(), StatusCode::kFailedPrecondition)
      << "they are still on the token";
  DestroyKeysOf(acme_);

  Must(RecordDestroyed(acme_, "record"));
  ExpectSame(world_.Events().back(), EventIn(acme_, "RecordHierarchyDestroyed"));
  const size_t events = world_.Events().size();
  Must(RecordDestroyed(acme_, "another"));
  EXPECT_EQ(world_.Events().size(), events);
  const auto found = Must(hierarchies().FindDestructions("acme/prod", 1));
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found.front().record, "record") << "the first stands";
  EXPECT_EQ(found.front().finished_at, clock_.Now());
}

TEST_P(DestructionContract, IsNotOnRecordBeforeItIsDecided) {
  DestroyKeysOf(Must(hierarchies().CreateHierarchy(
      [] {
        Hierarchy empty = ca::testing::AcmeProd();
        empty.environment = "empty";
        empty.trust_domain = Must(ca::TrustDomain::Parse("empty.acme.example"));
        return empty;
      }(),
      EventIn(acme_, "CreateHierarchy"))));
  EXPECT_EQ(RecordDestroyed(acme_, "record").code(), StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace contract
