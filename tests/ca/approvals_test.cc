// What takes two operators: one asks, another approves, the first does it, once.

#include "ca/approvals.h"

#include <algorithm>

#include "ca/hierarchies.h"
#include "ca/operators.h"
#include "ca/revoking.h"
#include "tests/ca/rotation_story_test.h"

namespace ca {
namespace {

using std::chrono::hours;
using testing::IsRefusal;
using testing::Must;
using testing::Says;

class ApprovalsTest : public testing::RotationStoryTest {
 protected:
  ApprovalsTest() { Demand({}); }

  // acme's file says so from now on.
  void Demand(const ApprovalPolicy& approvals) {
    const Hierarchy standing = Acme();
    Hierarchy wanted = standing;
    wanted.approvals = approvals;
    Must(ports_.hierarchies.ChangeHierarchy(standing, wanted, NewEvent("ChangeHierarchy")));
    Must(deployment_.catalogs->Reload());
  }
  Hierarchy Acme() const { return *deployment_.catalogs->Snapshot()->Find(deployment_.acme.id); }

  // Of a call of its own.
  AuditEvent NewEvent(std::string action) {
    AuditEvent event = testing::EventAt(clock_.Now(), std::move(action));
    event.correlation_id = std::to_string(++calls_);
    return event;
  }

  // Any change, as far as approvals go, and a role for bob in its place.
  Status Require(const Caller& caller, const std::string& words = "this") {
    event_ = NewEvent("PrepareAuthority");
    TRY(approvals_.Require(caller, deployment_.acme.id, Change(words), event_));
    AuditEvent change = event_;
    change.hierarchy = deployment_.system.id;
    return ports_.registry.AddGrant(*bob_.id, {Role::kAuditor, deployment_.acme.id, ""}, change);
  }
  static ProposedChange Change(const std::string& words) {
    return {.kind = ApprovalKind::kRootRotation, .digest = Sha256(words), .changes = {words}};
  }
  static ::testing::AssertionResult IsPending(const Status& status) {
    return IsRefusal(status, StatusCode::kFailedPrecondition, "approval.pending");
  }

  Result<Approval> Approve(const Caller& caller, const std::string& id,
                           const std::string& reason = "") {
    AuditEvent event = NewEvent("ApproveChange");
    event.actor = caller.Name();
    return approvals_.Approve(caller, id, reason, event);
  }
  Result<Approval> Deny(const Caller& caller, const std::string& id, const std::string& reason) {
    AuditEvent event = NewEvent("DenyChange");
    return approvals_.Deny(caller, id, reason, event);
  }
  Result<Approval> Withdraw(const Caller& caller, const std::string& id) {
    AuditEvent event = NewEvent("WithdrawApproval");
    return approvals_.Withdraw(caller, id, event);
  }
  std::vector<Approval> List(Approvals::Which which = Approvals::Which::kPending) {
    AuditEvent event = NewEvent("ListApprovals");
    return Must(approvals_.List(alice_, "acme/prod", which, 100, "", event));
  }
  // Of the one that is pending.
  std::string Pending() {
    const std::vector<Approval> pending = List();
    EXPECT_EQ(pending.size(), 1u);
    return pending.empty() ? "none" : pending.front().id;
  }
  Status ApprovePending() { return Approve(bob_, Pending()).status(); }

  Status PrepareRoot() {
    AuditEvent event = NewEvent("PrepareAuthority");
    const Status status = rotation_.PrepareRoot(alice_, "acme/prod", event).status();
    event_ = event;
    return status;
  }

  Status Apply(const HierarchyDeclaration& wanted) {
    AuditEvent event = NewEvent("ApplyHierarchy");
    const auto standing = hierarchies_.Plan(alice_, wanted, event);
    if (!standing.ok()) return standing.status();
    // As the service says it: over what stands and what is wanted.
    PlanText plan{.summary = "summary", .digest = {}, .lines = {"a line"}};
    plan.digest =
        Sha256(fmt::format("{} {} {}", wanted.hierarchy.profiles[0].lifetime.count(),
                           wanted.hierarchy.profiles[0].host_names, wanted.operators.size()));
    return hierarchies_.Apply(alice_, *standing, wanted, plan, event).status();
  }
  HierarchyDeclaration Declared() {
    AuditEvent event = NewEvent("GetHierarchy");
    return Must(hierarchies_.Get(alice_, "acme/prod", event));
  }

  Status Revoke(const RevocationRequest& request) {
    event_ = NewEvent("Revoke");
    return revoking_.Revoke(alice_, request, event_).status();
  }
  static RevocationRequest AllOfIssuer(RevocationReason reason = RevocationReason::kCaCompromise) {
    return {.target = AuthorityName{"acme/prod/issuing/1"},
            .reason = reason,
            .invalidity_date = std::nullopt};
  }

  Status Grant(const std::string& name, Role role, const GrantScope& scope) {
    AuditEvent event = NewEvent("AddGrant");
    return operators_.Add(alice_, name, role, scope, event).status();
  }

  std::vector<AuditEvent> EventsOf(const std::string& action) const {
    std::vector<AuditEvent> events = ports_.events.All();
    std::erase_if(events, [&](const AuditEvent& event) { return event.action != action; });
    return events;
  }

  size_t Uses() const { return EventsOf("UseApproval").size(); }

  const Caller alice_ = OperatorWith(Role::kAdmin);
  const Caller bob_ = OperatorWith(Role::kAdmin, deployment_.acme.id);
  Hierarchies hierarchies_{
      *deployment_.catalogs, authorization_,       ports_.hierarchies, ports_.keys,
      ports_.registry,       testing::Directory(), approvals_,         clock_};
  const Revoking revoking_{*deployment_.catalogs, authorization_, ports_.registry, ports_.ledger,
                           ports_.revocations,    approvals_,     clock_};
  const Operators operators_{*deployment_.catalogs, authorization_, ports_.registry, approvals_};
  AuditEvent event_;
  int calls_ = 0;
};

TEST_F(ApprovalsTest, AreOfKindsWithNames) {
  for (const ApprovalKind kind :
       {ApprovalKind::kRootRotation, ApprovalKind::kDestruction, ApprovalKind::kPolicyWidening,
        ApprovalKind::kAuthorityRevocation}) {
    EXPECT_EQ(Must(ApprovalKindFrom(NameOf(kind))), kind);
    EXPECT_TRUE(ApprovalPolicy().Asks(kind)) << NameOf(kind);
    EXPECT_FALSE(ApprovalPolicy::Off().Asks(kind)) << NameOf(kind);
  }
  EXPECT_TRUE(Says(ApprovalKindFrom("rotation").status(), StatusCode::kInvalidArgument,
                   "'rotation' is none of root-rotation, destruction"));
}

// ---- one approval, from beginning to end --------------------------------------------------------

TEST_F(ApprovalsTest, TakeNobodyWhereTheFileSwitchesThemOff) {
  ApprovalPolicy approvals;
  approvals.root_rotation = false;
  Demand(approvals);
  Must(Require(alice_));
  EXPECT_TRUE(List(Approvals::Which::kAll).empty());
  EXPECT_EQ(event_.rule, "");
  AuditEvent event = NewEvent("PrepareAuthority");
  EXPECT_TRUE(
      IsPending(approvals_.RequireAlways(alice_, deployment_.acme.id, Change("this"), event)));
}

TEST_F(ApprovalsTest, SayWhoMayDoWhat) {
  const Status status = Require(alice_);
  EXPECT_TRUE(IsPending(status));
  const std::string id = Pending();
  EXPECT_TRUE(Says(status, StatusCode::kFailedPrecondition,
                   "another admin of acme/prod runs: agentpki approval approve " + id));
}

TEST_F(ApprovalsTest, AreAskedForOnce) {
  const Status first = Require(alice_);
  EXPECT_EQ(Require(alice_), first);
  EXPECT_EQ(List().size(), 1u);
  EXPECT_EQ(EventsOf("RequestApproval").size(), 1u);
}

TEST_F(ApprovalsTest, LetItBeDoneOnce) {
  EXPECT_TRUE(IsPending(Require(alice_)));
  Must(ApprovePending());
  Must(Require(alice_));
  EXPECT_EQ(event_.rule, "approval.approved");
  EXPECT_TRUE(IsPending(Require(alice_))) << "that takes another one";
  EXPECT_EQ(List(Approvals::Which::kAll).size(), 2u);
}

TEST_F(ApprovalsTest, LeaveAnEventAtEachStep) {
  const std::string acme = "root-rotation in acme/prod";
  EXPECT_TRUE(IsPending(Require(alice_)));
  const std::string id = Pending();
  Must(Approve(bob_, id, "looked at it together"));
  Must(Require(alice_));
  const auto expect = [&](const std::string& action, const std::string& reason) {
    const auto found = EventsOf(action);
    ASSERT_EQ(found.size(), 1u) << action;
    EXPECT_EQ(found[0].subject, id);
    EXPECT_EQ(found[0].reason, reason);
    EXPECT_EQ(found[0].hierarchy, deployment_.acme.id);
    EXPECT_EQ(found[0].decision, Decision::kAllowed);
  };
  expect("RequestApproval", acme);
  expect("ApproveChange", "looked at it together");
  expect("UseApproval", acme + ", approved by 2");
  EXPECT_EQ(EventsOf("UseApproval")[0].correlation_id, event_.correlation_id)
      << "so that an auditor finds what was done by it";
}

// ---- bound to the exact change ------------------------------------------------------------------

TEST_F(ApprovalsTest, AreForNoOtherChangeAndNoOtherOperator) {
  EXPECT_TRUE(IsPending(Require(alice_)));
  Must(ApprovePending());
  EXPECT_TRUE(IsPending(Require(alice_, "that")));
  const Caller carol = OperatorWith(Role::kAdmin);
  EXPECT_TRUE(IsPending(Require(carol)));
  AuditEvent event = NewEvent("DestroyHierarchy");
  ProposedChange destruction = Change("this");
  destruction.kind = ApprovalKind::kDestruction;
  EXPECT_TRUE(IsPending(approvals_.Require(alice_, deployment_.acme.id, destruction, event)));
  Must(Require(alice_));
}

TEST_F(ApprovalsTest, AreOfDigestsThatNoWordsRunTogetherIn) {
  const ApprovalKind kind = ApprovalKind::kDestruction;
  EXPECT_NE(DigestOf(kind, {"ab", "c"}), DigestOf(kind, {"a", "bc"}));
  EXPECT_NE(DigestOf(kind, {"ab"}), DigestOf(kind, {"ab", ""}));
  EXPECT_NE(DigestOf(kind, {"ab"}), DigestOf(ApprovalKind::kRootRotation, {"ab"}));
  EXPECT_EQ(DigestOf(kind, {"ab", "c"}), DigestOf(kind, {"ab", "c"}));
  EXPECT_EQ(DigestOf(kind, {}).size(), 32u);
}

TEST_F(ApprovalsTest, ShowNothingThatATerminalObeys) {
  ProposedChange change = Change("x");
  change.changes = {"red \x1b[31m", std::string(1000, 'y')};
  change.changes.resize(Approval::kChangesMax + 50, "more");
  AuditEvent event = NewEvent("PrepareAuthority");
  EXPECT_TRUE(IsPending(approvals_.Require(alice_, deployment_.acme.id, change, event)));
  const std::vector<std::string> lines = List().front().changes;
  EXPECT_EQ(lines.size(), Approval::kChangesMax + 1);
  EXPECT_EQ(lines[0], "red ?[31m");
  EXPECT_EQ(lines[1], std::string(Approval::kChangeSizeMax, 'y') + "...");
  EXPECT_EQ(lines.back(), "... and 50 more");
}

// ---- who decides --------------------------------------------------------------------------------

TEST_F(ApprovalsTest, AreNotOnesOwn) {
  EXPECT_TRUE(IsPending(Require(alice_)));
  const std::string id = Pending();
  EXPECT_TRUE(
      IsRefusal(Approve(alice_, id).status(), StatusCode::kPermissionDenied, "approval.own"));
  EXPECT_TRUE(
      IsRefusal(Deny(alice_, id, "no").status(), StatusCode::kPermissionDenied, "approval.own"));
  EXPECT_TRUE(IsPending(Require(alice_)));
}

TEST_F(ApprovalsTest, TakeAnAdminOfTheHierarchy) {
  EXPECT_TRUE(IsPending(Require(alice_)));
  const std::string id = Pending();
  for (const Role role : {Role::kRegistrar, Role::kRevoker, Role::kAuditor}) {
    const Caller caller = OperatorWith(role, deployment_.acme.id);
    EXPECT_TRUE(
        IsRefusal(Approve(caller, id).status(), StatusCode::kPermissionDenied, "caller.role"));
    AuditEvent event = NewEvent("ListApprovals");
    EXPECT_TRUE(
        approvals_.List(caller, "acme/prod", Approvals::Which::kPending, 1, "", event).ok());
  }
  const Caller of_globex = OperatorWith(Role::kAdmin, deployment_.globex.id);
  EXPECT_EQ(Approve(of_globex, id).status().code(), StatusCode::kNotFound);
  EXPECT_EQ(Deny(of_globex, id, "no").status().code(), StatusCode::kNotFound);
  AuditEvent event = NewEvent("ListApprovals");
  EXPECT_TRUE(IsRefusal(
      approvals_.List(of_globex, "acme/prod", Approvals::Which::kPending, 1, "", event).status(),
      StatusCode::kPermissionDenied, "caller.role"));
  Must(Approve(OperatorOver("acme", Role::kAdmin), id));
}

TEST_F(ApprovalsTest, AreNothingFromSomebodyWhoIsNoAdminAnyMore) {
  EXPECT_TRUE(IsPending(Require(alice_)));
  const std::string first = Pending();
  Must(ApprovePending());
  AuditEvent event = NewEvent("RemoveGrant");
  event.hierarchy = deployment_.system.id;
  Must(ports_.registry.RemoveGrant(*bob_.id, {Role::kAdmin, deployment_.acme.id, ""}, event));
  EXPECT_TRUE(IsPending(Require(alice_)));
  EXPECT_NE(Pending(), first);
  const Caller carol = OperatorWith(Role::kAdmin);
  Must(Approve(carol, Pending()));
  Must(Require(alice_));
}

TEST_F(ApprovalsTest, AreDecidedOnce) {
  EXPECT_TRUE(IsPending(Require(alice_)));
  const std::string id = Pending();
  Must(Approve(bob_, id));
  EXPECT_TRUE(Approve(bob_, id).ok()) << "the same once more is no error";
  const Caller carol = OperatorWith(Role::kAdmin);
  EXPECT_TRUE(IsRefusal(Deny(carol, id, "no").status(), StatusCode::kFailedPrecondition,
                        "approval.decided"));
}

TEST_F(ApprovalsTest, NameWhatIsWrongWithADecision) {
  EXPECT_TRUE(IsPending(Require(alice_)));
  const std::string id = Pending();
  EXPECT_TRUE(Says(Approve(bob_, "7").status(), StatusCode::kInvalidArgument, "id: '7' is not 16"));
  EXPECT_EQ(Approve(bob_, std::string(16, '0')).status().code(), StatusCode::kNotFound);
  EXPECT_TRUE(Says(Deny(bob_, id, "").status(), StatusCode::kInvalidArgument, "reason: say why"));
  EXPECT_TRUE(Says(Approve(bob_, id, std::string(kNoteMax + 1, 'x')).status(),
                   StatusCode::kInvalidArgument, "reason: it has 201 octets; at most 200"));
  for (const std::string& reason : {std::string("a\nb"), std::string("\x1b[31m")}) {
    EXPECT_TRUE(Says(Approve(bob_, id, reason).status(), StatusCode::kInvalidArgument,
                     "reason: write it in printable ASCII"));
  }
  Must(Approve(bob_, id, std::string(kNoteMax, 'x')));
}

// ---- who withdraws ------------------------------------------------------------------------------

TEST_F(ApprovalsTest, AreWithdrawnByWhoAsked) {
  EXPECT_TRUE(IsPending(Require(alice_)));
  const std::string id = Pending();
  EXPECT_EQ(Must(Withdraw(alice_, id)).StateAt(clock_.Now()), ApprovalState::kWithdrawn);
  EXPECT_TRUE(List().empty());
  EXPECT_TRUE(Withdraw(alice_, id).ok()) << "the same once more is no error";
  EXPECT_TRUE(
      IsRefusal(Approve(bob_, id).status(), StatusCode::kFailedPrecondition, "approval.withdrawn"));
  const auto events = EventsOf("WithdrawApproval");
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(events[0].subject, id);
  EXPECT_EQ(events[0].hierarchy, deployment_.acme.id);
  EXPECT_TRUE(IsPending(Require(alice_)));
  EXPECT_NE(Pending(), id) << "it is asked for anew";
}

TEST_F(ApprovalsTest, AreNotUsedWhenTheyAreWithdrawn) {
  EXPECT_TRUE(IsPending(Require(alice_)));
  const std::string id = Pending();
  Must(ApprovePending());
  Must(Withdraw(alice_, id));
  EXPECT_TRUE(IsPending(Require(alice_)));
}

TEST_F(ApprovalsTest, AreWithdrawnByNobodyElse) {
  EXPECT_TRUE(IsPending(Require(alice_)));
  const std::string id = Pending();
  const Status status = Withdraw(bob_, id).status();
  EXPECT_TRUE(IsRefusal(status, StatusCode::kPermissionDenied, "approval.not-own"));
  EXPECT_TRUE(Says(status, StatusCode::kPermissionDenied, "agentpki approval deny " + id));
  const Caller of_globex = OperatorWith(Role::kAdmin, deployment_.globex.id);
  EXPECT_EQ(Withdraw(of_globex, id).status().code(), StatusCode::kNotFound);
  EXPECT_TRUE(Says(Withdraw(alice_, "7").status(), StatusCode::kInvalidArgument, "id: '7'"));
  Must(Approve(bob_, id));
}

TEST_F(ApprovalsTest, AreNotWithdrawnWhenTheyAreDeniedOrUsed) {
  EXPECT_TRUE(IsPending(Require(alice_)));
  const std::string denied = Pending();
  Must(Deny(bob_, denied, "no"));
  EXPECT_TRUE(IsRefusal(Withdraw(alice_, denied).status(), StatusCode::kFailedPrecondition,
                        "approval.decided"));
  EXPECT_TRUE(IsPending(Require(alice_, "that")));
  const std::string used = Pending();
  Must(ApprovePending());
  Must(Require(alice_, "that"));
  EXPECT_TRUE(
      IsRefusal(Withdraw(alice_, used).status(), StatusCode::kFailedPrecondition, "approval.used"));
}

// An operator who may do less by now takes back what it asked for.
TEST_F(ApprovalsTest, AreWithdrawnAlsoByWhoMayDoItNoMore) {
  const Caller carol = OperatorWith(Role::kAdmin, deployment_.acme.id);
  EXPECT_TRUE(IsPending(Require(carol)));
  const std::string id = Pending();
  AuditEvent event = NewEvent("AddGrant");
  event.hierarchy = deployment_.system.id;
  Must(ports_.registry.AddGrant(*carol.id, {Role::kAuditor, deployment_.acme.id, ""}, event));
  Must(ports_.registry.RemoveGrant(*carol.id, {Role::kAdmin, deployment_.acme.id, ""}, event));
  Must(Withdraw(carol, id));
}

// ---- time ---------------------------------------------------------------------------------------

TEST_F(ApprovalsTest, Expire) {
  Demand({.expire_after = hours(2)});
  EXPECT_TRUE(IsPending(Require(alice_)));
  const std::string first = Pending();
  clock_.Advance(hours(2));
  EXPECT_TRUE(List().empty());
  EXPECT_TRUE(IsRefusal(Approve(bob_, first).status(), StatusCode::kFailedPrecondition,
                        "approval.expired"));
  EXPECT_TRUE(IsPending(Require(alice_)));
  const std::string second = Pending();
  EXPECT_NE(second, first);
  Must(ApprovePending());
  clock_.Advance(hours(2));
  EXPECT_TRUE(IsPending(Require(alice_))) << "also when it was approved";
}

TEST_F(ApprovalsTest, StayDeniedUntilTheyExpire) {
  EXPECT_TRUE(IsPending(Require(alice_)));
  const std::string id = Pending();
  Must(Deny(bob_, id, "not on a Friday"));
  const Status status = Require(alice_);
  EXPECT_TRUE(IsRefusal(status, StatusCode::kFailedPrecondition, "approval.denied"));
  EXPECT_TRUE(Says(status, StatusCode::kFailedPrecondition, "denied by 2: not on a Friday"));
  EXPECT_EQ(List(Approvals::Which::kAll).front().StateAt(clock_.Now()), ApprovalState::kDenied);
  clock_.Advance(hours(24));
  EXPECT_TRUE(IsPending(Require(alice_)));
}

TEST_F(ApprovalsTest, ArePendingInNoGreaterNumberThanSomebodyReads) {
  for (int i = 0; i < Approval::kPendingMax; ++i) {
    EXPECT_TRUE(IsPending(Require(alice_, std::to_string(i))));
  }
  EXPECT_TRUE(IsRefusal(Require(alice_), StatusCode::kFailedPrecondition, "approval.too-many"));
}

// ---- roots --------------------------------------------------------------------------------------

TEST_F(ApprovalsTest, AreTakenForANewRoot) {
  EXPECT_TRUE(IsPending(PrepareRoot()));
  EXPECT_EQ(List().front().changes.front(), "make the root acme/prod/root/2, for 3650d");
  EXPECT_EQ(deployment_.catalogs->Snapshot()->Roots(deployment_.acme.id).size(), 1u);
  Must(ApprovePending());
  Must(PrepareRoot());
  EXPECT_EQ(event_.rule, "approval.approved");
  EXPECT_EQ(Uses(), 1u);
  EXPECT_TRUE(PrepareRoot().ok()) << "it is there already, and asks nobody";
  EXPECT_TRUE(List().empty());
}

TEST_F(ApprovalsTest, AreNotTakenAgainForARootThatIsHalfMade) {
  EXPECT_TRUE(IsPending(PrepareRoot()));
  Must(ApprovePending());
  ports_.keys.Fail(testing::MemoryKeyStore::Fault::kUnavailable);
  EXPECT_EQ(PrepareRoot().code(), StatusCode::kUnavailable);
  ports_.keys.Fail(testing::MemoryKeyStore::Fault::kNone);
  Must(PrepareRoot());
}

TEST_F(ApprovalsTest, AreForTheRootAsItWasToBe) {
  EXPECT_TRUE(IsPending(PrepareRoot()));
  Must(ApprovePending());
  const Hierarchy standing = Acme();
  Hierarchy wanted = standing;
  wanted.root_lifetime += hours(24);
  Must(ports_.hierarchies.ChangeHierarchy(standing, wanted, NewEvent("ChangeHierarchy")));
  Must(deployment_.catalogs->Reload());
  EXPECT_TRUE(IsPending(PrepareRoot())) << "it would live longer";
}

// ---- policies -----------------------------------------------------------------------------------

TEST_F(ApprovalsTest, AreTakenForWhatWidensAFile) {
  HierarchyDeclaration wanted = Declared();
  wanted.hierarchy.profiles[0].host_names = true;
  EXPECT_TRUE(IsPending(Apply(wanted)));
  EXPECT_FALSE(Acme().profiles[0].host_names);
  EXPECT_EQ(List().front().changes, std::vector<std::string>{"a line"});
  Must(ApprovePending());

  HierarchyDeclaration another = wanted;
  another.hierarchy.profiles[0].lifetime = std::chrono::minutes(59);
  EXPECT_TRUE(IsPending(Apply(another))) << "one field more";

  Must(Apply(wanted));
  EXPECT_TRUE(Acme().profiles[0].host_names);
  EXPECT_EQ(EventsOf("ChangeHierarchy").back().rule, "approval.approved");
  EXPECT_EQ(Uses(), 1u);
  EXPECT_TRUE(Apply(wanted).ok()) << "it changes nothing, and asks nobody";
}

TEST_F(ApprovalsTest, AreNotTakenForWhatIsNarrowerOrNew) {
  HierarchyDeclaration narrower = Declared();
  narrower.hierarchy.profiles[0].lifetime = std::chrono::minutes(5);
  Must(Apply(narrower));
  HierarchyDeclaration another = Declared();
  another.hierarchy.id = {};
  another.hierarchy.environment = "pr-1";
  another.hierarchy.trust_domain = Must(TrustDomain::Parse("pr-1.acme.example"));
  Must(Apply(another));
  EXPECT_TRUE(List(Approvals::Which::kAll).empty());
}

TEST_F(ApprovalsTest, AreTakenForEndingThem) {
  Demand({.policy_widening = false});
  HierarchyDeclaration wanted = Declared();
  wanted.hierarchy.profiles[0].host_names = true;
  EXPECT_TRUE(Apply(wanted).ok()) << "that takes one here";
  wanted.hierarchy.approvals.destruction = false;
  EXPECT_TRUE(IsPending(Apply(wanted)));
}

TEST_F(ApprovalsTest, AreUsedOnceByAFileThatChangesMore) {
  deployment_.Register(deployment_.system, "operator/dave");
  HierarchyDeclaration wanted = Declared();
  wanted.hierarchy.profiles[0].host_names = true;
  wanted.operators.push_back({"dave", {Role::kAuditor}});
  EXPECT_TRUE(IsPending(Apply(wanted)));
  Must(ApprovePending());
  Must(Apply(wanted));
  EXPECT_EQ(Uses(), 1u);
  EXPECT_EQ(Declared(), wanted);
}

TEST_F(ApprovalsTest, AreTakenWhereAnotherReplicaHasJustSwitchedThemOn) {
  Demand(ApprovalPolicy::Off());
  HierarchyDeclaration wanted = Declared();
  wanted.operators.push_back({"dave", {Role::kAdmin}});
  deployment_.Register(deployment_.system, "operator/dave");
  const Hierarchy standing = Acme();
  Hierarchy stricter = standing;
  stricter.approvals = {};
  Must(ports_.hierarchies.ChangeHierarchy(standing, stricter, NewEvent("ChangeHierarchy")));
  EXPECT_EQ(Apply(wanted).code(), StatusCode::kAborted) << "it was planned by what was before";
  EXPECT_TRUE(IsPending(PrepareRoot()));
}

TEST_F(ApprovalsTest, AreTakenForARoleOverTheHierarchy) {
  deployment_.Register(deployment_.system, "operator/dave");
  const GrantScope acme{.hierarchy = "acme/prod", .tenant = ""};
  EXPECT_TRUE(IsPending(Grant("dave", Role::kAdmin, acme)));
  Must(ApprovePending());
  EXPECT_TRUE(IsPending(Grant("dave", Role::kRevoker, acme))) << "another role";
  Must(Grant("dave", Role::kAdmin, acme));
  EXPECT_EQ(Uses(), 1u);
  EXPECT_TRUE(Grant("dave", Role::kAdmin, acme).ok()) << "who has it already";
  EXPECT_TRUE(Grant("dave", Role::kAuditor, {.hierarchy = "globex/prod", .tenant = ""}).ok())
      << "whose file switches them off";
}

// ---- revocations --------------------------------------------------------------------------------

TEST_F(ApprovalsTest, AreTakenForAllThatAnAuthorityHasIssued) {
  deployment_.Issue(deployment_.Register(deployment_.acme, "billing/bot"));
  AuditEvent event = NewEvent("PreviewRevocation");
  EXPECT_EQ(Must(revoking_.Preview(alice_, AllOfIssuer(), event)).revoked_count, 1);
  EXPECT_TRUE(List().empty()) << "nobody is asked for a preview";

  EXPECT_TRUE(IsPending(Revoke(AllOfIssuer())));
  EXPECT_EQ(List().front().changes,
            (std::vector<std::string>{"revoke all that was issued by acme/prod/issuing/1",
                                      "1 certificates that stood when it was asked for",
                                      "reason: cACompromise"}));
  Must(ApprovePending());
  EXPECT_TRUE(IsPending(Revoke(AllOfIssuer(RevocationReason::kSuperseded)))) << "another reason";
  Must(Revoke(AllOfIssuer()));
  EXPECT_EQ(EventsOf("Revoke").back().rule, "approval.approved");
  EXPECT_EQ(Uses(), 1u);
  EXPECT_TRUE(Revoke(AllOfIssuer()).ok()) << "it was done already, and asks nobody";
}

TEST_F(ApprovalsTest, AreTakenForTheRevocationOfAnAuthority) {
  const auto revoke = [&](RevocationReason reason, const std::string& note = "stolen") {
    AuditEvent event = NewEvent("RevokeAuthority");
    return rotation_.Revoke(alice_, "acme/prod/issuing/1", reason, note, event).status();
  };
  EXPECT_TRUE(IsPending(revoke(RevocationReason::kCaCompromise)));
  EXPECT_EQ(List().front().changes,
            (std::vector<std::string>{"revoke acme/prod/issuing/1 and all that it has issued",
                                      "reason: cACompromise", "note: stolen"}));
  Must(ApprovePending());
  EXPECT_TRUE(IsPending(revoke(RevocationReason::kSuperseded))) << "another reason";
  EXPECT_TRUE(IsPending(revoke(RevocationReason::kCaCompromise, "found")))
      << "what is said of it is approved with it";
  Must(revoke(RevocationReason::kCaCompromise));
  EXPECT_EQ(EventsOf("RevokeAuthority").back().rule, "approval.approved");
  EXPECT_EQ(Uses(), 1u);
  Must(revoke(RevocationReason::kCaCompromise));  // it was done already, and asks nobody
}

TEST_F(ApprovalsTest, AreTakenForALinkBetweenRoots) {
  Demand({.root_rotation = false});
  Must(PrepareRoot());
  const auto links = deployment_.catalogs->Snapshot()->LinksOf(deployment_.acme.id);
  ASSERT_EQ(links.size(), 1u);
  const RevocationRequest request{.target = links[0].serial, .invalidity_date = std::nullopt};
  EXPECT_TRUE(IsPending(Revoke(request)));
  EXPECT_EQ(List().front().changes.front(),
            fmt::format("revoke the certificate {}, the link to acme/prod/root/2",
                        links[0].serial.ToString()));
  Must(ApprovePending());
  Must(Revoke(request));
  EXPECT_EQ(Uses(), 1u);
}

// The successor of an authority comes before its revocation, and its key takes a token.
TEST_F(ApprovalsTest, AreNotUsedByWhatFails) {
  const auto revoke = [&] {
    AuditEvent event = NewEvent("RevokeAuthority");
    return rotation_
        .Revoke(alice_, "acme/prod/issuing/1", RevocationReason::kCaCompromise, "stolen", event)
        .status();
  };
  EXPECT_TRUE(IsPending(revoke()));
  Must(ApprovePending());
  ports_.keys.Fail(testing::MemoryKeyStore::Fault::kUnavailable);
  EXPECT_EQ(revoke().code(), StatusCode::kUnavailable);
  EXPECT_EQ(Uses(), 0u);
  ports_.keys.Fail(testing::MemoryKeyStore::Fault::kNone);
  Must(revoke());
  EXPECT_EQ(Uses(), 1u);
}

TEST_F(ApprovalsTest, AreNotTakenForAnAgentsCertificates) {
  const Agent agent = deployment_.Register(deployment_.acme, "billing/bot");
  const Certificate certificate = deployment_.Issue(agent);
  deployment_.Issue(agent);
  Must(Revoke({.target = certificate.record.serial, .invalidity_date = std::nullopt}));
  Must(Revoke({.target = agent.id, .invalidity_date = std::nullopt}));
  EXPECT_TRUE(List(Approvals::Which::kAll).empty());
}

}  // namespace
}  // namespace ca
