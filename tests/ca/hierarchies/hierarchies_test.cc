// Hierarchies as code: a declaration is planned, applied, and applied again.

#include "ca/hierarchies/hierarchies.h"

#include "ca/authorities/rotation.h"
#include "tests/fakes/stepped_ports.h"
#include "tests/fixtures/publishing.h"
#include "tests/fixtures/use_case_test.h"

namespace ca {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using testing::IsRefusal;
using testing::Must;
using testing::Says;

class HierarchiesTest : public testing::StoryTest {
 protected:
  HierarchiesTest() : admin_(OperatorWith(Role::kAdmin)) {}

  static HierarchyDeclaration PullRequest(const std::string& tenant = "acme") {
    Hierarchy hierarchy = testing::AcmeProd();
    hierarchy.tenant = tenant;
    hierarchy.environment = "pr-1234";
    hierarchy.trust_domain = Must(TrustDomain::Parse("pr-1234." + tenant + ".example"));
    return {hierarchy, {}};
  }
  HierarchyDeclaration Acme() { return Must(Get("acme/prod")); }

  Result<HierarchyDeclaration> Get(const std::string& name) {
    return hierarchies_.Get(CallBy(admin_, Action::kGetHierarchy), name);
  }
  Result<HierarchyPlan> Plan(const HierarchyDeclaration& wanted) { return Plan(admin_, wanted); }
  Result<HierarchyPlan> Plan(const Caller& caller, const HierarchyDeclaration& wanted) {
    return hierarchies_.Plan(CallBy(caller, Action::kPlanHierarchy), wanted);
  }
  Result<HierarchyDeclaration> Apply(const HierarchyDeclaration& wanted) {
    return Apply(admin_, wanted);
  }
  Result<HierarchyDeclaration> Apply(const Caller& caller, const HierarchyDeclaration& wanted,
                                     const std::string& plan_digest = "") {
    auto applied =
        TRY(hierarchies_.Apply(CallBy(caller, Action::kApplyHierarchy), wanted, plan_digest));
    return applied.TakeValue().declaration;
  }

  AuditEvent NewEvent() const {
    AuditEvent event = testing::EventAt(clock_.Now(), "ApplyHierarchy");
    event.actor = admin_.Name();
    return event;
  }

  void RegisterOperator(const std::string& name) {
    deployment_.Register(deployment_.system, "operator/" + name);
  }
  std::vector<Grant> GrantsOf(const std::string& name) {
    return Must(ports_.registry.FindGrants(testing::IdOf(deployment_.system, "operator/" + name)));
  }

  const Caller admin_;
  const Authorization authorization_{ports_.registry};
  const Approvals approvals_{*deployment_.catalogs, authorization_, ports_.hierarchies,
                             ports_.approvals};
  RevocationIndex revocation_index_;
  testing::Publishing publishing_{ports_, *deployment_.catalogs, authorization_, revocation_index_,
                                  clock_};
  Hierarchies hierarchies_{*deployment_.catalogs,
                           authorization_,
                           ports_.stores(),
                           ports_.keys,
                           ports_.registry,
                           ports_.ledger,
                           publishing_.provisioning,
                           publishing_.publication,
                           approvals_,
                           clock_};
};

// ---- making -------------------------------------------------------------------------------------

TEST_F(HierarchiesTest, MakesAHierarchyThatIssues) {
  EXPECT_TRUE(Must(Plan(PullRequest())).creates);
  const HierarchyDeclaration made = Must(Apply(PullRequest()));
  EXPECT_EQ(made.hierarchy.Name(), "acme/pr-1234");
  const auto catalog = deployment_.catalogs->Snapshot();
  const auto issuer = Must(catalog->Find(made.hierarchy.id)->ActiveIssuer());
  EXPECT_EQ(NameOf(made.hierarchy, *issuer), "acme/pr-1234/issuing/1");
  EXPECT_EQ(catalog->Find(made.hierarchy.id)->Roots().size(), 1u);
}

TEST_F(HierarchiesTest, MakesThoseWhoAnswerForIt) {
  const HierarchyDeclaration made = Must(Apply(PullRequest()));
  int responders = 0;
  for (const AuthorityRecord& record : Must(ports_.authorities.LoadAuthorities())) {
    if (record.hierarchy != made.hierarchy.id) continue;
    if (record.kind == AuthorityKind::kResponder && !record.certificate.empty()) ++responders;
  }
  EXPECT_EQ(responders, 2) << "one of the root's, one of the issuing authority's";
}

TEST_F(HierarchiesTest, ChangesNothingWhenItIsAppliedAgain) {
  Must(Apply(PullRequest()));
  const size_t authorities = Must(ports_.authorities.LoadAuthorities()).size();
  const HierarchyDeclaration again = Must(Apply(PullRequest()));
  EXPECT_EQ(again, Must(Get("acme/pr-1234")));
  EXPECT_TRUE(Must(Plan(PullRequest())).changes.empty());
  EXPECT_EQ(Must(ports_.authorities.LoadAuthorities()).size(), authorities);
}

TEST_F(HierarchiesTest, GoesOnWhereItWasInterruptedAndLeavesNoOrphanKey) {
  int steps_left = 0;
  const testing::AtStep at_step = [&] {
    return steps_left-- == 0 ? Error(StatusCode::kUnavailable, "interrupted") : Ok();
  };
  testing::SteppedHierarchyPorts store(ports_.stores(), at_step);
  testing::SteppedKeyStore keys(ports_.keys, at_step);
  const Provisioning provisioning(store, keys, testing::Directory(), clock_);
  const AuthorityPublication publication(*deployment_.catalogs, provisioning.delegates,
                                         publishing_.bundles);
  Hierarchies stepped(*deployment_.catalogs, authorization_, store, keys, ports_.registry,
                      ports_.ledger, provisioning, publication, approvals_, clock_);
  bool was_interrupted = true;
  for (int interrupted_at = 0; was_interrupted; ++interrupted_at) {
    ASSERT_LT(interrupted_at, 200) << "it never ends";
    HierarchyDeclaration wanted = PullRequest();
    wanted.hierarchy.environment = fmt::format("pr-{}", interrupted_at);
    wanted.hierarchy.trust_domain =
        Must(TrustDomain::Parse(fmt::format("pr-{}.acme.example", interrupted_at)));
    keys.generated.clear();
    steps_left = interrupted_at;
    was_interrupted = !stepped.Apply(CallBy(admin_, Action::kApplyHierarchy), wanted, "").ok();
    Must(deployment_.catalogs->Reload());

    const HierarchyDeclaration made = Must(Apply(wanted));

    EXPECT_TRUE(deployment_.catalogs->Snapshot()->Find(made.hierarchy.id)->ActiveIssuer().ok());
    std::set<std::string> planned;
    for (const AuthorityRecord& record : Must(ports_.authorities.LoadAuthorities())) {
      if (record.hierarchy == made.hierarchy.id) planned.insert(record.key_label);
    }
    EXPECT_EQ(planned.size(), 4u) << "interrupted at " << interrupted_at;
    for (const std::string& label : keys.generated) {
      EXPECT_TRUE(planned.contains(label)) << label << " is nobody's";
    }
  }
}

TEST_F(HierarchiesTest, RefusesATrustDomainThatAnotherHas) {
  HierarchyDeclaration wanted = PullRequest();
  wanted.hierarchy.trust_domain = deployment_.globex.trust_domain;
  EXPECT_EQ(Plan(wanted).status().code(), StatusCode::kAlreadyExists);
  EXPECT_EQ(Apply(wanted).status().code(), StatusCode::kAlreadyExists);
}

TEST_F(HierarchiesTest, RefusesWhatIsNoHierarchy) {
  HierarchyDeclaration wanted = PullRequest();
  wanted.hierarchy.profiles.clear();
  EXPECT_TRUE(Says(Plan(wanted).status(), StatusCode::kInvalidArgument, "profiles: write 1 to"));
}

// ---- changing -----------------------------------------------------------------------------------

TEST_F(HierarchiesTest, ChangesProfilesAndScheduleInPlace) {
  HierarchyDeclaration wanted = Acme();
  wanted.hierarchy.rotate_every = hours(24 * 30);
  wanted.hierarchy.publish_ahead = hours(12);
  wanted.hierarchy.profiles[0].lifetime = minutes(20);
  wanted.hierarchy.profiles.push_back({.name = "batch", .lifetime = minutes(5)});
  Must(Apply(wanted));
  EXPECT_EQ(Acme(), wanted);

  const Agent agent = deployment_.Register(deployment_.acme, "billing/bot");
  deployment_.acme = Acme().hierarchy;
  deployment_.catalog = deployment_.catalogs->Snapshot();
  const Certificate certificate = deployment_.Issue(agent);
  EXPECT_EQ(certificate.record.validity.not_after - certificate.record.validity.not_before,
            minutes(20) + CertificateProfile::kBackdate);
}

TEST_F(HierarchiesTest, ChangesTheOrderOfProfilesAndTakesAwayWhatNobodyHas) {
  HierarchyDeclaration wanted = Acme();
  std::swap(wanted.hierarchy.profiles[0], wanted.hierarchy.profiles[1]);
  Must(Apply(wanted));
  EXPECT_EQ(Acme().hierarchy.profiles[0].name, "service");
  wanted.hierarchy.profiles.pop_back();
  Must(Apply(wanted));
  EXPECT_EQ(Acme().hierarchy.profiles.size(), 1u);
}

TEST_F(HierarchiesTest, KeepsAProfileThatAgentsHave) {
  deployment_.Register(deployment_.acme, "billing/bot");  // has the first profile
  HierarchyDeclaration wanted = Acme();
  wanted.hierarchy.profiles.erase(wanted.hierarchy.profiles.begin());
  EXPECT_TRUE(IsRefusal(Apply(wanted).status(), StatusCode::kFailedPrecondition, "profile.in-use"));
  EXPECT_EQ(Acme().hierarchy.profiles.size(), 2u);
}

TEST_F(HierarchiesTest, RefusesToChangeWhatIsInEveryCertificate) {
  const auto refuses = [&](auto change, std::string_view field) {
    HierarchyDeclaration wanted = Acme();
    change(wanted.hierarchy);
    const Status status = Plan(wanted).status();
    EXPECT_TRUE(IsRefusal(status, StatusCode::kFailedPrecondition, "hierarchy.fixed")) << field;
    EXPECT_TRUE(MessageOf(status).starts_with(field)) << status;
    EXPECT_EQ(Apply(wanted).status(), status);
  };
  refuses([](Hierarchy& h) { h.trust_domain = Must(TrustDomain::Parse("other.example")); },
          "trust_domain: ");
  refuses([](Hierarchy& h) { h.dns_subtrees.push_back("other.example"); }, "dns_subtrees: ");
  refuses([](Hierarchy& h) { h.ip_ranges.clear(); }, "ip_ranges: ");
}

// external_issuing_test.cc tests the rest of external roots.
TEST_F(HierarchiesTest, KeepsARootOfOurs) {
  HierarchyDeclaration wanted = Acme();
  wanted.hierarchy.external_roots = {
      deployment_.catalog->Find(deployment_.globex.id)->authorities().front()->certificate()};
  EXPECT_TRUE(IsRefusal(Plan(wanted).status(), StatusCode::kFailedPrecondition, "hierarchy.fixed"));
}

TEST_F(HierarchiesTest, LeavesTheSystemHierarchyToTheConfiguration) {
  HierarchyDeclaration wanted = Must(Get("agentpki/system"));
  wanted.hierarchy.profiles[0].lifetime = hours(1);
  EXPECT_TRUE(
      IsRefusal(Plan(wanted).status(), StatusCode::kFailedPrecondition, "hierarchy.system"));
}

TEST_F(HierarchiesTest, LetsOneOfTwoWhoPlannedOnTheSame) {
  HierarchyDeclaration one = Acme();
  one.hierarchy.profiles[0].lifetime = minutes(20);
  HierarchyDeclaration other = Acme();
  other.hierarchy.profiles[0].lifetime = minutes(40);
  const std::string planned = Hex(Must(Plan(other)).digest);
  Must(Apply(one));
  EXPECT_TRUE(IsRefusal(Apply(admin_, other, planned).status(), StatusCode::kAborted,
                        "hierarchy.plan-stale"));
  EXPECT_EQ(Acme(), one);
  Must(Apply(admin_, other, Hex(Must(Plan(other)).digest)));
  EXPECT_EQ(Acme(), other);
}

TEST_F(HierarchiesTest, ShortensTheTimeOfAnAuthorityThatIsLongerThanItsOwnLife) {
  HierarchyDeclaration wanted = Acme();
  wanted.hierarchy.issuing_lifetime = hours(24 * 3000);
  wanted.hierarchy.rotate_every = hours(24 * 2000);
  Must(Apply(wanted));
  const auto catalog = deployment_.catalogs->Snapshot();
  const Hierarchy acme = Must(catalog->FindByName("acme/prod"))->hierarchy();
  for (const AuthorityView& view : catalog->Find(acme.id)->ViewsAt(clock_.Now())) {
    if (view.state != AuthorityState::kActive || view.record.kind == AuthorityKind::kRoot) continue;
    EXPECT_EQ(*view.active_until, view.validity->not_after - acme.LongestLifetime());
  }
}

// ---- where its keys are -------------------------------------------------------------------------

TEST_F(HierarchiesTest, MakesKeysOnTheTokenThatIsPinned) {
  HierarchyDeclaration wanted = PullRequest();
  wanted.hierarchy.token = "memory";
  EXPECT_EQ(Must(Apply(wanted)).hierarchy.token, "memory");
}

TEST_F(HierarchiesTest, MakesNoKeyOnAnotherToken) {
  HierarchyDeclaration wanted = PullRequest();
  wanted.hierarchy.token = "hsm-acme";
  const auto labels = Must(ports_.keys.Labels());
  const Status refused = Plan(wanted).status();
  EXPECT_TRUE(IsRefusal(refused, StatusCode::kFailedPrecondition, "hierarchy.token"));
  EXPECT_NE(refused.message().find("'hsm-acme'"), absl::string_view::npos) << refused;
  EXPECT_NE(refused.message().find("'memory'"), absl::string_view::npos) << refused;
  EXPECT_EQ(Apply(wanted).status(), refused);
  EXPECT_EQ(Must(ports_.keys.Labels()), labels);
}

TEST_F(HierarchiesTest, PinsATokenLaterAsLongAsItIsTrue) {
  HierarchyDeclaration wanted = Acme();
  wanted.hierarchy.token = "other";
  EXPECT_TRUE(IsRefusal(Plan(wanted).status(), StatusCode::kFailedPrecondition, "hierarchy.token"));
  for (const char* token : {"memory", ""}) {
    wanted.hierarchy.token = token;
    Must(Apply(wanted));
    EXPECT_EQ(Acme(), wanted);
  }
}

// ---- operators ----------------------------------------------------------------------------------

TEST_F(HierarchiesTest, GivesAndTakesRoles) {
  RegisterOperator("alice");
  RegisterOperator("bob");
  HierarchyDeclaration wanted = Acme();
  const auto before = wanted.operators;
  wanted.operators.push_back({"alice", {Role::kRegistrar, Role::kAuditor}});
  wanted.operators.push_back({"bob", {Role::kRevoker}});
  Must(Apply(wanted));
  EXPECT_EQ(Acme(), wanted);
  EXPECT_EQ(GrantsOf("alice").size(), 2u);
  EXPECT_EQ(GrantsOf("bob"), std::vector<Grant>({{Role::kRevoker, deployment_.acme.id, ""}}));

  wanted.operators = before;
  wanted.operators.push_back({"bob", {Role::kAuditor}});
  Must(Apply(wanted));
  EXPECT_TRUE(GrantsOf("alice").empty());
  EXPECT_EQ(GrantsOf("bob"), std::vector<Grant>({{Role::kAuditor, deployment_.acme.id, ""}}));
}

TEST_F(HierarchiesTest, LeavesRolesOverMoreThanTheHierarchyAlone) {
  EXPECT_TRUE(Acme().operators.empty()) << "the admin's role is over all";
  Must(Apply(Acme()));
  EXPECT_TRUE(Get("acme/prod").ok());
}

TEST_F(HierarchiesTest, RefusesAnOperatorWhoIsNotRegistered) {
  HierarchyDeclaration wanted = Acme();
  wanted.operators.push_back({"ghost", {Role::kAuditor}});
  EXPECT_TRUE(Says(Plan(wanted).status(), StatusCode::kNotFound,
                   "operators: ghost is not registered; run: agentpki agent register spiffe://"));
}

// ---- who may ------------------------------------------------------------------------------------

TEST_F(HierarchiesTest, TakesAnAdminOfTheTenantToMakeOne) {
  const Caller of_one = OperatorWith(Role::kAdmin, deployment_.acme.id);
  EXPECT_TRUE(IsRefusal(Apply(of_one, PullRequest()).status(), StatusCode::kPermissionDenied,
                        "caller.role"));
  const Caller of_tenant = OperatorOver("acme", Role::kAdmin);
  EXPECT_TRUE(IsRefusal(Apply(of_tenant, PullRequest("globex")).status(),
                        StatusCode::kPermissionDenied, "caller.role"));
  Must(Apply(of_tenant, PullRequest()));
  HierarchyDeclaration changed = PullRequest();
  changed.hierarchy.profiles[0].lifetime = minutes(7);
  Must(Apply(of_tenant, changed));
}

TEST_F(HierarchiesTest, TakesAnAdminOfTheHierarchyToChangeItAndAnyRoleToPlan) {
  HierarchyDeclaration wanted = Acme();
  wanted.hierarchy.profiles[0].lifetime = minutes(7);
  for (const Role role : {Role::kRegistrar, Role::kRevoker, Role::kAuditor}) {
    const Caller caller = OperatorWith(role, deployment_.acme.id);
    EXPECT_TRUE(Plan(caller, Acme()).ok());
    EXPECT_TRUE(
        IsRefusal(Apply(caller, Acme()).status(), StatusCode::kPermissionDenied, "caller.role"));
  }
  const Caller stranger = OperatorWith(Role::kAdmin, deployment_.globex.id);
  EXPECT_TRUE(
      IsRefusal(Plan(stranger, Acme()).status(), StatusCode::kPermissionDenied, "caller.role"));
}

TEST_F(HierarchiesTest, ListsThoseOverWhichTheCallerHasARole) {
  EXPECT_EQ(Must(hierarchies_.List(CallBy(admin_, Action::kListHierarchies))).size(), 3u);
  const auto seen = Must(hierarchies_.List(
      CallBy(OperatorWith(Role::kAuditor, deployment_.globex.id), Action::kListHierarchies)));
  ASSERT_EQ(seen.size(), 1u);
  EXPECT_EQ(seen[0].hierarchy.Name(), "globex/prod");
}

TEST_F(HierarchiesTest, TellsTheAuditorWhatWasChanged) {
  HierarchyDeclaration wanted = Acme();
  wanted.hierarchy.profiles[0].lifetime = minutes(7);
  Must(Apply(wanted));
  const auto events = ports_.events.All();
  const auto found = std::find_if(events.begin(), events.end(), [](const AuditEvent& event) {
    return event.action == "ChangeHierarchy";
  });
  ASSERT_NE(found, events.end());
  EXPECT_EQ(found->actor, admin_.Name());
  EXPECT_EQ(found->subject, "acme/prod");
  EXPECT_EQ(found->reason, "profiles.agent.lifetime: 1h -> 7m");
  EXPECT_EQ(found->hierarchy, deployment_.acme.id);
}

}  // namespace
}  // namespace ca
