// The findings of the doctor, and that a healthy hierarchy has none.

#include "ca/hierarchies/diagnosis.h"

#include "ca/authorities/key_retirement.h"
#include "ca/authorities/provisioning.h"
#include "tests/fixtures/use_case_test.h"

namespace ca {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using testing::Must;

class DiagnosisTest : public testing::StoryTest {
 protected:
  // The state of now, with an OCSP responder for each authority and new CRLs.
  Evidence Look() { return Look(acme_); }
  // The same, as if the records said that of the hierarchy.
  Evidence Look(const Hierarchy& acme) {
    Evidence evidence;
    for (const std::string& label : Must(ports_.keys.Labels())) evidence.key_labels.insert(label);
    auto records = Must(CatalogRecords::Load(ports_.stores()));
    for (HierarchyRecords& of : records.hierarchies) {
      if (of.hierarchy.id == acme.id) of.hierarchy = acme;
    }
    evidence.catalog = Must(Catalog::OpenWithoutKeys(std::move(records)));
    evidence.shards = Must(ports_.crls.LoadShards(clock_.Now()));
    for (const CrlShardRecord& shard : evidence.shards) {
      evidence.crls[{shard.authority, shard.shard}] = clock_.Now() + hours(1);
    }
    return evidence;
  }
  void EnsureResponders() {
    const auto authorities = deployment_.Reloaded(acme_)->authorities();
    for (const auto& authority : authorities) {
      if (!authority->has_key()) continue;
      Must(provisioning_.delegates.EnsureResponder(*deployment_.Reloaded(acme_), *authority,
                                                   "conductor"));
    }
  }
  std::vector<Finding> Findings(const Evidence& evidence) {
    return Diagnose(evidence, *evidence.catalog->Find(acme_.id), clock_.Now());
  }
  // "key.orphan acme/prod/issuing/7-00", ...
  std::vector<std::string> Found(const Evidence& evidence) {
    std::vector<std::string> found;
    for (const Finding& finding : Findings(evidence)) {
      EXPECT_EQ(finding.hierarchy, "acme/prod");
      EXPECT_FALSE(finding.what.empty());
      EXPECT_FALSE(finding.fix.empty());
      found.push_back(finding.code + " " + finding.subject);
    }
    return found;
  }
  std::vector<std::string> Found() { return Found(Look()); }
  using Expected = std::vector<std::string>;

  AuthorityRecord RecordOf(AuthorityKind kind, int generation) {
    for (AuthorityRecord& record : Must(ports_.authorities.LoadAuthorities())) {
      if (record.hierarchy == acme_.id && record.kind == kind && record.generation == generation) {
        return std::move(record);
      }
    }
    ADD_FAILURE() << "there is none";
    return {};
  }
  AuthorityRecord First() { return RecordOf(AuthorityKind::kIssuing, 1); }
  AuditEvent Event() { return testing::EventAt(clock_.Now(), "test"); }

  DiagnosisTest() { EnsureResponders(); }

  const Hierarchy& acme_ = deployment_.acme;
  Provisioning provisioning_{ports_.stores(), ports_.keys, testing::Directory(), clock_};
};

TEST_F(DiagnosisTest, FindsNothingWhereAllIsWell) {
  EXPECT_EQ(Found(), Expected{});
  clock_.Advance(hours(1));
  EXPECT_EQ(Found(), Expected{});
}

// ---- keys ---------------------------------------------------------------------------------------

TEST_F(DiagnosisTest, FindsAKeyThatNobodyHasPlanned) {
  Must(ports_.keys.Generate("acme/prod/responder/7-0badcafe"));
  EXPECT_EQ(Found(), Expected{"key.orphan acme/prod/responder/7-0badcafe"});
}

TEST_F(DiagnosisTest, CallsNoKeyAnOrphanThatIsSomebodyElses) {
  for (const char* label :
       {"acme", "acme/prod", "acme/prod/issuing/7", "acme/prod/issuing/x-00",
        "acme/prod/issuing/7-xx", "acme/prod/leaf/7-00", "acme/test/root/1-00", "tls", ""}) {
    Must(ports_.keys.Generate(label));
  }
  const Evidence evidence = Look();
  EXPECT_EQ(Found(evidence), Expected{});
  EXPECT_EQ(ForeignKeys(evidence).size(), 9u);
}

TEST_F(DiagnosisTest, FindsAKeyThatIsMissing) {
  Must(ports_.keys.Destroy(First().key_label));
  EXPECT_EQ(Found(), Expected{"key.missing acme/prod/issuing/1"});
}

TEST_F(DiagnosisTest, FindsAKeyOnATokenOnWhichNobodyLooksForIt) {
  const std::string label = First().key_label;
  Evidence evidence = Look();
  evidence.misplaced_keys = {
      {label, "old", "new"}, {"globex/prod/root/1-00", "old", "new"}, {"tls", "old", "new"}};
  EXPECT_EQ(Found(evidence), Expected{"key.misplaced " + label});  // a copy
  evidence.key_labels.erase(label);
  EXPECT_EQ(Found(evidence), Expected{"key.misplaced " + label}) << "and does not call it missing";
  const auto foreign = ForeignKeys(evidence);
  EXPECT_EQ(foreign.back(), "tls");
}

TEST_F(DiagnosisTest, CallsNothingMissingOnATokenThatIsAway) {
  Evidence evidence = Look();
  evidence.key_labels.clear();
  evidence.unavailable_tokens[acme_.id] = {"apart", "pulled out"};
  clock_.Advance(minutes(10));
  EXPECT_EQ(Found(evidence), Expected{"token.away apart"});
}

TEST_F(DiagnosisTest, FindsATokenThatIsPinnedAndNotWhatTheConfigurationSays) {
  Hierarchy pinned = acme_;
  pinned.token = "hsm-acme";
  Must(ports_.hierarchies.ChangeHierarchy(acme_, pinned, Event()));
  Evidence evidence = Look(pinned);
  evidence.tokens[acme_.id] = "hsm-acme";
  const auto found = [&] { return Findings(evidence); };
  EXPECT_EQ(found().size(), 0u);
  evidence.tokens[acme_.id] = "agentpki";
  ASSERT_EQ(found().size(), 1u);
  EXPECT_EQ(found()[0].code, "hierarchy.token");
  EXPECT_EQ(found()[0].subject, "acme/prod");
}

TEST_F(DiagnosisTest, FindsAResponderWhoseKeyIsMissingUntilAnotherTakesItsPlace) {
  Must(ports_.keys.Destroy(RecordOf(AuthorityKind::kResponder, 1).key_label));
  clock_.Advance(minutes(5));
  EXPECT_EQ(Found(),
            (Expected{"key.missing acme/prod/responder/1", "responder.missing acme/prod/root/1"}));
  EnsureResponders();
  EXPECT_EQ(Found(), Expected{"key.missing acme/prod/responder/1"});
}

TEST_F(DiagnosisTest, FindsAKeyThatShouldBeGone) {
  deployment_.ActivateSuccessor(acme_);
  EnsureResponders();
  clock_.Advance(acme_.LongestLifetime() + RevocationIndex::kKeptAfterExpiry + minutes(1));
  EXPECT_EQ(Found(), Expected{}) << "the conductor has a moment";
  clock_.Advance(minutes(5));
  EXPECT_EQ(Found(), Expected{"key.not-destroyed acme/prod/issuing/1"}) << "nobody decided";

  Must(ports_.authorities.DecideKeyDestruction(First().id, 2, "a test", Event()));
  EXPECT_EQ(Found(), Expected{}) << "it is under way";
  clock_.Advance(minutes(6));
  EXPECT_EQ(Found(), Expected{"key.not-destroyed acme/prod/issuing/1"}) << "and goes no further";

  Must(ports_.authorities.RecordKeyDestroyed(First().id, Event()));
  EXPECT_EQ(Found(), Expected{"key.back acme/prod/issuing/1"});
  Must(ports_.keys.Destroy(First().key_label));
  EXPECT_EQ(Found(), Expected{});
}

// ---- authorities --------------------------------------------------------------------------------

TEST_F(DiagnosisTest, FindsWhatWasNeverFinished) {
  Must(
      ports_.authorities.PlanAuthority(acme_, AuthorityKind::kIssuing, 2, First().issuer, Event()));
  EXPECT_EQ(Found(), Expected{"authority.interrupted acme/prod/issuing/2"});
  Must(provisioning_.hierarchies.EnsureSuccessor(testing::RecordsOf(ports_.stores(), acme_),
                                                 "conductor"));
  EXPECT_EQ(Found(), Expected{});
}

TEST_F(DiagnosisTest, FindsThatNobodyIssuesYet) {
  Evidence evidence = Look();
  auto records = Must(CatalogRecords::Load(ports_.stores()));
  for (HierarchyRecords& of : records.hierarchies) of.activations.clear();
  evidence.catalog = Must(Catalog::OpenWithoutKeys(std::move(records)));
  EXPECT_EQ(Found(evidence), Expected{"authority.interrupted acme/prod"});
}

TEST_F(DiagnosisTest, FindsThatTheScheduleIsNotKept) {
  Hierarchy faster = acme_;
  faster.rotate_every = hours(1);
  clock_.Advance(hours(1) + minutes(5));
  EXPECT_TRUE(Findings(Look(faster)).empty()) << "the conductor has a moment";
  clock_.Advance(minutes(1));
  const auto findings = Findings(Look(faster));
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_EQ(findings[0].code, "authority.overdue");
  EXPECT_EQ(findings[0].subject, "acme/prod/issuing/1");
}

// Its root may end soon, for example.
TEST_F(DiagnosisTest, FindsAnAuthorityThatEndsBeforeItsSchedule) {
  Hierarchy slower = acme_;
  slower.rotate_every = acme_.issuing_lifetime;
  const auto findings = Findings(Look(slower));
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_EQ(findings[0].code, "authority.ending");
  EXPECT_EQ(findings[0].subject, "acme/prod/issuing/1");
}

// ---- status -------------------------------------------------------------------------------------

TEST_F(DiagnosisTest, FindsThatThereIsNoResponder) {
  deployment_.ActivateSuccessor(acme_);
  EXPECT_EQ(Found(), Expected{}) << "the conductor has a moment";
  clock_.Advance(minutes(5));
  EXPECT_EQ(Found(), Expected{"responder.missing acme/prod/issuing/2"});
}

TEST_F(DiagnosisTest, FindsCrlsThatAreMissingOrLate) {
  Evidence evidence = Look();
  evidence.crls[{First().id, 0}] = clock_.Now() - minutes(1);
  evidence.crls.erase({First().issuer, 0});
  EXPECT_EQ(Found(evidence), Expected{"crl.overdue acme/prod/issuing/1"});
  clock_.Advance(minutes(5));
  EXPECT_EQ(Found(evidence),
            (Expected{"crl.missing acme/prod/root/1", "crl.overdue acme/prod/issuing/1"}));
}

TEST_F(DiagnosisTest, WantsNoCrlOfAnAuthorityWhoseKeyIsDestroyed) {
  deployment_.ActivateSuccessor(acme_);
  EnsureResponders();
  Must(ports_.authorities.DecideKeyDestruction(First().id, 2, "a test", Event()));
  Evidence evidence = Look();
  evidence.crls.erase({First().id, 0});
  clock_.Advance(minutes(5));
  EXPECT_EQ(Found(evidence), Expected{});
}

}  // namespace
}  // namespace ca
