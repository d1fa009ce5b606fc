// Changes that take two operators: one asks, another approves, the first makes the change once.

#include "ca/access/approvals.h"

#include "tests/ca/access/approvals_use_case_test.h"

namespace ca {
namespace {

using std::chrono::hours;
using testing::IsRefusal;
using testing::Must;
using testing::Says;

class ApprovalsTest : public testing::ApprovalsStoryTest {
 protected:
  // Stands for any change that takes an approval; the change itself is a role for bob.
  Status Require(const Caller& caller, const std::string& words = "this") {
    TRY(approvals_.Require(CallBy(caller, Action::kPrepareAuthority), deployment_.acme.id,
                           Change(words)));
    AuditEvent change = LastEvent();
    change.hierarchy = deployment_.system.id;
    return ports_.registry.AddGrant(*bob_.id, {Role::kAuditor, deployment_.acme.id, ""}, change)
        .status();
  }
  static ProposedChange Change(const std::string& words) {
    return {.kind = ApprovalKind::kRootRotation, .digest = Sha256(words), .changes = {words}};
  }

  Result<Approval> Withdraw(const Caller& caller, const std::string& id) {
    return testing::ValueOf(approvals_.Withdraw(CallBy(caller, Action::kWithdrawApproval), id));
  }
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
  EXPECT_EQ(LastEvent().rule, "");
  EXPECT_TRUE(IsPending(approvals_.RequireAlways(CallBy(alice_, Action::kPrepareAuthority),
                                                 deployment_.acme.id, Change("this"))));
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
  EXPECT_EQ(LastEvent().rule, "approval.approved");
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
  EXPECT_EQ(EventsOf("UseApproval")[0].correlation_id, LastEvent().correlation_id)
      << "so that an auditor finds what was done by it";
}

// ---- bound to the exact change ------------------------------------------------------------------

TEST_F(ApprovalsTest, AreForNoOtherChangeAndNoOtherOperator) {
  EXPECT_TRUE(IsPending(Require(alice_)));
  Must(ApprovePending());
  EXPECT_TRUE(IsPending(Require(alice_, "that")));
  const Caller carol = OperatorWith(Role::kAdmin);
  EXPECT_TRUE(IsPending(Require(carol)));
  ProposedChange destruction = Change("this");
  destruction.kind = ApprovalKind::kDestruction;
  EXPECT_TRUE(IsPending(approvals_.Require(CallBy(alice_, Action::kPrepareAuthority),
                                           deployment_.acme.id, destruction)));
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
  EXPECT_TRUE(IsPending(
      approvals_.Require(CallBy(alice_, Action::kPrepareAuthority), deployment_.acme.id, change)));
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
    EXPECT_TRUE(approvals_
                    .List(CallBy(caller, Action::kListApprovals), "acme/prod",
                          Approvals::Which::kPending, 1, "")
                    .ok());
  }
  const Caller of_globex = OperatorWith(Role::kAdmin, deployment_.globex.id);
  EXPECT_EQ(Approve(of_globex, id).status().code(), StatusCode::kNotFound);
  EXPECT_EQ(Deny(of_globex, id, "no").status().code(), StatusCode::kNotFound);
  EXPECT_TRUE(IsRefusal(approvals_
                            .List(CallBy(of_globex, Action::kListApprovals), "acme/prod",
                                  Approvals::Which::kPending, 1, "")
                            .status(),
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

// An operator that has lost a role withdraws its own request.
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

}  // namespace
}  // namespace ca
