#pragma once

#include <algorithm>

#include "tests/ca/authorities/rotation_use_case_test.h"

namespace ca::testing {

// With acme, where everything takes two that can: alice asks, bob decides.
class ApprovalsStoryTest : public RotationStoryTest {
 protected:
  ApprovalsStoryTest() { Demand({}); }

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
    AuditEvent event = EventAt(clock_.Now(), std::move(action));
    event.correlation_id = std::to_string(++calls_);
    return event;
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

  std::vector<AuditEvent> EventsOf(const std::string& action) const {
    std::vector<AuditEvent> events = ports_.events.All();
    std::erase_if(events, [&](const AuditEvent& event) { return event.action != action; });
    return events;
  }

  size_t Uses() const { return EventsOf("UseApproval").size(); }

  const Caller alice_ = OperatorWith(Role::kAdmin);
  const Caller bob_ = OperatorWith(Role::kAdmin, deployment_.acme.id);
  AuditEvent event_;
  int calls_ = 0;
};

}  // namespace ca::testing
