// Making hierarchies: every step may be interrupted and repeated, and several may do it at once.

#include "ca/authorities/provisioning.h"

#include <gtest/gtest.h>

#include <set>

#include "tests/fakes/deployment.h"
#include "tests/fakes/must.h"
#include "tests/fakes/refusal.h"
#include "tests/fakes/stepped_ports.h"

namespace ca {
namespace {

using testing::AcmeProd;
using testing::AtStep;
using testing::FakeClock;
using testing::GlobexProd;
using testing::IsRefusal;
using testing::MemoryPorts;
using testing::Must;
using testing::Says;
using testing::SteppedHierarchyPorts;
using testing::SteppedKeyStore;

// A provisioning of acme/prod to which something happens at one of its steps.
class ProvisioningTest : public ::testing::Test {
 protected:
  struct World {
    explicit World(const Clock& clock, AtStep at_step)
        : ports(clock),
          stores(ports.stores(), at_step),
          keys(ports.keys, at_step),
          provisioning(stores, keys, testing::Directory(), clock) {}

    MemoryPorts ports;
    SteppedHierarchyPorts stores;
    SteppedKeyStore keys;
    Provisioning provisioning;

    Result<AuthorityRecord> EnsureSuccessor(const Hierarchy& hierarchy) {
      HierarchyRecords records = testing::RecordsOf(ports.stores(), hierarchy);
      records.hierarchy = hierarchy;
      return provisioning.hierarchies.EnsureSuccessor(records, "init");
    }
  };

  // How many steps an undisturbed provisioning has.
  int CountSteps() {
    int steps = 0;
    World world(clock_, [&] {
      ++steps;
      return Ok();
    });
    Must(world.provisioning.hierarchies.EnsureHierarchy(AcmeProd(), "init").status());
    return steps;
  }

  // One hierarchy, one root, one issuing authority, each with its key and no key besides.
  static void ExpectWhole(World& world) {
    const auto catalog = Must(Catalog::Load(world.ports.stores(), world.ports.keys));
    ASSERT_EQ(catalog->hierarchies().size(), 1u);
    const auto authorities = catalog->hierarchies()[0]->authorities();
    ASSERT_EQ(authorities.size(), 2u);
    EXPECT_EQ(authorities[0]->kind(), AuthorityKind::kRoot);
    EXPECT_EQ(authorities[1]->kind(), AuthorityKind::kIssuing);
    EXPECT_EQ(authorities[1]->issuer(), authorities[0]->id());
    EXPECT_EQ(X509_verify(authorities[1]->x509(), X509_get0_pubkey(authorities[0]->x509())), 1);
    EXPECT_EQ(Must(world.ports.authorities.LoadAuthorities()).size(), 2u) << "no plan is left over";
    ASSERT_EQ(Must(world.ports.activations.LoadActivations()).size(), 1u);
    EXPECT_EQ(Must(catalog->hierarchies()[0]->ActiveIssuer()), authorities[1]);
    EXPECT_EQ(world.keys.generated,
              (std::set{authorities[0]->key_label(), authorities[1]->key_label()}));
  }

  FakeClock clock_;
};

// ---- successors ---------------------------------------------------------------------------------

TEST_F(ProvisioningTest, MakesOneSuccessorAndDoesNotActivateIt) {
  World world(clock_, Ok);
  const Hierarchy acme = Must(world.provisioning.hierarchies.EnsureHierarchy(AcmeProd(), "init"));
  const auto before = Must(Catalog::Load(world.ports.stores(), world.ports.keys));
  const auto active = Must(before->Find(acme.id)->ActiveIssuer());

  const AuthorityRecord successor = Must(world.EnsureSuccessor(acme));
  EXPECT_EQ(Must(world.EnsureSuccessor(acme)).id, successor.id);

  EXPECT_EQ(successor.generation, 2);
  const auto after = Must(Catalog::Load(world.ports.stores(), world.ports.keys));
  EXPECT_EQ(Must(after->Find(acme.id)->ActiveIssuer())->id(), active->id());
  const auto next = Must(after->FindAuthority(successor.id));
  EXPECT_EQ(next->issuer(), active->issuer());
  EXPECT_NE(next->key_identifier(), active->key_identifier());
}

TEST_F(ProvisioningTest, MakesASuccessorAfterAnInterruptionAtEveryStep) {
  int steps_left = 0;
  const auto at_step = [&] {
    return steps_left-- == 0 ? Error(StatusCode::kUnavailable, "interrupted") : Ok();
  };
  for (int interrupted_at = 0;; ++interrupted_at) {
    steps_left = std::numeric_limits<int>::max();
    World world(clock_, at_step);
    const Hierarchy acme = Must(world.provisioning.hierarchies.EnsureHierarchy(AcmeProd(), "init"));
    steps_left = interrupted_at;
    const bool is_whole = world.EnsureSuccessor(acme).ok();
    steps_left = std::numeric_limits<int>::max();
    Must(world.EnsureSuccessor(acme).status());
    EXPECT_EQ(Must(world.ports.authorities.LoadAuthorities()).size(), 3u) << interrupted_at;
    EXPECT_EQ(world.keys.generated.size(), 3u) << "an orphan key at step " << interrupted_at;
    if (is_whole) break;
  }
}

// ---- hierarchies --------------------------------------------------------------------------------

TEST_F(ProvisioningTest, MakesAHierarchyWithItsAuthorities) {
  World world(clock_, Ok);
  const Hierarchy made = Must(world.provisioning.hierarchies.EnsureHierarchy(AcmeProd(), "init"));
  EXPECT_EQ(made.Name(), "acme/prod");
  EXPECT_NE(made.id, HierarchyId{});
  ExpectWhole(world);
}

TEST_F(ProvisioningTest, KeepsWhatStands) {
  World world(clock_, Ok);
  const Hierarchy first = Must(world.provisioning.hierarchies.EnsureHierarchy(AcmeProd(), "init"));
  const auto before = Must(world.ports.authorities.LoadAuthorities());
  const size_t events = world.ports.events.All().size();
  clock_.Advance(std::chrono::hours(1));

  EXPECT_EQ(Must(world.provisioning.hierarchies.EnsureHierarchy(AcmeProd(), "init")).id, first.id);

  const auto after = Must(world.ports.authorities.LoadAuthorities());
  ASSERT_EQ(after.size(), before.size());
  for (size_t i = 0; i < after.size(); ++i) EXPECT_EQ(after[i].certificate, before[i].certificate);
  EXPECT_EQ(world.ports.events.All().size(), events);
  ExpectWhole(world);
}

TEST_F(ProvisioningTest, LeavesAnEventForEachChange) {
  World world(clock_, Ok);
  Must(world.provisioning.hierarchies.EnsureHierarchy(AcmeProd(), "init").status());
  std::vector<std::string> actions;
  for (const AuditEvent& event : world.ports.events.All()) {
    actions.push_back(event.action);
    EXPECT_EQ(event.actor, "init");
    EXPECT_EQ(event.from, "local");
    EXPECT_EQ(event.at, clock_.Now());
  }
  EXPECT_EQ(actions,
            (std::vector<std::string>{"CreateHierarchy", "PlanAuthority", "CreateAuthority",
                                      "PlanAuthority", "CreateAuthority", "ActivateAuthority"}));
}

TEST_F(ProvisioningTest, IsRepeatableAfterAnInterruptionAtEveryStep) {
  const int steps = CountSteps();
  ASSERT_GT(steps, 20);
  for (int interrupted_at = 1; interrupted_at <= steps; ++interrupted_at) {
    SCOPED_TRACE(interrupted_at);
    int step = 0;
    World world(clock_, [&] {
      return ++step == interrupted_at ? Error(StatusCode::kUnavailable, "interrupted") : Ok();
    });
    EXPECT_EQ(world.provisioning.hierarchies.EnsureHierarchy(AcmeProd(), "init").status().code(),
              StatusCode::kUnavailable);
    clock_.Advance(std::chrono::seconds(10));
    EXPECT_TRUE(world.provisioning.hierarchies.EnsureHierarchy(AcmeProd(), "init").ok());
    ExpectWhole(world);
  }
}

TEST_F(ProvisioningTest, MayBeDoneBySeveralAtOnce) {
  const int steps = CountSteps();
  for (int overtaken_at = 1; overtaken_at <= steps; ++overtaken_at) {
    SCOPED_TRACE(overtaken_at);
    int step = 0;
    std::function<Status()> overtake;
    World world(clock_, [&] { return ++step == overtaken_at ? overtake() : Ok(); });
    overtake = [&]() -> Status {  // another process does all of it in this instant
      return Provisioning(world.stores, world.keys, testing::Directory(), clock_)
          .hierarchies.EnsureHierarchy(AcmeProd(), "other")
          .status();
    };
    const auto made = world.provisioning.hierarchies.EnsureHierarchy(AcmeProd(), "init");
    EXPECT_TRUE(made.ok()) << made.status();
    ExpectWhole(world);
  }
}

// As `init` does at each start of tools/dev, also when the first authorities are long gone.
TEST_F(ProvisioningTest, GeneratesNoKeyInThePlaceOfOneThatIsGone) {
  World world(clock_, Ok);
  Must(world.provisioning.hierarchies.EnsureHierarchy(AcmeProd(), "init"));
  for (const std::string& label : Must(world.ports.keys.Labels())) {
    Must(world.ports.keys.Destroy(label));
  }
  Must(world.provisioning.hierarchies.EnsureHierarchy(AcmeProd(), "init"));
  EXPECT_TRUE(Must(world.ports.keys.Labels()).empty());
}

TEST_F(ProvisioningTest, DoesNotChangeAHierarchyAndNamesTheFieldThatDiffers) {
  World world(clock_, Ok);
  Must(world.provisioning.hierarchies.EnsureHierarchy(AcmeProd(), "init").status());
  const std::pair<const char*, std::function<void(Hierarchy&)>> changes[] = {
      {"trust_domain",
       [](Hierarchy& h) { h.trust_domain = Must(TrustDomain::Parse("other.acme.example")); }},
      {"is_system", [](Hierarchy& h) { h.is_system = true; }},
      {"token", [](Hierarchy& h) { h.token = "memory"; }},
      {"root.lifetime", [](Hierarchy& h) { h.root_lifetime += std::chrono::hours(1); }},
      {"issuing.lifetime", [](Hierarchy& h) { h.issuing_lifetime += std::chrono::hours(1); }},
      {"dns_subtrees", [](Hierarchy& h) { h.dns_subtrees.push_back("x.example"); }},
      {"ip_ranges", [](Hierarchy& h) { h.ip_ranges.clear(); }},
      {"profiles", [](Hierarchy& h) { h.profiles.pop_back(); }},
      {"profiles.agent.lifetime",
       [](Hierarchy& h) { h.profiles[0].lifetime += std::chrono::minutes(1); }},
      {"profiles.agent.key_types",
       [](Hierarchy& h) { h.profiles[0].key_types = {KeyType::kP256}; }},
      {"profiles.agent.usages", [](Hierarchy& h) { h.profiles[0].client_auth = false; }},
      {"profiles.agent.usages", [](Hierarchy& h) { h.profiles[0].server_auth = false; }},
      {"profiles.agent.host_names", [](Hierarchy& h) { h.profiles[0].host_names = true; }},
      {"profiles.other.name", [](Hierarchy& h) { h.profiles[0].name = "other"; }},
      {"profiles", [](Hierarchy& h) { std::swap(h.profiles[0], h.profiles[1]); }},
      {"status.delta_crls", [](Hierarchy& h) { h.status.delta_crls = false; }},
      {"approvals.destruction", [](Hierarchy& h) { h.approvals.destruction = true; }},
  };
  for (const auto& [field, change] : changes) {
    Hierarchy wanted = AcmeProd();
    change(wanted);
    EXPECT_TRUE(Says(world.provisioning.hierarchies.EnsureHierarchy(wanted, "init").status(),
                     StatusCode::kFailedPrecondition,
                     fmt::format("acme/prod exists with another {};", field)));
  }
}

TEST_F(ProvisioningTest, MakesNothingThatIsNotValid) {
  World world(clock_, Ok);
  Hierarchy wanted = AcmeProd();
  wanted.profiles.clear();
  EXPECT_EQ(world.provisioning.hierarchies.EnsureHierarchy(wanted, "init").status().code(),
            StatusCode::kInvalidArgument);
  EXPECT_TRUE(Must(world.ports.hierarchies.LoadHierarchies()).empty());
}

// Also what is made on schedule, after the configuration was changed.
TEST_F(ProvisioningTest, MakesNoKeyOnAnotherTokenThanIsPinned) {
  World world(clock_, Ok);
  Hierarchy acme = Must(world.provisioning.hierarchies.EnsureHierarchy(AcmeProd(), "init"));
  acme.token = "hsm-acme";
  EXPECT_TRUE(IsRefusal(world.EnsureSuccessor(acme).status(), StatusCode::kFailedPrecondition,
                        "hierarchy.token"));
  Hierarchy other = GlobexProd();
  other.token = "hsm-globex";
  EXPECT_TRUE(IsRefusal(world.provisioning.hierarchies.EnsureHierarchy(other, "init").status(),
                        StatusCode::kFailedPrecondition, "hierarchy.token"));
}

TEST_F(ProvisioningTest, SaysThatTheTokenIsAway) {
  World world(clock_, Ok);
  world.ports.keys.Fail(testing::MemoryKeyStore::Fault::kUnavailable);
  EXPECT_EQ(world.provisioning.hierarchies.EnsureHierarchy(AcmeProd(), "init").status().code(),
            StatusCode::kUnavailable);
  world.ports.keys.Fail(testing::MemoryKeyStore::Fault::kNone);
  EXPECT_TRUE(world.provisioning.hierarchies.EnsureHierarchy(AcmeProd(), "init").ok());
  ExpectWhole(world);
}

TEST_F(ProvisioningTest, ReleasesNoAuthorityWhoseSignatureDoesNotVerify) {
  World world(clock_, Ok);
  world.ports.keys.Fail(testing::MemoryKeyStore::Fault::kWrongSignature);
  EXPECT_EQ(world.provisioning.hierarchies.EnsureHierarchy(AcmeProd(), "init").status().code(),
            StatusCode::kInternal);
  for (const AuthorityRecord& record : Must(world.ports.authorities.LoadAuthorities())) {
    EXPECT_TRUE(record.certificate.empty());
  }
}

}  // namespace
}  // namespace ca
