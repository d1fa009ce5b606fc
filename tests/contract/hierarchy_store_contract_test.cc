// Hierarchies: created and changed.

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
