// Hierarchies and authorities, each step of which may be interrupted and repeated.

#include <gtest/gtest.h>

#include <set>

#include "tests/contract/hierarchy_store_fixture.h"

namespace contract {
namespace {

using ca::AuthorityId;
using ca::AuthorityKind;
using ca::AuthorityRecord;
using ca::Certificate;
using ca::Hierarchy;
using ca::StatusCode;
using ca::testing::AcmeProd;
using ca::testing::GlobexProd;
using ca::testing::Must;

INSTANTIATE_CONTRACT(HierarchyStoreContract);

// ---- hierarchies --------------------------------------------------------------------------------

TEST_P(HierarchyStoreContract, KeepsAHierarchyAsItWasCreated) {
  Hierarchy wanted = AcmeProd();
  wanted.root_lifetime = std::chrono::hours(24 * 366 * 25);
  wanted.ip_ranges.push_back(Must(ca::IpRange::Parse("2001:db8::/32")));
  wanted.profiles[0].lifetime = std::chrono::minutes(5);
  wanted.profiles[0].key_types = {ca::KeyType::kEd25519, ca::KeyType::kRsa4096};
  wanted.profiles[0].server_auth = false;
  wanted.profiles[1].client_auth = false;

  const Hierarchy created = Must(Create(wanted));

  EXPECT_NE(created.id, ca::HierarchyId{});
  wanted.id = created.id;
  ExpectSame(created, wanted);
  const auto loaded = Must(hierarchies().LoadHierarchies());
  ASSERT_EQ(loaded.size(), 1u);
  ExpectSame(loaded.front(), wanted);
}

// The first is the default (proto/agentpki/v1/hierarchy.proto).
TEST_P(HierarchyStoreContract, KeepsTheOrderOfProfiles) {
  Hierarchy wanted = AcmeProd();
  std::swap(wanted.profiles[0], wanted.profiles[1]);
  ASSERT_EQ(wanted.profiles[0].name, "service");
  wanted.id = Must(Create(wanted)).id;
  ExpectSame(Must(hierarchies().LoadHierarchies()).front(), wanted);
}

TEST_P(HierarchyStoreContract, KeepsAProfileStatusFree) {
  Hierarchy wanted = AcmeProd();
  wanted.profiles[0].status_free = true;
  const Hierarchy created = Must(Create(wanted));
  ASSERT_EQ(created.profiles.size(), 2u);
  ExpectSame(Must(hierarchies().LoadHierarchies()).front(), created);
}

TEST_P(HierarchyStoreContract, KeepsExternalRootsInTheirOrder) {
  Hierarchy wanted = AcmeProd();
  wanted.external_roots = {"second", "first"};
  const Hierarchy created = Must(Create(wanted));
  wanted.id = created.id;
  ExpectSame(Must(hierarchies().LoadHierarchies()).front(), wanted);

  wanted.external_roots.push_back("third");
  Must(hierarchies().ChangeHierarchy(created, wanted, EventIn(created, "ChangeHierarchy")));
  ExpectSame(Must(hierarchies().LoadHierarchies()).front(), wanted);
}

TEST_P(HierarchyStoreContract, KeepsTheTokenThatIsPinned) {
  Hierarchy wanted = AcmeProd();
  wanted.token = "hsm-acme";
  const Hierarchy created = Must(Create(wanted));
  EXPECT_EQ(Must(hierarchies().LoadHierarchies()).front().token, "hsm-acme");

  wanted = created;
  wanted.token = "";
  Must(hierarchies().ChangeHierarchy(created, wanted, EventIn(created, "ChangeHierarchy")));
  EXPECT_EQ(Must(hierarchies().LoadHierarchies()).front().token, "");
}

TEST_P(HierarchyStoreContract, KeepsWhatIsSaidOfStatusAndWhatIsLeftToTheConfiguration) {
  Hierarchy wanted = AcmeProd();
  wanted.status = {.crl_lifetime = std::chrono::minutes(7), .delta_crls = false};
  Hierarchy standing = Must(Create(wanted));
  EXPECT_TRUE(standing.status == wanted.status);
  for (const ca::StatusPolicy& status :
       {ca::StatusPolicy{.ocsp_lifetime = std::chrono::hours(24), .crl_shard_size = 10'000'000},
        ca::StatusPolicy{.delta_crls = true}, ca::StatusPolicy{}}) {
    wanted = standing;
    wanted.status = status;
    Must(hierarchies().ChangeHierarchy(standing, wanted, EventIn(standing, "ChangeHierarchy")));
    standing = Must(hierarchies().LoadHierarchies()).front();
    ExpectSame(standing, wanted);
  }
}

TEST_P(HierarchyStoreContract, LoadsHierarchiesInTheOrderOfTheirCreation) {
  const Hierarchy globex = Must(Create(GlobexProd()));
  const Hierarchy acme = Must(Create(AcmeProd()));
  const auto loaded = Must(hierarchies().LoadHierarchies());
  ASSERT_EQ(loaded.size(), 2u);
  ExpectSame(loaded[0], globex);
  ExpectSame(loaded[1], acme);
}

TEST_P(HierarchyStoreContract, RefusesANameThatIsTaken) {
  Must(Create(AcmeProd()).status());
  Hierarchy other = AcmeProd();
  other.trust_domain = GlobexProd().trust_domain;
  EXPECT_EQ(Create(other).status().code(), StatusCode::kAlreadyExists);
  EXPECT_EQ(Must(hierarchies().LoadHierarchies()).size(), 1u);
}

TEST_P(HierarchyStoreContract, RefusesATrustDomainThatIsTaken) {
  Must(Create(AcmeProd()).status());
  Hierarchy other = GlobexProd();
  other.trust_domain = AcmeProd().trust_domain;
  EXPECT_EQ(Create(other).status().code(), StatusCode::kAlreadyExists);
}

TEST_P(HierarchyStoreContract, RefusesASecondSystemHierarchy) {
  Must(Create(ca::testing::SystemHierarchy()).status());
  Hierarchy other = GlobexProd();
  other.is_system = true;
  EXPECT_EQ(Create(other).status().code(), StatusCode::kAlreadyExists);
}

TEST_P(HierarchyStoreContract, RecordsTheEventOfACreationInTheHierarchyItself) {
  ca::AuditEvent event = ca::testing::EventAt(clock_.Now(), "CreateHierarchy");
  event.subject = "acme/prod";
  const Hierarchy created = Must(hierarchies().CreateHierarchy(AcmeProd(), event));
  event.hierarchy = created.id;
  ExpectSame(world_.Events().back(), event);
}

TEST_P(HierarchyStoreContract, LeavesNoEventOfACreationThatItRefuses) {
  Must(Create(AcmeProd()).status());
  const size_t events = world_.Events().size();
  EXPECT_FALSE(Create(AcmeProd()).ok());
  EXPECT_EQ(world_.Events().size(), events);
}

// ---- plans --------------------------------------------------------------------------------------

TEST_P(HierarchyStoreContract, PlansARootThatIsItsOwnIssuer) {
  const Hierarchy acme = Must(Create(AcmeProd()));
  const AuthorityRecord root = PlanRoot(acme);
  EXPECT_NE(root.id, AuthorityId{});
  EXPECT_EQ(root.hierarchy, acme.id);
  EXPECT_EQ(root.kind, AuthorityKind::kRoot);
  EXPECT_EQ(root.generation, 1);
  EXPECT_EQ(root.issuer, root.id);
  EXPECT_TRUE(root.key_label.starts_with("acme/prod/root/1-")) << root.key_label;
  EXPECT_TRUE(root.certificate.empty());
}

TEST_P(HierarchyStoreContract, LoadsWhatIsPlannedAndNoMore) {
  const Hierarchy acme = Must(Create(AcmeProd()));
  const AuthorityRecord root = PlanRoot(acme);
  const AuthorityRecord issuing = Must(Plan(acme, AuthorityKind::kIssuing, 1, root.id));
  const auto loaded = Must(hierarchies().LoadAuthorities());
  ASSERT_EQ(loaded.size(), 2u) << "oldest first";
  EXPECT_EQ(loaded[0].id, root.id);
  EXPECT_EQ(loaded[1].id, issuing.id);
  EXPECT_EQ(loaded[1].kind, AuthorityKind::kIssuing);
  EXPECT_EQ(loaded[1].issuer, root.id);
  EXPECT_EQ(loaded[1].key_label, issuing.key_label);
  EXPECT_TRUE(loaded[1].certificate.empty());
}

TEST_P(HierarchyStoreContract, LoadsAResponderWithTheAuthorityThatItAnswersFor) {
  const Hierarchy acme = Must(Create(AcmeProd()));
  const AuthorityRecord root = PlanRoot(acme);
  const AuthorityRecord responder = Must(Plan(acme, AuthorityKind::kResponder, 1, root.id));
  const auto loaded = Must(hierarchies().LoadAuthorities());
  ASSERT_EQ(loaded.size(), 2u);
  EXPECT_EQ(loaded[1].id, responder.id);
  EXPECT_EQ(loaded[1].kind, AuthorityKind::kResponder);
  EXPECT_EQ(loaded[1].issuer, root.id);
}

// It has no key of its own: it is the next root's name and key, signed by the one before.
TEST_P(HierarchyStoreContract, GivesALinkTheKeyLabelOfItsRoot) {
  const Hierarchy acme = Must(Create(AcmeProd()));
  const AuthorityRecord first = PlanRoot(acme);
  const AuthorityRecord second = Must(Plan(acme, AuthorityKind::kRoot, 2, AuthorityId{}));
  const AuthorityRecord link = Must(Plan(acme, AuthorityKind::kLink, 2, first.id));
  EXPECT_EQ(link.key_label, second.key_label);
  EXPECT_EQ(Find(link.id).key_label, second.key_label);
  EXPECT_EQ(Find(link.id).kind, AuthorityKind::kLink);
  EXPECT_EQ(Find(link.id).issuer, first.id);
  EXPECT_EQ(Plan(acme, AuthorityKind::kLink, 2, first.id).status().code(), StatusCode::kAborted);
}

TEST_P(HierarchyStoreContract, PlansNoLinkBeforeItsRoot) {
  const Hierarchy acme = Must(Create(AcmeProd()));
  const AuthorityRecord first = PlanRoot(acme);
  EXPECT_FALSE(Plan(acme, AuthorityKind::kLink, 2, first.id).ok());
  EXPECT_EQ(Must(hierarchies().LoadAuthorities()).size(), 1u);
}

TEST_P(HierarchyStoreContract, LetsOnePlanAGenerationAndTellsTheOtherToLoadAgain) {
  const Hierarchy acme = Must(Create(AcmeProd()));
  const AuthorityRecord root = PlanRoot(acme);
  const size_t events = world_.Events().size();
  EXPECT_EQ(Plan(acme, AuthorityKind::kRoot, 1, AuthorityId{}).status().code(),
            StatusCode::kAborted);
  EXPECT_EQ(world_.Events().size(), events);
  EXPECT_TRUE(Plan(acme, AuthorityKind::kRoot, 2, AuthorityId{}).ok());
  EXPECT_TRUE(Plan(acme, AuthorityKind::kIssuing, 1, root.id).ok());
}

TEST_P(HierarchyStoreContract, GivesEveryPlanALabelOfItsOwn) {
  std::set<std::string> labels;
  for (const Hierarchy& wanted : {AcmeProd(), GlobexProd()}) {
    const Hierarchy hierarchy = Must(Create(wanted));
    for (const int generation : {1, 2}) {
      labels.insert(
          Must(Plan(hierarchy, AuthorityKind::kRoot, generation, AuthorityId{})).key_label);
    }
  }
  EXPECT_EQ(labels.size(), 4u);
}

// ---- record, sign, release ----------------------------------------------------------------------

TEST_P(HierarchyStoreContract, GivesBackWhatItRecordsToBeSigned) {
  const Hierarchy acme = Must(Create(AcmeProd()));
  const AuthorityRecord root = PlanRoot(acme);
  const auto key = NewKey(root.key_label);
  auto prepared = PrepareRoot(acme, root, *key);
  const ca::IssuanceRecord expected = prepared.record();
  const auto recorded =
      Must(hierarchies().RecordAuthority(root.id, std::move(prepared), EventIn(acme, "Create")));
  ExpectSame(recorded.record(), expected);
}

TEST_P(HierarchyStoreContract, YieldsTheFirstRecordToASecondAttempt) {
  const Hierarchy acme = Must(Create(AcmeProd()));
  const AuthorityRecord root = PlanRoot(acme);
  const auto key = NewKey(root.key_label);
  const ca::IssuanceRecord first = Record(acme, root, *key).record();
  const size_t events = world_.Events().size();
  clock_.Advance(std::chrono::hours(1));

  ExpectSame(Record(acme, root, *key).record(), first);
  EXPECT_EQ(world_.Events().size(), events) << "it decided nothing new";
}

TEST_P(HierarchyStoreContract, HasNoCertificateOfAnAuthorityThatIsRecordedAndNotSigned) {
  const Hierarchy acme = Must(Create(AcmeProd()));
  const AuthorityRecord root = PlanRoot(acme);
  Record(acme, root, *NewKey(root.key_label));
  EXPECT_TRUE(Find(root.id).certificate.empty());
}

TEST_P(HierarchyStoreContract, LoadsTheCertificateThatWasSigned) {
  const Hierarchy acme = Must(Create(AcmeProd()));
  const AuthorityRecord root = PlanRoot(acme);
  const auto key = NewKey(root.key_label);
  const Certificate certificate = Must(ca::SignRecorded(*key, Record(acme, root, *key)));
  Must(hierarchies().RecordAuthorityCertificate(root.id, certificate, clock_.Now()).status());
  EXPECT_EQ(Find(root.id).certificate, certificate.Der());
}

TEST_P(HierarchyStoreContract, KeepsTheFirstOfTwoSignatures) {
  const Hierarchy acme = Must(Create(AcmeProd()));
  const AuthorityRecord root = PlanRoot(acme);
  const auto key = NewKey(root.key_label);
  const Certificate winner = Must(ca::SignRecorded(*key, Record(acme, root, *key)));
  const Certificate loser = Must(ca::SignRecorded(*key, Record(acme, root, *key)));
  ASSERT_NE(loser.signature, winner.signature);
  for (const Certificate& signed_one : {winner, loser}) {
    EXPECT_EQ(
        Must(hierarchies().RecordAuthorityCertificate(root.id, signed_one, clock_.Now())).Der(),
        winner.Der());
  }
  EXPECT_EQ(Find(root.id).certificate, winner.Der());
}

TEST_P(HierarchyStoreContract, ReleasesNoSignatureOverWhatIsNotRecorded) {
  const Hierarchy acme = Must(Create(AcmeProd()));
  const AuthorityRecord recorded = PlanRoot(acme);
  const auto key = NewKey(recorded.key_label);
  const Certificate certificate = Must(ca::SignRecorded(*key, Record(acme, recorded, *key)));
  const AuthorityRecord planned = Must(Plan(acme, AuthorityKind::kRoot, 2, AuthorityId{}));
  EXPECT_FALSE(
      hierarchies().RecordAuthorityCertificate(planned.id, certificate, clock_.Now()).ok());
  EXPECT_TRUE(Find(planned.id).certificate.empty());
}

// ---- certificates of somebody else's ------------------------------------------------------------

TEST_P(HierarchyStoreContract, AdoptsARootWithItsCertificateAndWithoutAKey) {
  const Hierarchy acme = Must(Create(AcmeProd()));
  const ca::AuditEvent event = EventIn(acme, "AdoptRoot");
  const AuthorityRecord root = Must(hierarchies().AdoptRoot(acme, 1, "a certificate", event));
  ExpectSame(world_.Events().back(), event);
  EXPECT_TRUE(root.IsExternalRoot());
  EXPECT_EQ(root.issuer, root.id);
  EXPECT_EQ(root.key_label, "");
  EXPECT_EQ(root.certificate, "a certificate");
  EXPECT_EQ(root.published_at, event.at);
  EXPECT_EQ(Find(root.id), root);
}

TEST_P(HierarchyStoreContract, LetsOneAdoptAGeneration) {
  const Hierarchy acme = Must(Create(AcmeProd()));
  const Hierarchy globex = Must(Create(GlobexProd()));
  const auto adopt = [&](const Hierarchy& hierarchy, int generation) {
    return hierarchies()
        .AdoptRoot(hierarchy, generation, "a certificate", EventIn(hierarchy, "AdoptRoot"))
        .status();
  };
  Must(adopt(acme, 1));
  const size_t events = world_.Events().size();
  EXPECT_EQ(adopt(acme, 1).code(), StatusCode::kAborted);
  EXPECT_EQ(world_.Events().size(), events);
  Must(adopt(acme, 2));
  Must(adopt(globex, 1));
}

TEST_P(HierarchyStoreContract, ImportsTheFirstCertificateThatIsBrought) {
  const Hierarchy acme = Must(Create(AcmeProd()));
  const AuthorityRecord first =
      Must(hierarchies().AdoptRoot(acme, 1, "root 1", EventIn(acme, "AdoptRoot")));
  const AuthorityRecord second =
      Must(hierarchies().AdoptRoot(acme, 2, "root 2", EventIn(acme, "AdoptRoot")));
  const AuthorityRecord planned = Must(Plan(acme, AuthorityKind::kIssuing, 1, second.id));
  const ca::AuditEvent event = EventIn(acme, "ImportAuthority");
  const ca::ExternalCertificate brought{"a certificate", {"nearest", "next"}, "root 1"};
  Must(hierarchies().ImportCertificate(planned.id, brought, first.id, event));
  ExpectSame(world_.Events().back(), event);
  EXPECT_EQ(hierarchies().ImportCertificate(planned.id, brought, first.id, event).code(),
            StatusCode::kAborted);

  const AuthorityRecord imported = Find(planned.id);
  EXPECT_EQ(imported.certificate, "a certificate");
  EXPECT_EQ(imported.intermediates, (std::vector<ca::Bytes>{"nearest", "next"}));
  EXPECT_EQ(imported.issuer, first.id) << "under which it was signed, not the one planned";
  EXPECT_TRUE(imported.is_imported);
  EXPECT_FALSE(imported.IsExternalRoot());
  EXPECT_EQ(imported.key_label, planned.key_label);
  EXPECT_EQ(imported.published_at, event.at);
}

TEST_P(HierarchyStoreContract, ActivatesWhatIsImportedAndNotWhatIsPlanned) {
  const Hierarchy acme = Must(Create(AcmeProd()));
  const AuthorityRecord root =
      Must(hierarchies().AdoptRoot(acme, 1, "root 1", EventIn(acme, "AdoptRoot")));
  const AuthorityRecord planned = Must(Plan(acme, AuthorityKind::kIssuing, 1, root.id));
  const auto activate = [&] {
    return hierarchies().Activate({acme.id, 1, planned.id, clock_.Now()},
                                  EventIn(acme, "ActivateAuthority"));
  };
  EXPECT_EQ(activate().code(), StatusCode::kAborted);
  Must(hierarchies().ImportCertificate(planned.id, {"a certificate", {}, "root 1"}, root.id,
                                       EventIn(acme, "ImportAuthority")));
  Must(activate());
}

TEST_P(HierarchyStoreContract, RecordsTheEventsOfAPlanAndOfARecord) {
  const Hierarchy acme = Must(Create(AcmeProd()));
  const AuthorityRecord root = PlanRoot(acme);
  ExpectSame(world_.Events().back(), EventIn(acme, "PlanAuthority"));
  Record(acme, root, *NewKey(root.key_label));
  ExpectSame(world_.Events().back(), EventIn(acme, "CreateAuthority"));
}

// ---- changes ------------------------------------------------------------------------------------

class ChangeContract : public HierarchyStoreContract {
 protected:
  ca::Status Change(const Hierarchy& standing, const Hierarchy& wanted) {
    return hierarchies().ChangeHierarchy(standing, wanted, EventIn(standing, "ChangeHierarchy"));
  }
  Hierarchy Standing(const std::string& name) {
    for (const Hierarchy& hierarchy : Must(hierarchies().LoadHierarchies())) {
      if (hierarchy.Name() == name) return hierarchy;
    }
    ADD_FAILURE() << "no such hierarchy";
    return AcmeProd();
  }
};
INSTANTIATE_CONTRACT(ChangeContract);

TEST_P(ChangeContract, IsWhatIsLoadedFromThenOn) {
  const Hierarchy acme = Must(Create(AcmeProd()));
  const Hierarchy globex = Must(Create(GlobexProd()));
  Hierarchy wanted = acme;
  wanted.root_lifetime = std::chrono::hours(24 * 900);
  wanted.issuing_lifetime = std::chrono::hours(24 * 90);
  wanted.rotate_every = std::chrono::hours(24 * 9);
  wanted.publish_ahead = std::chrono::hours(9);
  wanted.profiles = {{.name = "batch", .lifetime = std::chrono::minutes(5), .server_auth = false},
                     wanted.profiles[1],
                     wanted.profiles[0]};
  wanted.profiles[2].key_types = {ca::KeyType::kEd25519};
  wanted.profiles[2].status_free = true;
  wanted.approvals = {.destruction = false, .expire_after = std::chrono::minutes(7)};
  Must(Change(acme, wanted));
  EXPECT_EQ(Standing("acme/prod"), wanted);
  EXPECT_EQ(Standing("globex/prod"), globex);
  ExpectSame(world_.Events().back(), EventIn(acme, "ChangeHierarchy"));
}

TEST_P(ChangeContract, KeepsEnrollmentRulesInTheirOrderAndReplacesThem) {
  const ca::EnrollmentRule full{
      .name = "zeta",
      .effect = ca::EnrollmentRule::Effect::kAdmit,
      .reason = "it's \"known\"",
      .agents = {"billing/**", "a,b"},
      .owners = {"{x}"},
      .roles = {"invoicing"},
      .versions = {"1.*"},
      .profiles = {"agent", "service"},
      .key_types = {ca::KeyType::kP256, ca::KeyType::kEd25519},
      .operations = {ca::Operation::kRenew},
  };
  Hierarchy wanted = AcmeProd();
  wanted.enrollment_rules = {full, {.name = "alpha"}};
  const Hierarchy acme = Must(Create(wanted));
  EXPECT_EQ(Standing("acme/prod"), acme);
  Hierarchy changed = acme;
  changed.enrollment_rules = {{.name = "alpha", .owners = {"nobody"}}, full, {.name = "beta"}};
  Must(Change(acme, changed));
  EXPECT_EQ(Standing("acme/prod"), changed);
}

TEST_P(ChangeContract, LetsOneOfTwoWhoSawTheSame) {
  const Hierarchy acme = Must(Create(AcmeProd()));
  Hierarchy one = acme;
  one.rotate_every = std::chrono::hours(24);
  Hierarchy other = acme;
  other.rotate_every = std::chrono::hours(48);
  Must(Change(acme, one));
  const size_t events = world_.Events().size();
  EXPECT_EQ(Change(acme, other).code(), StatusCode::kAborted);
  EXPECT_EQ(Standing("acme/prod"), one);
  EXPECT_EQ(world_.Events().size(), events);
}

TEST_P(ChangeContract, TakesNoProfileFromItsAgents) {
  const Hierarchy acme = Must(Create(AcmeProd()));
  Must(registry().RegisterAgent(ca::testing::AgentOf(acme, "bot"), EventIn(acme, "Register")));
  Hierarchy wanted = acme;
  wanted.rotate_every = std::chrono::hours(24);
  wanted.profiles.erase(wanted.profiles.begin());
  EXPECT_TRUE(ca::testing::IsRefusal(Change(acme, wanted), StatusCode::kFailedPrecondition,
                                     "profile.in-use"));
  EXPECT_EQ(Standing("acme/prod"), acme) << "it was refused whole";
}

}  // namespace
}  // namespace contract
