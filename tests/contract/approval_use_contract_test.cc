// A change and the use of its approval are one transaction: both are on record, or neither.

#include <functional>

#include "tests/contract/contract_test.h"

namespace contract {
namespace {

using ca::Approval;
using ca::StatusCode;
using ca::testing::Must;
using std::chrono::hours;

// Any change, with an event that has the use of an approval.
using Change = std::function<ca::Status(const ca::AuditEvent&)>;

class ApprovalUseContract : public DeployedContractTest {
 protected:
  ApprovalUseContract() {
    deployment_.Register(deployment_.system, "operator/dave");
    deployment_.Issue(deployment_.Register(acme_, "billing/bot"));
  }

  ca::SpiffeId Operator(const std::string& name) const {
    return ca::testing::IdOf(deployment_.system, "operator/" + name);
  }

  Approval Ask() {
    const Approval wanted{
        .id = "00000000000000aa",
        .hierarchy = acme_.id,
        .kind = ca::ApprovalKind::kPolicyWidening,
        .digest = ca::Sha256("change"),
        .changes = {},
        .requested_by = Operator("alice"),
        .requested_at = clock_.Now(),
        .expires_at = clock_.Now() + hours(1),
        .decision = std::nullopt,
        .used_at = std::nullopt,
        .withdrawn_at = std::nullopt,
    };
    return Must(approvals().FindOrRequest(wanted, {}, EventIn(acme_, "RequestApproval")));
  }
  void Approve(const Approval& asked) {
    Must(approvals().Decide(acme_.id, asked.id,
                            {ca::Verdict::kApprove, Operator("bob"), clock_.Now(), ""},
                            EventIn(acme_, "ApproveChange")));
  }
  ca::AuditEvent EventBy(const Approval& asked, const std::string& correlation_id,
                         const ca::Hierarchy& hierarchy) const {
    ca::AuditEvent use = EventIn(acme_, "UseApproval");
    use.subject = asked.id;
    use.correlation_id = correlation_id;
    ca::AuditEvent event = EventIn(hierarchy, "Change");
    event.approval_use = std::make_shared<ca::AuditEvent>(use);
    return event;
  }

  // The state that these changes would change.
  std::string State() {
    std::string state;
    for (const ca::Hierarchy& of : Must(hierarchies().LoadHierarchies())) {
      state += fmt::format("{} {}, ", of.Name(), of.root_lifetime.count());
    }
    for (const ca::AuthorityRecord& of : Must(authorities().LoadAuthorities())) {
      state += fmt::format("{} {}, ", of.key_label, of.taint.has_value());
    }
    return state + fmt::format("{} grants, {} stand", Must(registry().ListGrants()).size(),
                               Must(revocations().Preview(All())).revoked_count);
  }
  // All that acme's authority has issued.
  ca::RevocationOrder All() const {
    return {.hierarchy = acme_.id,
            .target = ca::AllOfAuthority{Issuer()},
            .reason = ca::RevocationReason::kCaCompromise,
            .invalidity_date = std::nullopt,
            .now = clock_.Now()};
  }
  ca::AuthorityId Issuer() const {
    return Must(deployment_.catalog->Find(acme_.id)->ActiveIssuer())->id();
  }

  void ExpectUsesTheApproval(const Change& change) { ExpectUsesTheApproval(change, acme_); }
  // The event of a change in that hierarchy.
  void ExpectUsesTheApproval(const Change& change, const ca::Hierarchy& hierarchy) {
    const Approval asked = Ask();
    const std::string before = State();
    size_t events = world_.Events().size();
    ASSERT_EQ(change(EventBy(asked, "one", hierarchy)).code(), StatusCode::kFailedPrecondition)
        << "it is pending";
    EXPECT_EQ(State(), before);
    EXPECT_EQ(world_.Events().size(), events);

    Approve(asked);
    events = world_.Events().size();
    Must(change(EventBy(asked, "one", hierarchy)));
    const std::string after = State();
    EXPECT_NE(after, before);
    EXPECT_EQ(Must(approvals().Find(acme_.id, asked.id)).used_at, clock_.Now());
    const auto recorded = world_.Events();
    ASSERT_EQ(recorded.size(), events + 2);
    ExpectSame(recorded[events], *EventBy(asked, "one", hierarchy).approval_use);
    ExpectSame(recorded[events + 1], EventIn(hierarchy, "Change"));

    EXPECT_EQ(change(EventBy(asked, "another", hierarchy)).code(), StatusCode::kAborted);
    EXPECT_EQ(State(), after);
    EXPECT_EQ(world_.Events().size(), events + 2);
  }

  const ca::Hierarchy& acme_ = deployment_.acme;
};
INSTANTIATE_CONTRACT(ApprovalUseContract);

TEST_P(ApprovalUseContract, IsWithTheChangeOfAHierarchy) {
  ca::Hierarchy wanted = acme_;
  wanted.root_lifetime += hours(24);
  ExpectUsesTheApproval([&](const ca::AuditEvent& event) {
    return hierarchies().ChangeHierarchy(acme_, wanted, event);
  });
}

TEST_P(ApprovalUseContract, IsWithTheEndOfAHierarchy) {
  ExpectUsesTheApproval([&](const ca::AuditEvent& event) {
    return hierarchies().DestroyHierarchy(acme_.id, "a test", event).status();
  });
}

TEST_P(ApprovalUseContract, IsWithThePlanOfARoot) {
  ExpectUsesTheApproval([&](const ca::AuditEvent& event) {
    return authorities().PlanAuthority(acme_, ca::AuthorityKind::kRoot, 2, {}, event).status();
  });
}

TEST_P(ApprovalUseContract, IsWithTheRevocationOfAnAuthority) {
  ExpectUsesTheApproval([&](const ca::AuditEvent& event) {
    return authorities()
        .RevokeAuthority(Issuer(), ca::RevocationReason::kCaCompromise, "a test", event)
        .status();
  });
}

TEST_P(ApprovalUseContract, IsWithTheRevocationOfAllThatItHasIssued) {
  ExpectUsesTheApproval(
      [&](const ca::AuditEvent& event) { return revocations().Revoke(All(), event).status(); });
}

// Operators are the system hierarchy's, and the approval is acme's.
TEST_P(ApprovalUseContract, IsWithARoleThatSomebodyGets) {
  ExpectUsesTheApproval(
      [&](const ca::AuditEvent& event) {
        return registry()
            .AddGrant(Operator("dave"), {ca::Role::kAdmin, acme_.id, ""}, event)
            .status();
      },
      deployment_.system);
}

// As in a file that changes both, or in a call that is repeated because its answer was lost.
TEST_P(ApprovalUseContract, IsOnceForAllThatOneCallChanges) {
  const Approval asked = Ask();
  Approve(asked);
  const ca::AuditEvent event = EventBy(asked, "one", deployment_.system);
  const size_t events = world_.Events().size();
  for (const ca::Role role : {ca::Role::kAdmin, ca::Role::kAdmin, ca::Role::kAuditor}) {
    Must(registry().AddGrant(Operator("dave"), {role, acme_.id, ""}, event));
  }
  EXPECT_EQ(world_.Events().size(), events + 4);
}

TEST_P(ApprovalUseContract, IsNotWithWhatIsOnlyRecorded) {
  const Approval asked = Ask();
  Approve(asked);
  ca::AuditEvent event = EventBy(asked, "one", acme_);
  event.decision = ca::Decision::kFailed;
  Must(ledger().RecordEvent(event));
  EXPECT_FALSE(Must(approvals().Find(acme_.id, asked.id)).used_at);
}

}  // namespace
}  // namespace contract
