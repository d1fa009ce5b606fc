// The end of a hierarchy: none of its certificates is valid, none of its keys is left, and a record
// says so. Also if it is interrupted at any step, and if two conductors do it at once.

#include "ca/hierarchies/decommissioning.h"

#include <set>

#include "tests/fakes/stepped_ports.h"
#include "tests/fixtures/use_case_test.h"

namespace ca {
namespace {

using testing::MemoryKeyStore;
using testing::Must;

// A short form of the record; tests/ca/files tests the real one.
std::string Write(const DestructionStatement& statement) {
  std::string text = statement.destruction.hierarchy.Name() + "\n";
  for (const DestroyedKey& key : statement.keys) {
    text += fmt::format("{} {} {}\n", key.authority, key.label, key.fingerprint);
  }
  return text;
}

class DecommissioningTest : public testing::StoryTest {
 protected:
  // A server that calls a hook at each of its steps.
  struct Server {
    Server(testing::MemoryPorts& ports, const Clock& clock, testing::AtStep at_step = Ok)
        : stores(ports.stores(), at_step),
          keys(ports.keys, at_step),
          authorization(ports.registry),
          catalogs(Must(LiveCatalog::Load(ports.stores(), ports.keys))),
          retirement(*catalogs, stores.authorities, keys, clock),
          provisioning(stores, keys, directory, clock),
          approvals(*catalogs, authorization, ports.hierarchies, ports.approvals),
          decommissioning(*catalogs, authorization, stores, retirement, provisioning, approvals,
                          clock, Write) {}

    // A round of the conductor, without the last CRLs.
    Status Advance() {
      TRY(catalogs->Reload());
      const auto catalog = catalogs->Snapshot();
      for (const HierarchySnapshotPtr& hierarchy : catalog->all_hierarchies()) {
        if (hierarchy->is_destroyed()) TRY(decommissioning.Advance(*hierarchy));
      }
      return Ok();
    }

    testing::SteppedHierarchyPorts stores;
    testing::SteppedKeyStore keys;
    const StatusDirectory& directory = testing::Directory();
    const Authorization authorization;
    const std::unique_ptr<LiveCatalog> catalogs;
    KeyRetirement retirement;
    Provisioning provisioning;
    const Approvals approvals;
    Decommissioning decommissioning;
  };

  AuditEvent NewEvent() const {
    AuditEvent event = testing::EventAt(clock_.Now(), "DestroyHierarchy");
    event.actor = admin_.Name();
    return event;
  }
  Result<DestructionView> Destroy(Server& server, const std::string& reason = "merged") {
    return testing::ValueOf(server.decommissioning.Destroy(
        CallBy(admin_, Action::kDestroyHierarchy), "acme/prod", reason));
  }
  Result<DestructionView> DestroyAs(const Caller& caller, const std::string& name) {
    return testing::ValueOf(
        server_.decommissioning.Destroy(CallBy(caller, Action::kDestroyHierarchy), name, "merged"));
  }
  // Does all steps, and waits between them until the replicas have closed the keys.
  static void Finish(Server& server, testing::FakeClock& clock) {
    for (int round = 0; round < 3; ++round) {
      Must(server.Advance());
      clock.Advance(KeyDestruction::kDestroyAfter);
    }
  }
  static std::vector<std::string> LabelsOf(testing::MemoryPorts& ports, const std::string& name) {
    std::vector<std::string> labels = Must(ports.keys.Labels());
    std::erase_if(labels, [&](const auto& label) { return !label.starts_with(name + "/"); });
    return labels;
  }
  DestructionView Only(const std::string& name = "acme/prod") {
    const auto views =
        Must(server_.decommissioning.List(CallBy(admin_, Action::kListDestructions), name));
    EXPECT_EQ(views.size(), 1u);
    return views.front();
  }
  size_t EventCount(const std::string& action) {
    const auto events = ports_.events.All();
    return static_cast<size_t>(std::count_if(events.begin(), events.end(), [&](const auto& event) {
      return event.action == action && event.rule.empty();
    }));
  }

  const Hierarchy& acme_ = deployment_.acme;
  const Caller admin_ = OperatorWith(Role::kAdmin);
  Server server_{ports_, clock_};
};

// ---- at once ------------------------------------------------------------------------------------

TEST_F(DecommissioningTest, RevokesAllThatItHasIssued) {
  const Agent bot = deployment_.Register(acme_, "bot");
  const Certificate leaf = deployment_.Issue(bot);
  const Certificate other = deployment_.Issue(deployment_.Register(deployment_.globex, "bot"));
  const auto issuer = Must(deployment_.catalog->Find(acme_.id)->ActiveIssuer());

  const DestructionView view = Must(Destroy(server_));

  EXPECT_EQ(view.destruction.revoked_count, 1);
  EXPECT_EQ(view.destruction.reason, "merged");
  EXPECT_EQ(view.destruction.decided_by, admin_.Name());
  const auto status_of = [&](const Hierarchy& hierarchy, AuthorityId by, const SerialNumber& of) {
    return Must(ports_.revocations.FindStatus(hierarchy.id, by, of));
  };
  const auto of_leaf = status_of(acme_, leaf.record.authority, leaf.record.serial);
  ASSERT_TRUE(std::holds_alternative<Revocation>(of_leaf));
  EXPECT_EQ(std::get<Revocation>(of_leaf).reason, RevocationReason::kCessationOfOperation);
  EXPECT_TRUE(
      std::holds_alternative<Revocation>(status_of(acme_, issuer->issuer(), *issuer->serial())));
  EXPECT_TRUE(std::holds_alternative<GoodCertificate>(
      status_of(deployment_.globex, other.record.authority, other.record.serial)));
}

TEST_F(DecommissioningTest, LetsNobodyIssueInItAnyMore) {
  const Agent bot = deployment_.Register(acme_, "bot");
  auto prepared =
      deployment_.Prepare(bot, testing::PublicHalf(testing::NewSubjectKey()));  // just before
  Must(Destroy(server_));
  const auto intent =
      ports_.ledger.RecordIntent(std::move(prepared), SystemGrounds{}, RequestId::New(clock_.Now()),
                                 testing::EventAt(clock_.Now(), "x"));
  EXPECT_EQ(RuleOf(intent.status()), "authority.superseded");
  EXPECT_FALSE(server_.catalogs->Snapshot()->FindByName("acme/prod").ok());
  EXPECT_FALSE(server_.catalogs->Snapshot()->FindByTrustDomain(acme_.trust_domain).ok());
}

TEST_F(DecommissioningTest, LeavesItsNameForAnother) {
  Must(Destroy(server_));
  Provisioning provisioning(ports_.stores(), ports_.keys, server_.directory, clock_);
  const Hierarchy again =
      Must(provisioning.hierarchies.EnsureHierarchy(testing::AcmeProd(), "conductor"));
  EXPECT_NE(again.id, acme_.id);
  Must(server_.catalogs->Reload());
  EXPECT_EQ(Must(server_.catalogs->Snapshot()->FindByName("acme/prod"))->id(), again.id);
  Finish(server_, clock_);
  EXPECT_EQ(Only().destruction.hierarchy.id, acme_.id);
  EXPECT_TRUE(server_.catalogs->Snapshot()->Find(again.id)->ActiveIssuer().ok());
  EXPECT_EQ(LabelsOf(ports_, "acme/prod").size(), 2u) << "those of the new one";
}

// ---- key by key ---------------------------------------------------------------------------------

TEST_F(DecommissioningTest, LeavesNoKeyAndARecordThatSaysSo) {
  Must(Destroy(server_));
  ASSERT_FALSE(LabelsOf(ports_, "acme/prod").empty());
  Must(server_.Advance());
  EXPECT_FALSE(LabelsOf(ports_, "acme/prod").empty()) << "other replicas still hold them";
  EXPECT_EQ(Only().destroyed_key_count, 0);
  EXPECT_EQ(Only().destruction.finished_at, std::nullopt);

  clock_.Advance(KeyDestruction::kDestroyAfter);
  Must(server_.Advance());
  const DestructionView view = Only();
  EXPECT_TRUE(LabelsOf(ports_, "acme/prod").empty());
  EXPECT_EQ(view.destroyed_key_count, view.key_count);
  ASSERT_EQ(view.destruction.finished_at, clock_.Now());
  for (const AuthorityRecord& record : Must(ports_.authorities.LoadAuthorities())) {
    if (record.hierarchy != acme_.id) continue;
    EXPECT_NE(view.destruction.record.find(record.key_label), Bytes::npos) << record.key_label;
  }
  EXPECT_FALSE(LabelsOf(ports_, "globex/prod").empty());

  const auto signatures = ports_.events.All().size();
  Must(server_.Advance());
  EXPECT_EQ(ports_.events.All().size(), signatures) << "there is nothing left to do";
}

TEST_F(DecommissioningTest, IsTheSameAfterAnInterruptionAtAnyStep) {
  bool was_interrupted = true;
  for (int interrupted_at = 0; was_interrupted; ++interrupted_at) {
    SCOPED_TRACE(interrupted_at);
    ASSERT_LT(interrupted_at, 300) << "it never ends";
    testing::FakeClock clock;
    testing::MemoryPorts ports(clock);
    testing::Deployment deployment(ports, clock);
    const AuditEvent event = testing::EventAt(clock.Now(), "DestroyHierarchy");
    Must(ports.hierarchies.DestroyHierarchy(deployment.acme.id, "merged", event));

    int steps_left = interrupted_at;
    was_interrupted = false;
    Server killed(ports, clock, [&] {
      if (steps_left-- != 0) return Ok();
      was_interrupted = true;
      return Error(StatusCode::kUnavailable, "interrupted");
    });
    for (int round = 0; round < 2; ++round) {
      killed.Advance().IgnoreError();
      clock.Advance(KeyDestruction::kDestroyAfter);
    }
    Server heir(ports, clock);
    Finish(heir, clock);
    EXPECT_TRUE(LabelsOf(ports, "acme/prod").empty());
    const auto destructions = Must(ports.hierarchies.LoadDestructions());
    ASSERT_EQ(destructions.size(), 1u);
    EXPECT_TRUE(destructions.front().finished_at);
    std::set<std::string> planned;
    for (const AuthorityRecord& record : Must(ports.authorities.LoadAuthorities())) {
      planned.insert(record.key_label);
    }
    for (const std::string& label : Must(ports.keys.Labels())) {
      EXPECT_TRUE(planned.contains(label)) << label << " is nobody's";
    }
  }
}

TEST_F(DecommissioningTest, IsRecordedOnceByTwoConductors) {
  Server other(ports_, clock_);
  Must(Destroy(server_));
  for (int round = 0; round < 2; ++round) {
    Must(server_.Advance());
    Must(other.Advance());
    clock_.Advance(KeyDestruction::kDestroyAfter);
  }
  Must(other.Advance());
  EXPECT_EQ(EventCount("RecordHierarchyDestroyed"), 1u);
  EXPECT_EQ(EventCount("DestroyHierarchy"), 1u);
}

TEST_F(DecommissioningTest, WaitsForATokenThatIsAway) {
  Must(Destroy(server_));
  Must(server_.Advance());
  clock_.Advance(KeyDestruction::kDestroyAfter);
  ports_.keys.Fail(MemoryKeyStore::Fault::kUnavailable);
  EXPECT_EQ(server_.Advance().code(), StatusCode::kUnavailable);
  EXPECT_EQ(Only().destruction.finished_at, std::nullopt);
  ports_.keys.Fail(MemoryKeyStore::Fault::kNone);
  Must(server_.Advance());
  EXPECT_TRUE(Only().destruction.finished_at);
}

// A server starts without a tenant's dedicated token, and does not take the missing keys for spent.
TEST_F(DecommissioningTest, DecidesOnNoKeyWhileATenantsTokenIsAway) {
  ports_.keys.SetApart();
  ports_.keys.Fail(MemoryKeyStore::Fault::kUnavailable);
  Server without_token(ports_, clock_);
  AuditEvent event = NewEvent();
  Must(ports_.hierarchies.DestroyHierarchy(acme_.id, "merged", event));
  EXPECT_EQ(without_token.Advance().code(), StatusCode::kUnavailable);
  for (const AuthorityRecord& record : Must(ports_.authorities.LoadAuthorities())) {
    EXPECT_FALSE(record.key_destruction) << record.key_label;
  }
  ports_.keys.Fail(MemoryKeyStore::Fault::kNone);
  Finish(without_token, clock_);
  EXPECT_TRUE(Only().destruction.finished_at);
}

// ---- refused ------------------------------------------------------------------------------------

TEST_F(DecommissioningTest, ChangesNothingWhenItIsRepeated) {
  const DestructionView first = Must(Destroy(server_, "merged"));
  clock_.Advance(std::chrono::hours(1));
  const DestructionView again = Must(Destroy(server_, "another reason"));
  EXPECT_EQ(again.destruction, first.destruction);
  EXPECT_EQ(EventCount("DestroyHierarchy"), 1u);
  EXPECT_EQ(ports_.events.All().back().rule, "replay");
}

TEST_F(DecommissioningTest, IsForItsAdmins) {
  for (const Role role : {Role::kRegistrar, Role::kRevoker, Role::kAuditor}) {
    EXPECT_TRUE(testing::IsRefusal(DestroyAs(OperatorWith(role), "acme/prod").status(),
                                   StatusCode::kPermissionDenied, "caller.role"));
  }
  EXPECT_TRUE(testing::IsRefusal(
      DestroyAs(OperatorWith(Role::kAdmin, deployment_.globex.id), "acme/prod").status(),
      StatusCode::kPermissionDenied, "caller.role"));
  EXPECT_TRUE(server_.catalogs->Snapshot()->FindByName("acme/prod").ok());
  Must(DestroyAs(OperatorOver("acme", Role::kAdmin), "acme/prod").status());
}

TEST_F(DecommissioningTest, TakesTwoUnlessItsFileSaysOtherwise) {
  const Hierarchy standing = Must(server_.catalogs->Find(deployment_.acme.id))->hierarchy();
  Hierarchy wanted = standing;
  wanted.approvals = {};
  Must(ports_.hierarchies.ChangeHierarchy(standing, wanted, NewEvent()));
  const auto is_pending = [](const Result<DestructionView>& destroyed) {
    return testing::IsRefusal(destroyed.status(), StatusCode::kFailedPrecondition,
                              "approval.pending");
  };
  EXPECT_TRUE(is_pending(Destroy(server_)));
  EXPECT_TRUE(server_.catalogs->Snapshot()->FindByName("acme/prod").ok());

  const Caller other = OperatorWith(Role::kAdmin, deployment_.acme.id);
  const auto asked = Must(ports_.approvals.List({.hierarchy = deployment_.acme.id}));
  ASSERT_EQ(asked.size(), 1u);
  EXPECT_EQ(asked[0].changes.back(), "reason: merged");
  Must(server_.approvals.Approve(CallBy(other, Action::kApproveChange), asked[0].id, ""));
  EXPECT_TRUE(is_pending(Destroy(server_, "for another reason")));
  Must(Destroy(server_));
  EXPECT_TRUE(Must(ports_.approvals.Find(deployment_.acme.id, asked[0].id)).used_at);
  EXPECT_TRUE(Destroy(server_, "again").ok()) << "it is destroyed already, and asks nobody";
}

TEST_F(DecommissioningTest, IsListedForWhoeverHasARoleOverIt) {
  Must(Destroy(server_));
  const auto list_as = [&](const Caller& caller) {
    return server_.decommissioning.List(CallBy(caller, Action::kListDestructions), "");
  };
  EXPECT_EQ(Must(list_as(OperatorWith(Role::kAuditor, acme_.id))).size(), 1u);
  EXPECT_EQ(Must(list_as(OperatorOver("acme", Role::kAuditor))).size(), 1u);
  EXPECT_EQ(Must(list_as(OperatorWith(Role::kAuditor, deployment_.globex.id))).size(), 0u);
  const Caller nobody{.id = testing::IdOf(deployment_.system, "operator/nobody"),
                      .hierarchy = deployment_.system.id,
                      .serial = std::nullopt};
  EXPECT_TRUE(
      testing::IsRefusal(list_as(nobody).status(), StatusCode::kPermissionDenied, "caller.role"));
}

TEST_F(DecommissioningTest, LeavesTheSystemHierarchy) {
  EXPECT_TRUE(testing::IsRefusal(DestroyAs(admin_, deployment_.system.Name()).status(),
                                 StatusCode::kFailedPrecondition, "hierarchy.system"));
}

TEST_F(DecommissioningTest, NamesWhatIsWrong) {
  EXPECT_EQ(DestroyAs(admin_, "acme/nothing").status().code(), StatusCode::kNotFound);
  EXPECT_EQ(DestroyAs(admin_, "").status().code(), StatusCode::kNotFound);
  for (const std::string& reason :
       {std::string(), std::string(kNoteMax + 1, 'x'), std::string("two\nlines")}) {
    const auto refused = Destroy(server_, reason).status();
    EXPECT_TRUE(testing::Says(refused, StatusCode::kInvalidArgument, "reason: "));
  }
  Must(Destroy(server_, std::string(kNoteMax, 'x')));
}

}  // namespace
}  // namespace ca
