#pragma once

#include <algorithm>

#include "tests/ca/authorities/rotation_use_case_test.h"

namespace ca::testing {

// In acme, every change that can take two operators does: alice asks, bob decides.
class ApprovalsStoryTest : public RotationStoryTest {
 protected:
  ApprovalsStoryTest() { Demand({}); }

  // Changes acme's declaration.
  void Demand(const ApprovalPolicy& approvals) {
    const Hierarchy standing = Acme();
    Hierarchy wanted = standing;
    wanted.approvals = approvals;
    Must(ports_.hierarchies.ChangeHierarchy(standing, wanted, NewEvent("ChangeHierarchy")));
    Must(deployment_.catalogs->Reload());
  }
  Hierarchy Acme() const { return deployment_.Now(deployment_.acme)->hierarchy(); }

  // The event of another call.
  AuditEvent NewEvent(std::string action) {
    AuditEvent event = EventAt(clock_.Now(), std::move(action));
    event.correlation_id = NewCorrelationId();
    return event;
  }

  static ::testing::AssertionResult IsPending(const Status& status) {
    return IsRefusal(status, StatusCode::kFailedPrecondition, "approval.pending");
  }

  Result<Approval> Approve(const Caller& caller, const std::string& id,
                           const std::string& reason = "") {
    return testing::ValueOf(approvals_.Approve(CallBy(caller, Action::kApproveChange), id, reason));
  }
  Result<Approval> Deny(const Caller& caller, const std::string& id, const std::string& reason) {
    return testing::ValueOf(approvals_.Deny(CallBy(caller, Action::kDenyChange), id, reason));
  }
  std::vector<Approval> List(Approvals::Which which = Approvals::Which::kPending) {
    return Must(
        approvals_.List(CallBy(alice_, Action::kListApprovals), "acme/prod", which, 100, ""));
  }
  // The id of the one pending approval.
  std::string Pending() {
    const std::vector<Approval> pending = List();
    EXPECT_EQ(pending.size(), 1u);
    return pending.empty() ? "none" : pending.front().id;
  }
  Status ApprovePending() { return Approve(bob_, Pending()).status(); }

  std::vector<AuditEvent> EventsOf(const std::string& action) const {
    std::vector<AuditEvent> events = ports_.events.All();
    std::erase_if(events, [&](const AuditEvent& event) { return event.action != action; });
    return events;
  }

  size_t Uses() const { return EventsOf("UseApproval").size(); }

  const Caller alice_ = OperatorWith(Role::kAdmin);
  const Caller bob_ = OperatorWith(Role::kAdmin, deployment_.acme.id);
};

}  // namespace ca::testing
