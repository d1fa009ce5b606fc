// How one issuing authority follows another: by hand, on schedule, interrupted, and by two at once.

#include "ca/authorities/rotation.h"

#include "ca/certificates/enrollment.h"
#include "tests/fixtures/publishing.h"
#include "tests/fixtures/use_case_test.h"

namespace ca {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::seconds;
using testing::IsRefusal;
using testing::Must;

class RotationTest : public testing::StoryTest {
 protected:
  // Another replica on the same database and token.
  struct Replica {
    Replica(testing::MemoryPorts& ports, const Clock& clock)
        : catalogs(Must(LiveCatalog::Load(ports.stores(), ports.keys))),
          authorization(ports.registry),
          publishing(ports, *catalogs, authorization, revocations, clock),
          approvals(*catalogs, authorization, ports.hierarchies, ports.approvals),
          rotation(*catalogs, authorization, ports.stores(), publishing.provisioning,
                   publishing.publication, ports.ledger, revocations, publishing.bundles, approvals,
                   clock),
          enrollment(*catalogs, ports.registry, ports.ledger, testing::Directory(), clock) {}

    // As the conductor does, by its own catalog of now.
    Status Advance(const Hierarchy& hierarchy) {
      return rotation.Advance(*Must(catalogs->Find(hierarchy.id)));
    }

    const std::unique_ptr<LiveCatalog> catalogs;
    RevocationIndex revocations;
    const Authorization authorization;
    testing::Publishing publishing;
    const Approvals approvals;
    Rotation rotation;
    const Enrollment enrollment;
  };

  AuditEvent Event(std::string action) { return testing::EventAt(clock_.Now(), std::move(action)); }

  Result<AuthorityView> Prepare() {
    return testing::ValueOf(
        one_.rotation.Prepare(CallBy(admin_, Action::kPrepareAuthority), "acme/prod"));
  }
  Result<AuthorityView> Activate(const std::string& name) {
    return testing::ValueOf(one_.rotation.Activate(CallBy(admin_, Action::kActivateAuthority), name,
                                                   StragglerPolicy::kWait));
  }
  Result<AuthorityView> Taint(const std::string& name, const std::string& reason = "an advisory") {
    return testing::ValueOf(
        one_.rotation.Taint(CallBy(admin_, Action::kTaintAuthority), name, reason));
  }
  Result<Rotation::RevokedAuthority> Revoke(
      const std::string& name, RevocationReason reason = RevocationReason::kCaCompromise) {
    return testing::ValueOf(one_.rotation.Revoke(CallBy(admin_, Action::kRevokeAuthority), name,
                                                 reason, "it was stolen"));
  }
  Result<AuthorityView> RollBack() {
    return testing::ValueOf(
        one_.rotation.RollBack(CallBy(admin_, Action::kRollBackAuthority), "acme/prod"));
  }
  void PrepareAndWait() {
    Must(Prepare());
    clock_.Advance(Hierarchy::kPublishAheadMin);
  }

  // issuing/1 active, issuing/2 published, ...
  std::string States(Replica& replica) {
    Must(replica.catalogs->Reload());
    std::string text;
    for (const AuthorityView& view :
         replica.catalogs->Snapshot()->Find(acme_.id)->ViewsAt(clock_.Now())) {
      if (view.record.kind != AuthorityKind::kIssuing) continue;
      text += fmt::format("{}{} {}", text.empty() ? "" : ", ", view.record.generation,
                          NameOf(view.state));
    }
    return text;
  }
  std::string States() { return States(one_); }

  Result<IssuedCertificate> Issue(Replica& replica) {
    return testing::ValueOf(replica.enrollment.Issue(
        CallBy(Caller(), Action::kEnroll), agent_, testing::NewSubjectKey().Csr(agent_.id),
        SystemGrounds{}, RequestId::New(clock_.Now())));
  }
  int GenerationOf(const IssuedCertificate& issued) {
    const auto catalog = Must(Catalog::Load(ports_.stores(), ports_.keys));
    return Must(catalog->FindAuthority(issued.certificate.record.authority))->generation();
  }

  const Hierarchy& acme_ = deployment_.acme;
  const Agent agent_ = deployment_.Register(acme_, "billing/bot");
  const Caller admin_ = OperatorWith(Role::kAdmin);
  Replica one_{ports_, clock_};
  Replica two_{ports_, clock_};
};

// ---- by hand ------------------------------------------------------------------------------------

TEST_F(RotationTest, GoesFromPublishedToRetired) {
  EXPECT_EQ(States(), "1 active");
  EXPECT_EQ(Must(Prepare()).name, "acme/prod/issuing/2");
  EXPECT_EQ(Must(Prepare()).name, "acme/prod/issuing/2") << "it is there already";
  EXPECT_EQ(States(), "1 active, 2 published");
  EXPECT_EQ(GenerationOf(Must(Issue(one_))), 1);

  clock_.Advance(Hierarchy::kPublishAheadMin);
  EXPECT_EQ(Must(Activate("acme/prod/issuing/2")).state, AuthorityState::kActive);
  EXPECT_EQ(States(), "1 retiring, 2 active");
  EXPECT_EQ(GenerationOf(Must(Issue(one_))), 2);

  clock_.Advance(acme_.LongestLifetime());
  EXPECT_EQ(States(), "1 retiring, 2 active") << "its last certificate still stands";
  clock_.Advance(microseconds(1));
  EXPECT_EQ(States(), "1 retired, 2 active");
}

// ---- before its time ----------------------------------------------------------------------------

TEST_F(RotationTest, LetsAnotherFollowATaintedOneAtOnce) {
  ASSERT_EQ(Must(Taint("acme/prod/issuing/1")).state, AuthorityState::kActive);
  EXPECT_EQ(States(), "1 active, 2 published");
  EXPECT_EQ(GenerationOf(Must(Issue(one_))), 1) << "until then it goes on";
  Must(one_.Advance(acme_));
  EXPECT_EQ(States(), "1 active, 2 published") << "not every replica has heard of it";
  clock_.Advance(Hierarchy::kPublishAheadMin);
  Must(one_.Advance(acme_));
  EXPECT_EQ(States(), "1 retiring, 2 active");
  EXPECT_EQ(ports_.events.All().back().rule, "authority.tainted");
  EXPECT_TRUE(IsRefusal(RollBack().status(), StatusCode::kFailedPrecondition, "authority.tainted"));
  Must(one_.Advance(acme_));
  EXPECT_EQ(States(), "1 retiring, 2 active") << "and that is all";
}

TEST_F(RotationTest, PreparesAnotherInThePlaceOfATaintedSuccessor) {
  PrepareAndWait();
  EXPECT_EQ(Must(Taint("acme/prod/issuing/2")).state, AuthorityState::kPublished);
  EXPECT_TRUE(IsRefusal(Activate("acme/prod/issuing/2").status(), StatusCode::kFailedPrecondition,
                        "authority.tainted"));
  EXPECT_EQ(Must(Prepare()).name, "acme/prod/issuing/3");
  clock_.Advance(Hierarchy::kPublishAheadMin);
  Must(Activate("acme/prod/issuing/3"));
  EXPECT_EQ(States(), "1 retiring, 2 published, 3 active");
}

TEST_F(RotationTest, IssuesNothingFromARevokedOneAndGoesOnWithTheNext) {
  const auto issued = Must(Issue(one_));
  const auto revoked = Must(Revoke("acme/prod/issuing/1"));
  EXPECT_EQ(revoked.revoked_count, 1);
  EXPECT_TRUE(revoked.view.record.taint->is_revoked);
  EXPECT_TRUE(IsRefusal(Issue(one_).status(), StatusCode::kUnavailable, "authority.revoked"));
  EXPECT_TRUE(IsRefusal(Issue(two_).status(), StatusCode::kUnavailable, "authority.revoked"))
      << "nor by a replica that has not heard of it";
  clock_.Advance(Hierarchy::kPublishAheadMin);
  Must(two_.Advance(acme_));
  EXPECT_EQ(GenerationOf(Must(Issue(one_))), 2);
  EXPECT_TRUE(IsRefusal(RollBack().status(), StatusCode::kFailedPrecondition, "authority.revoked"));
  EXPECT_EQ(Must(Revoke("acme/prod/issuing/1")).revoked_count, 0) << "it may be repeated";
}

TEST_F(RotationTest, LetsAPreparedSuccessorTakeOverInTheSameCall) {
  PrepareAndWait();
  Must(Revoke("acme/prod/issuing/1"));
  EXPECT_EQ(States(), "1 retiring, 2 active");
  EXPECT_EQ(GenerationOf(Must(Issue(one_))), 2);
}

TEST_F(RotationTest, NamesWhatIsWrongWithATaint) {
  EXPECT_EQ(Taint("acme/prod/root/1").status().code(), StatusCode::kNotFound);
  EXPECT_EQ(Taint("acme/prod/issuing/9").status().code(), StatusCode::kNotFound);
  EXPECT_TRUE(testing::Says(Taint("acme/prod/issuing/1", "").status(), StatusCode::kInvalidArgument,
                            "reason: "));
  EXPECT_TRUE(
      testing::Says(Revoke("acme/prod/issuing/1", RevocationReason::kKeyCompromise).status(),
                    StatusCode::kInvalidArgument, "cACompromise"));
  EXPECT_EQ(States(), "1 active") << "nothing was changed";
}

TEST_F(RotationTest, IsAskedAboutAsLongAsACertificateMayStand) {
  const auto asked_about = [&] {
    std::string names;
    const auto catalog = one_.catalogs->Snapshot();
    for (const AuthorityView& view : catalog->Find(acme_.id)->ViewsAt(clock_.Now())) {
      if (IsAskedAbout(view, clock_.Now())) names += view.name.substr(acme_.Name().size()) + " ";
    }
    return names;
  };
  EXPECT_EQ(asked_about(), "/root/1 /issuing/1 ");
  PrepareAndWait();
  EXPECT_EQ(asked_about(), "/root/1 /issuing/1 /issuing/2 ");
  Must(Activate("acme/prod/issuing/2"));
  clock_.Advance(acme_.LongestLifetime());
  EXPECT_EQ(asked_about(), "/root/1 /issuing/1 /issuing/2 ");
  clock_.Advance(microseconds(1));
  EXPECT_EQ(asked_about(), "/root/1 /issuing/2 ");
  clock_.Advance(acme_.issuing_lifetime);
  EXPECT_EQ(asked_about(), "/root/1 ") << "the active one has ended, and nobody made the next";
}

TEST_F(RotationTest, LetsAnotherReplicaGoOnThatHasNotHeardOfIt) {
  PrepareAndWait();
  Must(Activate("acme/prod/issuing/2"));
  const auto issued = Must(Issue(two_));
  EXPECT_EQ(GenerationOf(issued), 2);
  const auto authority =
      Must(two_.catalogs->Snapshot()->FindAuthority(issued.certificate.record.authority));
  EXPECT_EQ(issued.intermediates(), std::vector{authority->certificate()});
}

TEST_F(RotationTest, WaitsUntilEveryReplicaHasHeardOfASuccessor) {
  Must(Prepare());
  clock_.Advance(Hierarchy::kPublishAheadMin - microseconds(1));
  EXPECT_TRUE(IsRefusal(Activate("acme/prod/issuing/2").status(), StatusCode::kFailedPrecondition,
                        "authority.just-published"));
  clock_.Advance(microseconds(1));
  Must(Activate("acme/prod/issuing/2"));
}

TEST_F(RotationTest, IsOkWhenItIssuesAlready) {
  const size_t events = ports_.events.All().size();
  EXPECT_EQ(Must(Activate("acme/prod/issuing/1")).state, AuthorityState::kActive);
  EXPECT_EQ(Must(ports_.activations.LoadActivations()).size(), 3u) << "one for each hierarchy";
  EXPECT_EQ(ports_.events.All().size(), events + 1);
}

TEST_F(RotationTest, RollsBackAndForthAgain) {
  EXPECT_TRUE(
      IsRefusal(RollBack().status(), StatusCode::kFailedPrecondition, "authority.none-before"));
  PrepareAndWait();
  Must(Activate("acme/prod/issuing/2"));
  EXPECT_EQ(Must(RollBack()).name, "acme/prod/issuing/1");
  EXPECT_EQ(States(), "1 active, 2 retiring");
  EXPECT_EQ(GenerationOf(Must(Issue(two_))), 1);
  EXPECT_EQ(Must(RollBack()).name, "acme/prod/issuing/2");
  EXPECT_EQ(States(), "1 retiring, 2 active");
  EXPECT_EQ(Must(Prepare()).name, "acme/prod/issuing/3");
}

TEST_F(RotationTest, DoesNotActivateWhatWouldNotOutliveWhatItIssues) {
  PrepareAndWait();
  Must(Activate("acme/prod/issuing/2"));
  clock_.Advance(acme_.issuing_lifetime - acme_.LongestLifetime());
  EXPECT_TRUE(IsRefusal(RollBack().status(), StatusCode::kFailedPrecondition, "authority.ending"));
}

TEST_F(RotationTest, DoesNotActivateWhatIsRevoked) {
  const AuthorityView successor = Must(Prepare());
  clock_.Advance(Hierarchy::kPublishAheadMin);
  const auto authority = Must(one_.catalogs->Snapshot()->FindAuthority(successor.record.id));
  one_.revocations.Add(Revocation{.serial = *authority->serial(),
                                  .hierarchy = acme_.id,
                                  .authority = authority->issuer(),
                                  .not_after = authority->validity().not_after,
                                  .revoked_at = clock_.Now(),
                                  .invalidity_date = std::nullopt});
  EXPECT_TRUE(IsRefusal(Activate(successor.name).status(), StatusCode::kFailedPrecondition,
                        "authority.revoked"));
}

TEST_F(RotationTest, DoesNotActivateWhatHasNoKeyAnyMore) {
  PrepareAndWait();
  Must(Activate("acme/prod/issuing/2"));
  Must(ports_.authorities.DecideKeyDestruction(
      one_.catalogs->Snapshot()->Find(acme_.id)->activations().front().authority, 2, "a test",
      Event("DecideKeyDestruction")));
  // It has not heard of it yet: the store has.
  EXPECT_EQ(RollBack().status().code(), StatusCode::kAborted);
  EXPECT_EQ(States(), "1 key destroyed, 2 active");
  EXPECT_TRUE(
      IsRefusal(RollBack().status(), StatusCode::kFailedPrecondition, "authority.key-destroyed"));
  EXPECT_TRUE(IsRefusal(Activate("acme/prod/issuing/1").status(), StatusCode::kFailedPrecondition,
                        "authority.key-destroyed"));
  EXPECT_EQ(States(), "1 key destroyed, 2 active");
}

// It was published, and never issued.
TEST_F(RotationTest, PreparesAnotherWhenTheSuccessorHasNoKeyAnyMore) {
  const AuthorityView second = Must(Prepare());
  Must(ports_.authorities.DecideKeyDestruction(second.record.id, 1, "a test",
                                               Event("DecideKeyDestruction")));
  EXPECT_EQ(Must(Prepare()).name, "acme/prod/issuing/3");
  EXPECT_EQ(States(), "1 active, 2 key destroyed, 3 published");
}

TEST_F(RotationTest, IsForAdmins) {
  const Caller registrar = OperatorWith(Role::kRegistrar);
  EXPECT_TRUE(IsRefusal(
      one_.rotation.Prepare(CallBy(registrar, Action::kPrepareAuthority), "acme/prod").status(),
      StatusCode::kPermissionDenied, "caller.role"));
  EXPECT_TRUE(IsRefusal(one_.rotation
                            .Activate(CallBy(registrar, Action::kActivateAuthority),
                                      "acme/prod/issuing/1", StragglerPolicy::kLeaveBehind)
                            .status(),
                        StatusCode::kPermissionDenied, "caller.role"));
  EXPECT_TRUE(IsRefusal(
      one_.rotation.RollBack(CallBy(registrar, Action::kRollBackAuthority), "acme/prod").status(),
      StatusCode::kPermissionDenied, "caller.role"));
  EXPECT_EQ(Must(ports_.activations.LoadActivations()).size(), 3u);
}

TEST_F(RotationTest, KnowsNoAuthorityByAnotherName) {
  for (const char* name : {"acme/prod/issuing/7", "acme/prod/root/1", "acme/prod", "", "acme/pro",
                           "nobody/prod/issuing/1"}) {
    EXPECT_EQ(Activate(name).status().code(), StatusCode::kNotFound) << name;
  }
}

// ---- on schedule --------------------------------------------------------------------------------

TEST_F(RotationTest, HappensOnSchedule) {
  clock_.Advance(acme_.rotate_every - acme_.publish_ahead - seconds(1));
  Must(one_.Advance(acme_));
  EXPECT_EQ(States(), "1 active");
  clock_.Advance(seconds(1));
  Must(one_.Advance(acme_));
  EXPECT_EQ(States(), "1 active, 2 published");
  clock_.Advance(acme_.publish_ahead - seconds(1));
  Must(one_.Advance(acme_));
  EXPECT_EQ(States(), "1 active, 2 published");
  clock_.Advance(seconds(1));
  Must(one_.Advance(acme_));
  EXPECT_EQ(States(), "1 retiring, 2 active");
  Must(one_.Advance(acme_));
  EXPECT_EQ(States(), "1 retiring, 2 active");
}

// As after a long outage: it is due, and must still be published first.
TEST_F(RotationTest, PublishesFirstHoweverLateItIs) {
  clock_.Advance(acme_.rotate_every + hours(1));
  Must(one_.Advance(acme_));
  EXPECT_EQ(States(), "1 active, 2 published");
  clock_.Advance(Hierarchy::kPublishAheadMin);
  Must(one_.Advance(acme_));
  EXPECT_EQ(States(), "1 retiring, 2 active");
}

TEST_F(RotationTest, GivesARollBackItsWholeTime) {
  clock_.Advance(acme_.rotate_every);
  PrepareAndWait();
  Must(Activate("acme/prod/issuing/2"));
  Must(RollBack());
  Must(one_.Advance(acme_));
  EXPECT_EQ(States(), "1 active, 2 retiring");
}

TEST_F(RotationTest, IsDoneOnceByTwoConductors) {
  clock_.Advance(acme_.rotate_every);
  Must(one_.Advance(acme_));
  Must(two_.Advance(acme_));  // it has not heard of the successor yet
  EXPECT_EQ(States(), "1 active, 2 published");
  clock_.Advance(Hierarchy::kPublishAheadMin);
  Must(one_.Advance(acme_));
  Must(two_.Advance(acme_));  // nor of the activation
  EXPECT_EQ(States(one_), "1 retiring, 2 active");
  EXPECT_EQ(States(two_), "1 retiring, 2 active");
}

// A year of it: at every instant one is active, none outlives its issuer, and whatever was issued
// has an issuer that is in the catalog.
TEST_F(RotationTest, GoesOnForYears) {
  const TimePoint end = clock_.Now() + hours(24 * 800);
  int last_generation = 1;
  for (; clock_.Now() < end; clock_.Advance(hours(11))) {
    Must(one_.Advance(acme_));
    const auto issued = Must(Issue(two_));
    const int generation = GenerationOf(issued);
    EXPECT_TRUE(generation == last_generation || generation == last_generation + 1);
    last_generation = generation;
    const auto views = one_.catalogs->Snapshot()->Find(acme_.id)->ViewsAt(clock_.Now());
    EXPECT_EQ(std::count_if(views.begin(), views.end(),
                            [](const AuthorityView& view) {
                              return view.record.kind == AuthorityKind::kIssuing &&
                                     view.state == AuthorityState::kActive;
                            }),
              1);
    const auto& record = issued.certificate.record;
    const auto issuer = Must(two_.catalogs->Snapshot()->FindAuthority(record.authority));
    EXPECT_LE(record.validity.not_after, issuer->validity().not_after);
    EXPECT_EQ(record.validity.not_after,
              std::chrono::floor<seconds>(clock_.Now()) + acme_.profiles[0].lifetime)
        << "cut short by its issuer's end";
  }
  EXPECT_GE(last_generation, 8);
}

// ---- interrupted --------------------------------------------------------------------------------

TEST_F(RotationTest, IsPublishedAfterTheTokenWasAwayInTheMiddle) {
  ports_.keys.Fail(testing::MemoryKeyStore::Fault::kUnavailable);
  EXPECT_EQ(Prepare().status().code(), StatusCode::kUnavailable);
  ports_.keys.Fail(testing::MemoryKeyStore::Fault::kNone);
  EXPECT_EQ(States(), "1 active, 2 pending");
  EXPECT_EQ(Must(Prepare()).name, "acme/prod/issuing/2");
  EXPECT_EQ(States(), "1 active, 2 published");
}

}  // namespace
}  // namespace ca
