// The changes that take two operators, and what exactly their approvals are for.

#include "ca/access/operators.h"
#include "ca/certificates/revocations.h"
#include "ca/hierarchies/hierarchies.h"
#include "tests/ca/access/approvals_use_case_test.h"
#include "tests/fixtures/publishing.h"

namespace ca {
namespace {

using std::chrono::hours;
using testing::Must;

class ApprovalsOfChangesTest : public testing::ApprovalsStoryTest {
 protected:
  Status PrepareRoot() {
    const Status status =
        rotation_.PrepareRoot(CallBy(alice_, Action::kPrepareAuthority), "acme/prod").status();
    return status;
  }

  Status Apply(const HierarchyDeclaration& wanted) {
    return hierarchies_.Apply(CallBy(alice_, Action::kApplyHierarchy), wanted, /*plan_digest=*/"")
        .status();
  }
  HierarchyDeclaration Declared() {
    return Must(hierarchies_.Get(CallBy(alice_, Action::kGetHierarchy), "acme/prod"));
  }

  Status Revoke(const RevocationRequest& request) {
    return revocations_.Revoke(CallBy(alice_, Action::kRevoke), request).status();
  }
  static RevocationRequest AllOfIssuer(RevocationReason reason = RevocationReason::kCaCompromise) {
    return {.target = AuthorityName{"acme/prod/issuing/1"},
            .reason = reason,
            .invalidity_date = std::nullopt};
  }

  Status Grant(const std::string& name, Role role, const GrantScope& scope) {
    return operators_.Add(CallBy(alice_, Action::kAddGrant), name, role, scope).status();
  }

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
  const Revocations revocations_{*deployment_.catalogs, authorization_,     ports_.registry,
                                 ports_.ledger,         ports_.revocations, approvals_};
  const Operators operators_{*deployment_.catalogs, authorization_, ports_.registry, approvals_};
};

// ---- roots --------------------------------------------------------------------------------------

TEST_F(ApprovalsOfChangesTest, AreTakenForANewRoot) {
  EXPECT_TRUE(IsPending(PrepareRoot()));
  EXPECT_EQ(List().front().changes.front(), "make the root acme/prod/root/2, for 3650d");
  EXPECT_EQ(deployment_.catalogs->Snapshot()->Find(deployment_.acme.id)->Roots().size(), 1u);
  Must(ApprovePending());
  Must(PrepareRoot());
  EXPECT_EQ(LastEvent().rule, "approval.approved");
  EXPECT_EQ(Uses(), 1u);
  EXPECT_TRUE(PrepareRoot().ok()) << "it is there already, and asks nobody";
  EXPECT_TRUE(List().empty());
}

TEST_F(ApprovalsOfChangesTest, AreNotTakenAgainForARootThatIsHalfMade) {
  EXPECT_TRUE(IsPending(PrepareRoot()));
  Must(ApprovePending());
  ports_.keys.Fail(testing::MemoryKeyStore::Fault::kUnavailable);
  EXPECT_EQ(PrepareRoot().code(), StatusCode::kUnavailable);
  ports_.keys.Fail(testing::MemoryKeyStore::Fault::kNone);
  Must(PrepareRoot());
}

TEST_F(ApprovalsOfChangesTest, AreForTheRootAsItWasToBe) {
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

TEST_F(ApprovalsOfChangesTest, AreTakenForWhatWidensAFile) {
  HierarchyDeclaration wanted = Declared();
  wanted.hierarchy.profiles[0].host_names = true;
  EXPECT_TRUE(IsPending(Apply(wanted)));
  EXPECT_FALSE(Acme().profiles[0].host_names);
  EXPECT_EQ(List().front().changes,
            std::vector<std::string>{"widens profiles.agent.host_names: false -> true"});
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

TEST_F(ApprovalsOfChangesTest, AreNotTakenForWhatIsNarrowerOrNew) {
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

TEST_F(ApprovalsOfChangesTest, AreTakenForEndingThem) {
  Demand({.policy_widening = false});
  HierarchyDeclaration wanted = Declared();
  wanted.hierarchy.profiles[0].host_names = true;
  EXPECT_TRUE(Apply(wanted).ok()) << "that takes one here";
  wanted.hierarchy.approvals.destruction = false;
  EXPECT_TRUE(IsPending(Apply(wanted)));
}

TEST_F(ApprovalsOfChangesTest, AreUsedOnceByAFileThatChangesMore) {
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

TEST_F(ApprovalsOfChangesTest, AreTakenWhereAnotherReplicaHasJustSwitchedThemOn) {
  Demand(ApprovalPolicy::Off());
  HierarchyDeclaration wanted = Declared();
  wanted.operators.push_back({"dave", {Role::kAdmin}});
  deployment_.Register(deployment_.system, "operator/dave");
  const Hierarchy standing = Acme();
  Hierarchy stricter = standing;
  stricter.approvals = {};
  Must(ports_.hierarchies.ChangeHierarchy(standing, stricter, NewEvent("ChangeHierarchy")));
  EXPECT_TRUE(IsPending(Apply(wanted)));
  EXPECT_TRUE(IsPending(PrepareRoot()));
}

TEST_F(ApprovalsOfChangesTest, AreTakenForARoleOverTheHierarchy) {
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

TEST_F(ApprovalsOfChangesTest, AreTakenForAllThatAnAuthorityHasIssued) {
  deployment_.Issue(deployment_.Register(deployment_.acme, "billing/bot"));
  EXPECT_EQ(Must(revocations_.Preview(CallBy(alice_, Action::kPreviewRevocation), AllOfIssuer()))
                .revoked_count,
            1);
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

TEST_F(ApprovalsOfChangesTest, AreTakenForTheRevocationOfAnAuthority) {
  const auto revoke = [&](RevocationReason reason, const std::string& note = "stolen") {
    return rotation_
        .Revoke(CallBy(alice_, Action::kRevokeAuthority), "acme/prod/issuing/1", reason, note)
        .status();
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
  Must(revoke(RevocationReason::kCaCompromise));  // it is done already, and needs no approval
}

TEST_F(ApprovalsOfChangesTest, AreTakenForALinkBetweenRoots) {
  Demand({.root_rotation = false});
  Must(PrepareRoot());
  const auto links =
      deployment_.catalogs->Snapshot()->Find(deployment_.acme.id)->cross_certificates();
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

// A revocation makes the successor of the authority first, whose key needs the token.
TEST_F(ApprovalsOfChangesTest, AreNotUsedByWhatFails) {
  const auto revoke = [&] {
    return rotation_
        .Revoke(CallBy(alice_, Action::kRevokeAuthority), "acme/prod/issuing/1",
                RevocationReason::kCaCompromise, "stolen")
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

TEST_F(ApprovalsOfChangesTest, AreNotTakenForAnAgentsCertificates) {
  const Agent agent = deployment_.Register(deployment_.acme, "billing/bot");
  const Certificate certificate = deployment_.Issue(agent);
  deployment_.Issue(agent);
  Must(Revoke({.target = certificate.record.serial, .invalidity_date = std::nullopt}));
  Must(Revoke({.target = agent.id, .invalidity_date = std::nullopt}));
  EXPECT_TRUE(List(Approvals::Which::kAll).empty());
}

}  // namespace
}  // namespace ca
