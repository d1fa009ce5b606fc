// Approvals: requested, decided, used, withdrawn.

#include <thread>

#include "tests/contract/contract_test.h"

namespace contract {
namespace {

using ca::Approval;
using ca::ApprovalDecision;
using ca::ApprovalKind;
using ca::ApprovalState;
using ca::StatusCode;
using ca::Verdict;
using ca::testing::IsRefusal;
using ca::testing::Must;
using std::chrono::hours;

class ApprovalStoreContract : public DeployedContractTest {
 protected:
  ApprovalStoreContract() { deployment_.Register(deployment_.system, "operator/dave"); }

  Approval New(const std::string& words, const std::string& by = "alice",
               ApprovalKind kind = ApprovalKind::kPolicyWidening) {
    return {
        .id = fmt::format("{:016x}", ++ids_),
        .hierarchy = acme_.id,
        .kind = kind,
        .digest = ca::Sha256(words),
        .changes = {words, "it's \"quoted\", {braced} and \\escaped"},
        .requested_by = Operator(by),
        .requested_at = clock_.Now(),
        .expires_at = clock_.Now() + hours(1),
        .decision = std::nullopt,
        .used_at = std::nullopt,
        .withdrawn_at = std::nullopt,
    };
  }
  ca::SpiffeId Operator(const std::string& name) const {
    return ca::testing::IdOf(deployment_.system, "operator/" + name);
  }

  ca::Result<Approval> Ask(const Approval& wanted, const std::set<std::string>& disregarded = {}) {
    ca::AuditEvent event = EventIn(acme_, "RequestApproval");
    event.hierarchy = wanted.hierarchy;
    return approvals().FindOrRequest(wanted, disregarded, event);
  }
  ca::Result<Approval> Decide(const Approval& of, Verdict verdict, const std::string& by = "bob") {
    return ca::testing::ValueOf(approvals().Decide(of.hierarchy, of.id,
                                                   {verdict, Operator(by), clock_.Now(), "seen"},
                                                   EventIn(acme_, "ApproveChange")));
  }
  // By any change: what a change does with it is in approval_use_contract_test.cc.
  ca::Status Use(const Approval& of, const std::string& correlation_id = "one") {
    ca::AuditEvent use = EventIn(acme_, "UseApproval");
    use.subject = of.id;
    use.correlation_id = correlation_id;
    ca::AuditEvent event = EventIn(deployment_.system, "AddGrant");
    event.approval_use = std::make_shared<ca::AuditEvent>(use);
    return registry()
        .AddGrant(Operator("dave"), {ca::Role::kAuditor, acme_.id, ""}, event)
        .status();
  }
  ca::Result<Approval> Withdraw(const Approval& of) {
    return ca::testing::ValueOf(
        approvals().Withdraw(of.hierarchy, of.id, EventIn(acme_, "WithdrawApproval")));
  }
  Approval Find(const Approval& of) { return Must(approvals().Find(of.hierarchy, of.id)); }
  std::vector<std::string> Pending() {
    std::vector<std::string> ids;
    for (const Approval& approval :
         Must(approvals().List({.hierarchy = acme_.id, .pending_at = clock_.Now()}))) {
      ids.push_back(approval.id);
    }
    return ids;
  }

  const ca::Hierarchy& acme_ = deployment_.acme;
  int ids_ = 0;
};
INSTANTIATE_CONTRACT(ApprovalStoreContract);

TEST_P(ApprovalStoreContract, KeepsWhatIsAskedForWithItsEvent) {
  const Approval wanted = New("more");
  EXPECT_EQ(Must(Ask(wanted)), wanted);
  EXPECT_EQ(Find(wanted), wanted);
  ExpectSame(world_.Events().back(), EventIn(acme_, "RequestApproval"));
  EXPECT_EQ(approvals().Find(deployment_.globex.id, wanted.id).status().code(),
            StatusCode::kNotFound)
      << "it is another hierarchy's";
  EXPECT_EQ(approvals().Find(acme_.id, "0000000000000000").status().code(), StatusCode::kNotFound);
}

TEST_P(ApprovalStoreContract, FindsWhatWasAskedForBeforeAndRecordsNothing) {
  const Approval first = Must(Ask(New("more")));
  const size_t events = world_.Events().size();
  EXPECT_EQ(Must(Ask(New("more"))), first);
  const Approval decided = Must(Decide(first, Verdict::kApprove));
  EXPECT_EQ(Must(Ask(New("more"))), decided);
  EXPECT_EQ(world_.Events().size(), events + 1);
}

TEST_P(ApprovalStoreContract, IsForThisChangeOfThisOperatorInThisHierarchyAlone) {
  const Approval first = Must(Ask(New("more")));
  Approval elsewhere = New("more");
  elsewhere.hierarchy = deployment_.globex.id;
  for (const Approval& other : {New("even more"), New("more", "carol"), elsewhere,
                                New("more", "alice", ApprovalKind::kDestruction)}) {
    EXPECT_EQ(Must(Ask(other)).id, other.id);
  }
  EXPECT_EQ(Must(Ask(New("more"))), first);
}

TEST_P(ApprovalStoreContract, IsAskedForAnewWhenItExpiredWasUsedOrIsDisregarded) {
  const Approval first = Must(Ask(New("more")));
  clock_.Set(first.expires_at);
  const Approval second = Must(Ask(New("more")));
  EXPECT_NE(second.id, first.id);
  Must(Decide(second, Verdict::kApprove).status());
  Must(Use(second));
  const Approval third = Must(Ask(New("more")));
  EXPECT_NE(third.id, second.id);
  const Approval fourth = Must(Ask(New("more"), {third.id}));
  EXPECT_NE(fourth.id, third.id);
}

TEST_P(ApprovalStoreContract, KeepsTheFirstDecision) {
  const Approval asked = Must(Ask(New("more")));
  const Approval denied = Must(Decide(asked, Verdict::kDeny));
  EXPECT_EQ(denied.decision,
            (ApprovalDecision{Verdict::kDeny, Operator("bob"), clock_.Now(), "seen"}));
  EXPECT_EQ(Find(asked), denied);
  const size_t events = world_.Events().size();
  EXPECT_TRUE(IsRefusal(Decide(asked, Verdict::kApprove, "carol").status(),
                        StatusCode::kFailedPrecondition, "approval.decided"));
  EXPECT_TRUE(IsRefusal(Decide(asked, Verdict::kApprove).status(), StatusCode::kFailedPrecondition,
                        "approval.decided"))
      << "also by the one who decided otherwise";
  EXPECT_EQ(world_.Events().size(), events);
  EXPECT_EQ(Find(asked), denied);
}

TEST_P(ApprovalStoreContract, MayBeDecidedOnceMoreByTheSameInTheSameWay) {
  const Approval asked = Must(Ask(New("more")));
  const Approval approved = Must(Decide(asked, Verdict::kApprove));
  const size_t events = world_.Events().size();
  clock_.Advance(hours(3));
  EXPECT_EQ(Must(Decide(asked, Verdict::kApprove)), approved) << "as it was";
  EXPECT_EQ(world_.Events().size(), events + 1);
}

TEST_P(ApprovalStoreContract, LetsOneOfTwoWhoDecideAtOnce) {
  const Approval asked = Must(Ask(New("more")));
  std::vector<ca::Status> outcomes(4);
  std::vector<std::thread> threads;
  for (size_t i = 0; i < outcomes.size(); ++i) {
    threads.emplace_back([&, i] {
      outcomes[i] = Decide(asked, i % 2 == 0 ? Verdict::kApprove : Verdict::kDeny,
                           fmt::format("operator-{}", i))
                        .status();
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(std::count_if(outcomes.begin(), outcomes.end(),
                          [](const ca::Status& status) { return status.ok(); }),
            1);
}

TEST_P(ApprovalStoreContract, GivesTwoWhoAskAtOnceTheSame) {
  std::vector<Approval> wanted = {New("more"), New("more"), New("more"), New("more")};
  std::vector<std::thread> threads;
  for (Approval& one : wanted) {
    threads.emplace_back([&] { one = Must(Ask(one)); });
  }
  for (std::thread& thread : threads) thread.join();
  for (const Approval& one : wanted) EXPECT_EQ(one, wanted.front());
  EXPECT_EQ(Pending().size(), 1u);
}

TEST_P(ApprovalStoreContract, IsDecidedAndUsedBeforeItExpires) {
  const Approval asked = Must(Ask(New("more")));
  const Approval approved = Must(Ask(New("less")));
  clock_.Set(asked.expires_at - std::chrono::microseconds(1));
  Must(Decide(approved, Verdict::kApprove).status());
  clock_.Set(asked.expires_at);
  EXPECT_TRUE(IsRefusal(Decide(asked, Verdict::kApprove).status(), StatusCode::kFailedPrecondition,
                        "approval.expired"));
  EXPECT_EQ(Use(approved).code(), StatusCode::kFailedPrecondition);
  EXPECT_EQ(Find(approved).StateAt(clock_.Now()), ApprovalState::kExpired);
}

TEST_P(ApprovalStoreContract, IsUsedOnceAndOnlyWhenItWasApproved) {
  const Approval pending = Must(Ask(New("one")));
  const Approval denied = Must(Ask(New("two")));
  const Approval approved = Must(Ask(New("three")));
  Must(Decide(denied, Verdict::kDeny).status());
  Must(Decide(approved, Verdict::kApprove).status());
  EXPECT_EQ(Use(pending).code(), StatusCode::kFailedPrecondition);
  EXPECT_EQ(Use(denied).code(), StatusCode::kFailedPrecondition);
  Must(Use(approved));
  const size_t events = world_.Events().size();
  EXPECT_TRUE(Use(approved).ok()) << "by the same call, whose answer was lost";
  EXPECT_EQ(world_.Events().size(), events + 1) << "the change's";
  EXPECT_EQ(Use(approved, "another").code(), StatusCode::kAborted);
  EXPECT_EQ(Find(approved).used_at, clock_.Now());
  EXPECT_EQ(Find(approved).StateAt(clock_.Now() + hours(9)), ApprovalState::kDone);
}

TEST_P(ApprovalStoreContract, IsNothingAnyMoreWhenItIsWithdrawn) {
  const Approval pending = Must(Ask(New("one")));
  const Approval approved = Must(Ask(New("two")));
  Must(Decide(approved, Verdict::kApprove).status());
  for (const Approval& asked : {pending, approved}) {
    const Approval withdrawn = Must(Withdraw(asked));
    EXPECT_EQ(withdrawn.withdrawn_at, clock_.Now());
    EXPECT_EQ(withdrawn.StateAt(clock_.Now() + hours(9)), ApprovalState::kWithdrawn);
    EXPECT_EQ(Find(asked), withdrawn);
    ExpectSame(world_.Events().back(), EventIn(acme_, "WithdrawApproval"));
    EXPECT_EQ(Use(asked).code(), StatusCode::kFailedPrecondition);
  }
  EXPECT_TRUE(IsRefusal(Decide(pending, Verdict::kDeny).status(), StatusCode::kFailedPrecondition,
                        "approval.withdrawn"));
  EXPECT_TRUE(Pending().empty());
  EXPECT_NE(Must(Ask(New("two"))).id, approved.id) << "it is asked for anew";
}

TEST_P(ApprovalStoreContract, MayBeWithdrawnOnceMore) {
  const Approval asked = Must(Ask(New("one")));
  const Approval withdrawn = Must(Withdraw(asked));
  const size_t events = world_.Events().size();
  clock_.Advance(hours(3));
  EXPECT_EQ(Must(Withdraw(asked)), withdrawn) << "as it was";
  EXPECT_EQ(world_.Events().size(), events + 1);
}

TEST_P(ApprovalStoreContract, IsNotWithdrawnWhenItIsDeniedUsedOrExpired) {
  const Approval denied = Must(Ask(New("one")));
  const Approval used = Must(Ask(New("two")));
  const Approval expired = Must(Ask(New("three")));
  Must(Decide(denied, Verdict::kDeny).status());
  Must(Decide(used, Verdict::kApprove).status());
  Must(Use(used));
  const size_t events = world_.Events().size();
  const auto refuses = [&](const Approval& approval, const std::string& rule) {
    return IsRefusal(Withdraw(approval).status(), StatusCode::kFailedPrecondition, rule);
  };
  EXPECT_TRUE(refuses(denied, "approval.decided")) << "or it could be asked for at once again";
  EXPECT_TRUE(refuses(used, "approval.used"));
  clock_.Set(expired.expires_at);
  EXPECT_TRUE(refuses(expired, "approval.expired"));
  EXPECT_EQ(Withdraw(New("never asked for")).status().code(), StatusCode::kNotFound);
  EXPECT_EQ(world_.Events().size(), events);
}

TEST_P(ApprovalStoreContract, IsUsedOrWithdrawnAndNeverBoth) {
  const Approval asked = Must(Ask(New("one")));
  Must(Decide(asked, Verdict::kApprove).status());
  std::vector<ca::Status> outcomes(4);
  std::vector<std::thread> threads;
  for (size_t i = 0; i < outcomes.size(); ++i) {
    threads.emplace_back(
        [&, i] { outcomes[i] = i % 2 == 0 ? Use(asked) : Withdraw(asked).status(); });
  }
  for (std::thread& thread : threads) thread.join();
  const Approval found = Find(asked);
  EXPECT_NE(found.used_at.has_value(), found.withdrawn_at.has_value());
  EXPECT_EQ(outcomes[0].ok(), found.used_at.has_value());
  EXPECT_EQ(outcomes[1].ok(), found.withdrawn_at.has_value());
}

TEST_P(ApprovalStoreContract, HasSoManyPendingAndNoMore) {
  for (int i = 0; i < Approval::kPendingMax; ++i) Must(Ask(New(std::to_string(i))).status());
  const size_t events = world_.Events().size();
  EXPECT_TRUE(IsRefusal(Ask(New("one too many")).status(), StatusCode::kFailedPrecondition,
                        "approval.too-many"));
  EXPECT_EQ(world_.Events().size(), events);
  EXPECT_TRUE(Ask(New("7")).ok()) << "it is one of them";
  Approval elsewhere = New("elsewhere");
  elsewhere.hierarchy = deployment_.globex.id;
  Must(Ask(elsewhere).status());
  Must(Decide(Must(Ask(New("7"))), Verdict::kDeny).status());
  Must(Ask(New("instead")).status());
  Must(Withdraw(Must(Ask(New("8")))).status());
  Must(Ask(New("instead of another")).status());
  clock_.Advance(hours(1));
  Must(Ask(New("much later")).status());
}

TEST_P(ApprovalStoreContract, ListsPagesNewestFirstOfOneHierarchy) {
  std::vector<std::string> newest_first;
  for (int i = 0; i < 5; ++i) {
    newest_first.insert(newest_first.begin(), Must(Ask(New(std::to_string(i)))).id);
    if (i != 2) clock_.Advance(std::chrono::seconds(1));
  }
  Approval elsewhere = New("elsewhere");
  elsewhere.hierarchy = deployment_.globex.id;
  Must(Ask(elsewhere).status());
  std::vector<std::string> found;
  std::string page_token;
  for (int page = 0; page < 3; ++page) {
    for (const Approval& approval : Must(
             approvals().List({.hierarchy = acme_.id, .page_size = 2, .page_token = page_token}))) {
      found.push_back(approval.id);
    }
    page_token = found.back();
  }
  EXPECT_EQ(found, newest_first);
}

TEST_P(ApprovalStoreContract, ListsWhatIsPending) {
  const Approval pending = Must(Ask(New("one")));
  const Approval denied = Must(Ask(New("two")));
  Must(Decide(denied, Verdict::kDeny).status());
  EXPECT_EQ(Pending(), std::vector<std::string>{pending.id});
  EXPECT_EQ(Must(approvals().List({.hierarchy = acme_.id, .pending_at = std::nullopt})).size(), 2u);
  clock_.Set(pending.expires_at);
  EXPECT_TRUE(Pending().empty());
}

}  // namespace
}  // namespace contract
