// How keys end: when nothing is left for them to sign, and never before; interrupted at each step,
// and by two conductors at once.

#include "ca/authorities/key_retirement.h"

#include "ca/authorities/provisioning.h"
#include "tests/fakes/stepped_ports.h"
#include "tests/fixtures/use_case_test.h"

namespace ca {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::minutes;
using testing::MemoryKeyStore;
using testing::Must;

class KeyRetirementTest : public testing::StoryTest {
 protected:
  // A conductor; something may happen at each of its steps.
  struct Conductor {
    Conductor(testing::MemoryPorts& ports, const Clock& clock, testing::AtStep at_step = Ok)
        : stores(ports.stores(), at_step),
          keys(ports.keys, at_step),
          catalogs(Must(LiveCatalog::Load(ports.stores(), ports.keys))),
          retirement(*catalogs, stores.authorities, keys, clock) {}

    Status Advance(const Hierarchy& hierarchy) {
      return retirement.Advance(*Must(catalogs->Find(hierarchy.id)));
    }

    testing::SteppedHierarchyPorts stores;
    testing::SteppedKeyStore keys;
    const std::unique_ptr<LiveCatalog> catalogs;
    KeyRetirement retirement;
  };

  KeyRetirementTest() {
    deployment_.ActivateSuccessor(acme_);
    clock_.Advance(acme_.LongestLifetime() + RevocationIndex::kKeptAfterExpiry);
  }

  AuthorityView ViewOf(const std::string& name) {
    const auto catalog = Must(Catalog::Load(ports_.stores(), ports_.keys));
    for (const AuthorityView& view : catalog->Find(acme_.id)->ViewsAt(clock_.Now())) {
      if (view.name == name) return view;
    }
    ADD_FAILURE() << "there is no " << name;
    return {};
  }
  AuthorityView First() { return ViewOf("acme/prod/issuing/1"); }
  bool IsOnTheToken(const std::string& label) {
    const auto labels = Must(ports_.keys.Labels());
    return std::find(labels.begin(), labels.end(), label) != labels.end();
  }
  // All that there is to do, with time for replicas to let go in between.
  static void Finish(Conductor& conductor, testing::FakeClock& clock, const Hierarchy& hierarchy) {
    for (int round = 0; round < 5; ++round) {
      Must(conductor.catalogs->Reload());
      Must(conductor.Advance(hierarchy));
      clock.Advance(KeyDestruction::kDestroyAfter);
    }
  }
  void ExpectDestroyedOnce(const AuthorityView& view) {
    EXPECT_EQ(view.state, AuthorityState::kKeyDestroyed);
    ASSERT_TRUE(view.record.key_destruction && view.record.key_destruction->destroyed_at);
    EXPECT_FALSE(IsOnTheToken(view.record.key_label));
    for (const char* action : {"DecideKeyDestruction", "DestroyKey"}) {
      const auto events = ports_.events.All();
      EXPECT_EQ(std::count_if(events.begin(), events.end(),
                              [&](const AuditEvent& event) {
                                return event.action == action && event.subject == view.name;
                              }),
                1)
          << action;
    }
  }
  size_t DecisionCount() {
    size_t count = 0;
    for (const AuthorityRecord& record : Must(ports_.authorities.LoadAuthorities())) {
      if (record.key_destruction) ++count;
    }
    return count;
  }

  const Hierarchy& acme_ = deployment_.acme;
};

// ---- when ---------------------------------------------------------------------------------------

TEST_F(KeyRetirementTest, EndsTheKeyOfARetiredAuthorityWhenItsLastCrlIsOut) {
  Conductor conductor(ports_, clock_);
  Must(conductor.Advance(acme_));
  EXPECT_EQ(First().state, AuthorityState::kRetired) << "its last CRL may be still to be signed";

  clock_.Advance(microseconds(1));
  Must(conductor.Advance(acme_));
  const AuthorityView decided = First();
  EXPECT_EQ(decided.state, AuthorityState::kKeyDestroyed);
  EXPECT_EQ(decided.record.key_destruction->reason, "its certificates have all ended");
  EXPECT_TRUE(IsOnTheToken(decided.record.key_label)) << "other replicas still hold it";

  clock_.Advance(KeyDestruction::kDestroyAfter - microseconds(1));
  Must(conductor.Advance(acme_));
  EXPECT_TRUE(IsOnTheToken(decided.record.key_label));
  clock_.Advance(microseconds(1));
  Must(conductor.Advance(acme_));
  ExpectDestroyedOnce(First());
  Must(conductor.Advance(acme_));
  ExpectDestroyedOnce(First());
}

TEST_F(KeyRetirementTest, LeavesTheCertificateForChainsThatExist) {
  Conductor conductor(ports_, clock_);
  clock_.Advance(minutes(1));
  Finish(conductor, clock_, acme_);
  const auto authority = Must(conductor.catalogs->Snapshot()->FindAuthority(First().record.id));
  EXPECT_FALSE(authority->certificate().empty());
  EXPECT_FALSE(authority->has_key());
}

TEST_F(KeyRetirementTest, LeavesTheKeysOfWhatIssuesAndOfItsRoot) {
  Conductor conductor(ports_, clock_);
  clock_.Advance(acme_.issuing_lifetime * 2);
  Finish(conductor, clock_, acme_);
  EXPECT_EQ(DecisionCount(), 1u) << "the first issuing authority's alone";
  EXPECT_EQ(ViewOf("acme/prod/issuing/2").state, AuthorityState::kActive);
  EXPECT_EQ(ViewOf("acme/prod/root/1").state, AuthorityState::kActive);
}

TEST_F(KeyRetirementTest, LeavesAKeyWhoseAuthorityWasActivatedAgainMeanwhile) {
  Conductor conductor(ports_, clock_);
  clock_.Advance(microseconds(1));
  // There and back, which the conductor has not heard of: certificates may stand again.
  for (const int generation : {1, 2}) {
    const AuthorityId id = ViewOf(fmt::format("acme/prod/issuing/{}", generation)).record.id;
    Must(ports_.activations.Activate({acme_.id, 2 + generation, id, clock_.Now()},
                                     testing::EventAt(clock_.Now(), "ActivateAuthority")));
  }
  Must(conductor.Advance(acme_));
  EXPECT_EQ(First().state, AuthorityState::kRetiring);
  EXPECT_EQ(DecisionCount(), 0u);
}

TEST_F(KeyRetirementTest, EndsTheKeyOfAResponderWhoseCertificateHasEnded) {
  Provisioning provisioning(ports_.stores(), ports_.keys, testing::Directory(), clock_);
  const auto issuer = Must(deployment_.catalog->Find(acme_.id)->ActiveIssuer());
  const auto responder = Must(
      provisioning.delegates.EnsureResponder(*deployment_.Reloaded(acme_), *issuer, "conductor"));
  Conductor conductor(ports_, clock_);
  clock_.Set(responder->validity().not_after + hours(1));
  Must(conductor.Advance(acme_));
  clock_.Set(responder->validity().not_after);
  Finish(conductor, clock_, acme_);
  EXPECT_TRUE(IsOnTheToken(responder->key_label())) << "some replica's clock may be behind";

  clock_.Set(responder->validity().not_after + hours(1) + microseconds(1));
  Finish(conductor, clock_, acme_);
  EXPECT_FALSE(IsOnTheToken(responder->key_label()));
}

// Its making was interrupted, and nobody goes on with it.
TEST_F(KeyRetirementTest, EndsTheKeyOfAResponderThatIsPlannedForAnAuthorityWithoutOne) {
  const AuthorityRecord planned =
      Must(ports_.authorities.PlanAuthority(acme_, AuthorityKind::kResponder, 1, First().record.id,
                                            testing::EventAt(clock_.Now(), "PlanAuthority")));
  Must(ports_.keys.Generate(planned.key_label));
  Conductor conductor(ports_, clock_);
  Finish(conductor, clock_, acme_);
  EXPECT_FALSE(IsOnTheToken(planned.key_label));
}

TEST_F(KeyRetirementTest, EndsTheKeyOfARootAfterThoseOfAllThatItHasCertified) {
  // A second root, whose issuing authority takes over.
  const auto event = testing::EventAt(clock_.Now(), "test");
  const AuthorityRecord planned =
      Must(ports_.authorities.PlanAuthority(acme_, AuthorityKind::kRoot, 2, AuthorityId{}, event));
  const auto key = Must(ports_.keys.Generate(planned.key_label));
  auto prepared = Must(Authority::PrepareRoot(acme_, planned, *key, clock_.Now()));
  auto recorded = Must(ports_.authorities.RecordAuthority(planned.id, std::move(prepared), event));
  Must(ports_.authorities.RecordAuthorityCertificate(
      planned.id, Must(SignRecorded(*key, std::move(recorded))), clock_.Now()));
  deployment_.ActivateSuccessor(acme_);
  ASSERT_EQ(ViewOf("acme/prod/issuing/3").record.issuer, planned.id);

  Conductor conductor(ports_, clock_);
  Finish(conductor, clock_, acme_);
  EXPECT_EQ(ViewOf("acme/prod/root/1").state, AuthorityState::kRetiring);
  clock_.Advance(acme_.LongestLifetime() + RevocationIndex::kKeptAfterExpiry);
  Finish(conductor, clock_, acme_);
  ExpectDestroyedOnce(ViewOf("acme/prod/issuing/2"));
  ExpectDestroyedOnce(ViewOf("acme/prod/root/1"));
  EXPECT_EQ(ViewOf("acme/prod/root/2").state, AuthorityState::kActive);
}

// ---- interrupted --------------------------------------------------------------------------------

TEST_F(KeyRetirementTest, IsTheSameAfterAnInterruptionAtAnyStep) {
  clock_.Advance(microseconds(1));
  // Two steps each: the decision, the destruction, the record of it, and each reading of the store.
  for (int interrupted_at = 1; interrupted_at <= 20; ++interrupted_at) {
    SCOPED_TRACE(interrupted_at);
    testing::FakeClock clock;
    testing::MemoryPorts ports(clock);
    testing::Deployment deployment(ports, clock);
    deployment.ActivateSuccessor(deployment.acme);
    clock.Advance(acme_.LongestLifetime() + RevocationIndex::kKeptAfterExpiry + minutes(1));

    int step = 0;
    Conductor killed(ports, clock, [&] {
      return ++step == interrupted_at ? Error(StatusCode::kUnavailable, "interrupted") : Ok();
    });
    for (int round = 0; round < 2; ++round) {
      killed.Advance(deployment.acme).IgnoreError();
      clock.Advance(KeyDestruction::kDestroyAfter);
    }
    Conductor heir(ports, clock);
    Finish(heir, clock, deployment.acme);
    size_t destroyed = 0;
    for (const AuthorityRecord& record : Must(ports.authorities.LoadAuthorities())) {
      const auto found = ports.keys.Find(record.key_label);
      EXPECT_EQ(found.ok(), !record.key_destruction.has_value());
      if (record.key_destruction && record.key_destruction->destroyed_at) ++destroyed;
    }
    EXPECT_EQ(destroyed, 1u);
  }
}

TEST_F(KeyRetirementTest, IsDoneOnceByTwoConductors) {
  clock_.Advance(microseconds(1));
  Conductor one(ports_, clock_);
  Conductor two(ports_, clock_);
  for (int round = 0; round < 2; ++round) {
    Must(one.Advance(acme_));
    Must(two.Advance(acme_));  // it has not heard of what the other did
    clock_.Advance(KeyDestruction::kDestroyAfter);
  }
  Must(two.Advance(acme_));
  ExpectDestroyedOnce(First());
}

TEST_F(KeyRetirementTest, WaitsForATokenThatIsAway) {
  clock_.Advance(microseconds(1));
  Conductor conductor(ports_, clock_);
  Must(conductor.Advance(acme_));
  clock_.Advance(KeyDestruction::kDestroyAfter);
  ports_.keys.Fail(MemoryKeyStore::Fault::kUnavailable);
  EXPECT_EQ(conductor.Advance(acme_).code(), StatusCode::kUnavailable);
  ports_.keys.Fail(MemoryKeyStore::Fault::kNone);
  EXPECT_EQ(First().record.key_destruction->destroyed_at, std::nullopt);
  Must(conductor.Advance(acme_));
  ExpectDestroyedOnce(First());
}

}  // namespace
}  // namespace ca
