// Which operator may grant which role, and over what.

#include "ca/access/operators.h"

#include "tests/fixtures/use_case_test.h"

namespace ca {
namespace {

using testing::IsRefusal;
using testing::Must;

class OperatorsTest : public testing::StoryTest {
 protected:
  OperatorsTest() : admin_(OperatorWith(Role::kAdmin)) {
    deployment_.Register(deployment_.system, "operator/alice");
  }

  Result<OperatorGrant> Add(const Caller& caller, Role role, const GrantScope& scope,
                            const std::string& name = "alice") {
    return testing::ValueOf(operators_.Add(CallBy(caller, Action::kAddGrant), name, role, scope));
  }
  Result<OperatorGrant> Remove(const Caller& caller, Role role, const GrantScope& scope,
                               const std::string& name = "alice") {
    return testing::ValueOf(
        operators_.Remove(CallBy(caller, Action::kRemoveGrant), name, role, scope));
  }
  Status MayRegisterIn(const Hierarchy& hierarchy) {
    const Caller alice{.id = testing::IdOf(deployment_.system, "operator/alice"),
                       .hierarchy = deployment_.system.id,
                       .serial = std::nullopt};
    return authorization_.Require(alice, Action::kRegisterAgent, hierarchy.id);
  }

  const Caller admin_;
  const Authorization authorization_{ports_.registry};
  const Approvals approvals_{*deployment_.catalogs, authorization_, ports_.hierarchies,
                             ports_.approvals};
  const Operators operators_{*deployment_.catalogs, authorization_, ports_.registry, approvals_};
};

TEST_F(OperatorsTest, GiveARoleOverOneHierarchyThatActsAtOnce) {
  EXPECT_FALSE(MayRegisterIn(deployment_.acme).ok());
  Must(Add(admin_, Role::kRegistrar, {.hierarchy = "acme/prod", .tenant = ""}));
  EXPECT_TRUE(MayRegisterIn(deployment_.acme).ok());
  EXPECT_FALSE(MayRegisterIn(deployment_.globex).ok());
  Must(Remove(admin_, Role::kRegistrar, {.hierarchy = "acme/prod", .tenant = ""}));
  EXPECT_FALSE(MayRegisterIn(deployment_.acme).ok());
}

TEST_F(OperatorsTest, GiveARoleOverATenant) {
  Must(Add(admin_, Role::kRegistrar, {.hierarchy = "", .tenant = "globex"}));
  EXPECT_TRUE(MayRegisterIn(deployment_.globex).ok());
  EXPECT_FALSE(MayRegisterIn(deployment_.acme).ok());
}

TEST_F(OperatorsTest, GiveARoleOverAll) {
  Must(Add(admin_, Role::kRegistrar, {}));
  EXPECT_TRUE(MayRegisterIn(deployment_.globex).ok());
  EXPECT_TRUE(MayRegisterIn(deployment_.acme).ok());
}

TEST_F(OperatorsTest, GiveNoRoleOverMoreThanTheyAreAdminOf) {
  const Caller of_acme = OperatorWith(Role::kAdmin, deployment_.acme.id);
  Must(Add(of_acme, Role::kAuditor, {.hierarchy = "acme/prod", .tenant = ""}));
  const Caller of_tenant = OperatorOver("acme", Role::kAdmin);
  Must(Add(of_tenant, Role::kAuditor, {.hierarchy = "", .tenant = "acme"}));
  for (const Caller& caller : {of_acme, of_tenant}) {
    for (const GrantScope& scope :
         {GrantScope{"globex/prod", ""}, GrantScope{"", "globex"}, GrantScope{"", ""}}) {
      EXPECT_TRUE(IsRefusal(Add(caller, Role::kAuditor, scope).status(),
                            StatusCode::kPermissionDenied, "caller.role"));
      EXPECT_TRUE(IsRefusal(Remove(caller, Role::kAuditor, scope).status(),
                            StatusCode::kPermissionDenied, "caller.role"));
    }
  }
  EXPECT_TRUE(IsRefusal(Add(of_acme, Role::kAuditor, {"", "acme"}).status(),
                        StatusCode::kPermissionDenied, "caller.role"));
}

TEST_F(OperatorsTest, GiveNoRoleAsRegistrars) {
  const Caller registrar = OperatorWith(Role::kRegistrar);
  EXPECT_TRUE(IsRefusal(Add(registrar, Role::kAdmin, {"acme/prod", ""}).status(),
                        StatusCode::kPermissionDenied, "caller.role"));
}

TEST_F(OperatorsTest, RefuseWhomTheyDoNotKnow) {
  EXPECT_EQ(Add(admin_, Role::kAuditor, {}, "ghost").status().code(), StatusCode::kNotFound);
  EXPECT_EQ(Add(admin_, Role::kAuditor, {"acme/none", ""}).status().code(), StatusCode::kNotFound);
  EXPECT_EQ(Add(admin_, Role::kAuditor, {"acme/prod", "acme"}).status().code(),
            StatusCode::kInvalidArgument);
  EXPECT_EQ(Add(admin_, Role::kAuditor, {}, "not a name").status().code(),
            StatusCode::kInvalidArgument);
}

TEST_F(OperatorsTest, LeaveOneWhoMayEverything) {
  const std::string last = admin_.id->ToString();
  EXPECT_TRUE(IsRefusal(Remove(admin_, Role::kAdmin, {}, last).status(),
                        StatusCode::kFailedPrecondition, "grant.last-admin"));
  Must(Add(admin_, Role::kAdmin, {}));
  Must(Remove(admin_, Role::kAdmin, {}, last));
  EXPECT_TRUE(IsRefusal(Add(admin_, Role::kAdmin, {}).status(), StatusCode::kPermissionDenied,
                        "caller.role"));
}

TEST_F(OperatorsTest, AreListedToAuditorsOfWhatTheirRolesAreOver) {
  Must(Add(admin_, Role::kRegistrar, {"acme/prod", ""}));
  Must(Add(admin_, Role::kRegistrar, {"", "globex"}));
  const auto seen_by = [&](const Caller& caller) {
    std::vector<std::string> scopes;
    for (const OperatorGrant& of : Must(operators_.List(CallBy(caller, Action::kListGrants)))) {
      if (of.operator_id.path() != "operator/alice") continue;
      scopes.push_back(ScopeText(of.grant, *deployment_.catalog));
    }
    return scopes;
  };
  EXPECT_EQ(seen_by(OperatorWith(Role::kAuditor)).size(), 2u);
  EXPECT_EQ(seen_by(OperatorWith(Role::kAuditor, deployment_.acme.id)),
            std::vector<std::string>{"acme/prod"});
  EXPECT_EQ(seen_by(OperatorWith(Role::kAuditor, deployment_.globex.id)),
            std::vector<std::string>{"globex/*"});
  EXPECT_TRUE(IsRefusal(
      operators_.List(CallBy(OperatorWith(Role::kRegistrar), Action::kListGrants)).status(),
      StatusCode::kPermissionDenied, "caller.role"));
}

}  // namespace
}  // namespace ca
