#include "ca/access/authorization.h"

#include <map>
#include <set>

#include "tests/fixtures/use_case_test.h"

namespace ca {
namespace {

using testing::IsRefusal;
using testing::Must;

const std::set<Role> kNobodyElse = {};
const std::set<Role> kRegistrars = {Role::kRegistrar};
const std::set<Role> kRevokers = {Role::kRevoker};
const std::set<Role> kReaders = {Role::kRegistrar, Role::kRevoker, Role::kAuditor};

struct Expectation {
  std::string name;
  std::set<Role> roles;  // beside admin
};

// The roles that each action needs: the table that an auditor would ask for.
const std::map<Action, Expectation> kTable = {
    {Action::kEnroll, {"Enroll", kNobodyElse}},
    {Action::kRenew, {"Renew", kNobodyElse}},
    {Action::kRegisterAgent, {"RegisterAgent", kRegistrars}},
    {Action::kGetAgent, {"GetAgent", kReaders}},
    {Action::kListAgents, {"ListAgents", kReaders}},
    {Action::kCreateJoinToken, {"CreateJoinToken", kRegistrars}},
    {Action::kListJoinTokens, {"ListJoinTokens", kReaders}},
    {Action::kRevokeJoinToken, {"RevokeJoinToken", kRegistrars}},
    {Action::kGetCertificate, {"GetCertificate", kReaders}},
    {Action::kListCertificates, {"ListCertificates", kReaders}},
    {Action::kGetStatus, {"GetStatus", kReaders}},
    {Action::kRevoke, {"Revoke", kRevokers}},
    {Action::kPreviewRevocation, {"PreviewRevocation", kRevokers}},
    {Action::kCheckStatus, {"CheckStatus", {Role::kRevoker, Role::kAuditor}}},
    {Action::kListAuthorities, {"ListAuthorities", kReaders}},
    {Action::kPrepareAuthority, {"PrepareAuthority", kNobodyElse}},
    {Action::kActivateAuthority, {"ActivateAuthority", kNobodyElse}},
    {Action::kRollBackAuthority, {"RollBackAuthority", kNobodyElse}},
    {Action::kTaintAuthority, {"TaintAuthority", kNobodyElse}},
    {Action::kRevokeAuthority, {"RevokeAuthority", kNobodyElse}},
    {Action::kCreateCertificationRequest, {"CreateCertificationRequest", kNobodyElse}},
    {Action::kImportAuthority, {"ImportAuthority", kNobodyElse}},
    {Action::kListHierarchies, {"ListHierarchies", kReaders}},
    {Action::kGetHierarchy, {"GetHierarchy", kReaders}},
    {Action::kPlanHierarchy, {"PlanHierarchy", kReaders}},
    {Action::kApplyHierarchy, {"ApplyHierarchy", kNobodyElse}},
    {Action::kDestroyHierarchy, {"DestroyHierarchy", kNobodyElse}},
    {Action::kListDestructions, {"ListDestructions", kReaders}},
    {Action::kListGrants, {"ListGrants", {Role::kAuditor}}},
    {Action::kAddGrant, {"AddGrant", kNobodyElse}},
    {Action::kRemoveGrant, {"RemoveGrant", kNobodyElse}},
    {Action::kDiagnose, {"Diagnose", {Role::kAuditor}}},
    {Action::kListEnrollmentRequests, {"ListEnrollmentRequests", {Role::kAuditor}}},
    {Action::kListApprovals, {"ListApprovals", kReaders}},
    {Action::kApproveChange, {"ApproveChange", kNobodyElse}},
    {Action::kDenyChange, {"DenyChange", kNobodyElse}},
    {Action::kWithdrawApproval, {"WithdrawApproval", kReaders}},
};
constexpr Role kRoles[] = {Role::kAdmin, Role::kRegistrar, Role::kRevoker, Role::kAuditor};

class AuthorizationTest : public testing::StoryTest {
 protected:
  Status Require(const Caller& caller, Action action) {
    return authorization_.Require(caller, action, deployment_.acme.id);
  }

  const Authorization authorization_{ports_.registry};

 private:
};

TEST_F(AuthorizationTest, AllowsEachRoleWhatTheTableSaysAndNoMore) {
  for (const Role role : kRoles) {
    const Caller caller = OperatorWith(role, deployment_.acme.id);
    for (const auto& [action, expected] : kTable) {
      const bool is_allowed = role == Role::kAdmin || expected.roles.contains(role);
      const Status status = Require(caller, action);
      if (is_allowed) {
        EXPECT_TRUE(status.ok()) << NameOf(role) << ' ' << expected.name;
      } else {
        EXPECT_TRUE(IsRefusal(status, StatusCode::kPermissionDenied, "caller.role"))
            << NameOf(role) << ' ' << expected.name;
      }
    }
  }
}

TEST_F(AuthorizationTest, NamesEveryAction) {
  for (const auto& [action, expected] : kTable) {
    EXPECT_EQ(NameOf(action), expected.name);
  }
}

TEST_F(AuthorizationTest, SaysWhichRolesItNeeds) {
  const Caller caller = OperatorWith(Role::kAuditor);
  const Status status = Require(caller, Action::kRegisterAgent);
  EXPECT_EQ(MessageOf(status), caller.Name() +
                                   " may not RegisterAgent; it needs one of the roles admin, "
                                   "registrar over the hierarchy");
}

TEST_F(AuthorizationTest, KeepsAGrantOverOneHierarchyToIt) {
  const Caller caller = OperatorWith(Role::kAdmin, deployment_.globex.id);
  EXPECT_TRUE(
      IsRefusal(Require(caller, Action::kGetAgent), StatusCode::kPermissionDenied, "caller.role"));
  EXPECT_TRUE(authorization_.Require(caller, Action::kGetAgent, deployment_.globex.id).ok());
}

TEST_F(AuthorizationTest, TakesAGrantOverAllForEveryHierarchy) {
  const Caller caller = OperatorWith(Role::kRegistrar);
  for (const HierarchySnapshotPtr& hierarchy : deployment_.catalog->hierarchies()) {
    EXPECT_TRUE(authorization_.Require(caller, Action::kRegisterAgent, hierarchy->id()).ok());
  }
}

TEST_F(AuthorizationTest, TakesAGrantOverATenantForEachOfItsHierarchies) {
  const Caller caller = OperatorOver("globex", Role::kRegistrar);
  EXPECT_TRUE(authorization_.Require(caller, Action::kRegisterAgent, deployment_.globex.id).ok());
  EXPECT_TRUE(IsRefusal(Require(caller, Action::kRegisterAgent), StatusCode::kPermissionDenied,
                        "caller.role"));
  EXPECT_TRUE(authorization_.RequireOverTenant(caller, Action::kRegisterAgent, "globex").ok());
  for (const Status& status :
       {authorization_.RequireOverTenant(caller, Action::kRegisterAgent, "acme"),
        authorization_.RequireOverAll(caller, Action::kRegisterAgent)}) {
    EXPECT_TRUE(IsRefusal(status, StatusCode::kPermissionDenied, "caller.role"));
  }
}

TEST_F(AuthorizationTest, TakesAGrantOverAllForATenantAndOneOverAHierarchyNot) {
  const Caller of_all = OperatorWith(Role::kAdmin);
  EXPECT_TRUE(authorization_.RequireOverTenant(of_all, Action::kGetAgent, "initech").ok());
  EXPECT_TRUE(authorization_.RequireOverAll(of_all, Action::kGetAgent).ok());
  const Caller of_one = OperatorWith(Role::kAdmin, deployment_.acme.id);
  EXPECT_FALSE(authorization_.RequireOverTenant(of_one, Action::kGetAgent, "acme").ok());
  EXPECT_FALSE(authorization_.RequireOverAll(of_one, Action::kGetAgent).ok());
}

TEST_F(AuthorizationTest, AllowsNothingToWhoeverHasNoGrant) {
  const Agent agent = deployment_.Register(deployment_.acme, "billing/bot");
  const Caller caller{.id = agent.id, .hierarchy = agent.hierarchy};
  for (const auto& [action, expected] : kTable) {
    EXPECT_TRUE(IsRefusal(Require(caller, action), StatusCode::kPermissionDenied, "caller.role"));
  }
}

TEST_F(AuthorizationTest, AllowsNothingToTheAnonymous) {
  for (const auto& [action, expected] : kTable) {
    EXPECT_TRUE(
        IsRefusal(Require(Caller{}, action), StatusCode::kUnauthenticated, "caller.anonymous"));
    EXPECT_TRUE(IsRefusal(
        authorization_.Allowed(Caller{}, action, deployment_.catalog->hierarchies()).status(),
        StatusCode::kUnauthenticated, "caller.anonymous"));
  }
}

// Invariant 7: authorization is looked up, not carried.
TEST_F(AuthorizationTest, IsLookedUpAtEachCall) {
  const Caller caller = OperatorWith(Role::kAdmin);
  EXPECT_TRUE(Require(caller, Action::kGetAgent).ok());
  ports_.registry.Disable(*caller.id);
  EXPECT_TRUE(
      IsRefusal(Require(caller, Action::kGetAgent), StatusCode::kPermissionDenied, "caller.role"));
}

TEST_F(AuthorizationTest, AllowsNothingWhileTheRegistryIsAway) {
  const Caller caller = OperatorWith(Role::kAdmin);
  ports_.registry.TakeAway();
  EXPECT_EQ(Require(caller, Action::kGetAgent).code(), StatusCode::kUnavailable);
  EXPECT_EQ(authorization_.Allowed(caller, Action::kGetAgent, deployment_.catalog->hierarchies())
                .status()
                .code(),
            StatusCode::kUnavailable);
}

TEST_F(AuthorizationTest, ListsTheHierarchiesOverWhichACallerMay) {
  const auto allowed = [&](const Grant& grant, Action action) {
    return Must(authorization_.Allowed(OperatorWith(grant.role, grant.hierarchy), action,
                                       deployment_.catalog->hierarchies()));
  };
  EXPECT_EQ(allowed({Role::kAuditor, deployment_.acme.id, ""}, Action::kGetAgent),
            std::vector{deployment_.acme.id});
  EXPECT_EQ(allowed({Role::kAuditor, std::nullopt}, Action::kGetAgent).size(), 3u);
  EXPECT_TRUE(allowed({Role::kAuditor, std::nullopt}, Action::kRegisterAgent).empty());
}

TEST(RoleTest, HasAName) {
  for (const Role role : kRoles) EXPECT_EQ(Must(RoleFrom(NameOf(role))), role);
  for (const char* name : {"", "Admin", "root"}) {
    EXPECT_TRUE(testing::Says(RoleFrom(name).status(), StatusCode::kInvalidArgument,
                              "admin, registrar, revoker or auditor"));
  }
}

}  // namespace
}  // namespace ca
