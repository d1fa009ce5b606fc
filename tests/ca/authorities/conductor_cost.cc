// The CPU time of a conductor, per second of its work, over hierarchies in memory. Not part of
// ctest. Build and run it with:
//
//   ninja -C build/release conductor_cost && build/release/bin/conductor_cost 10 100 1000
//
// Each argument is a number of hierarchies; each has a root, an issuing authority, their OCSP
// responders and a trust bundle. The program does what server::Conductor and server::StatusFeed do
// in a minute in which nothing changes: the schedules, trust bundles and CRLs each second, spent
// keys and the catalog every five seconds, and OCSP responders once. It measures two minutes: one
// far from every schedule ("at rest"), and one in which each hierarchy has published a successor
// that waits for its turn ("waiting"). The stores are in memory, so their own time, which stands
// for PostgreSQL's, is told apart.

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <ctime>

#include "ca/authorities/key_retirement.h"
#include "ca/authorities/rotation.h"
#include "ca/catalog/responders.h"
#include "crl/publisher.h"
#include "tests/fakes/must.h"
#include "tests/fixtures/publishing.h"

namespace ca::testing {
namespace {

constexpr int kSeconds = 60;
constexpr int kReloadEvery = 5;
constexpr char kActor[] = "conductor";

double CpuMilliseconds() { return 1000.0 * static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

Hierarchy Numbered(int number) {
  Hierarchy hierarchy = AcmeProd();
  hierarchy.environment = fmt::format("e{}", number);
  hierarchy.trust_domain = Must(TrustDomain::Parse(fmt::format("e{}.acme.example", number)));
  hierarchy.dns_subtrees.clear();
  return hierarchy;
}

// A deployment that is at rest: everything is made, published, and far from its schedule.
class World {
 public:
  explicit World(int hierarchies) {
    Must(publishing_.provisioning.hierarchies.EnsureHierarchy(SystemHierarchy(), kActor));
    for (int i = 1; i < hierarchies; ++i) {
      Must(publishing_.provisioning.hierarchies.EnsureHierarchy(Numbered(i), kActor));
    }
    Must(catalogs_->Reload());
    Conduct(0);
    Must(catalogs_->Reload());
  }

  // One second of a conductor's work, and of the status feed beside it.
  void Conduct(int second) {
    auto catalog = catalogs_->Snapshot();
    crl::Publisher::Authorities authorities;
    for (const HierarchySnapshotPtr& hierarchy : catalog->hierarchies()) {
      Must(rotation_.Advance(*hierarchy));
      Must(publishing_.bundles.Publish(*hierarchy, kActor));
    }
    catalog = catalogs_->Snapshot();
    for (const HierarchySnapshotPtr& hierarchy : catalog->hierarchies()) {
      if (second == 0) {
        Must(publishing_.publication
                 .EnsureResponders(hierarchy, AuthoritiesToAnswerFor(*hierarchy, clock_.Now()),
                                   kActor)
                 .status());
      }
      const auto& of = hierarchy->authorities();
      authorities.insert(authorities.end(), of.begin(), of.end());
    }
    Must(Status(publisher_.PublishDue(authorities).error));
    if (second % kReloadEvery == 0) {
      for (const HierarchySnapshotPtr& hierarchy : catalog->hierarchies()) {
        Must(retirement_.Advance(*hierarchy));
      }
      Must(catalogs_->Reload());
      RespondersAt(*catalogs_->Snapshot(), ports_.keys, clock_.Now());
    }
    clock_.Advance(std::chrono::seconds(1));
  }

  // Each hierarchy gets a successor, which is not due for some days.
  void BeginRotation() {
    const Hierarchy schedule = Numbered(0);
    clock_.Advance(schedule.rotate_every - schedule.publish_ahead + std::chrono::hours(1));
    for (int round = 0; round < 2; ++round) {
      Must(catalogs_->Reload());
      Conduct(0);
    }
    Must(catalogs_->Reload());
  }

  // The reading of the stores in one second, on average, which is part of Conduct().
  double StoreMilliseconds() {
    const double begin = CpuMilliseconds();
    for (int second = 0; second < kSeconds; ++second) {
      Must(ports_.crls.LoadShards(clock_.Now()));
      if (second % kReloadEvery == 0) Must(CatalogRecords::Load(ports_.stores()));
    }
    return (CpuMilliseconds() - begin) / kSeconds;
  }

 private:
  FakeClock clock_;
  MemoryPorts ports_{clock_};
  const Authorization authorization_{ports_.registry};
  RevocationIndex revocations_;
  const std::unique_ptr<LiveCatalog> catalogs_ =
      Must(LiveCatalog::Load(ports_.stores(), ports_.keys));
  Publishing publishing_{ports_, *catalogs_, authorization_, revocations_, clock_};
  const Approvals approvals_{*catalogs_, authorization_, ports_.hierarchies, ports_.approvals};
  Rotation rotation_{*catalogs_,
                     authorization_,
                     ports_.stores(),
                     publishing_.provisioning,
                     publishing_.publication,
                     ports_.ledger,
                     revocations_,
                     publishing_.bundles,
                     approvals_,
                     clock_};
  KeyRetirement retirement_{*catalogs_, ports_.authorities, ports_.keys, clock_};
  crl::Publisher publisher_{
      ports_.crls,
      revocations_,
      [this] {
        revocations_.SetCompleteUntil(clock_.Now());
        return Ok();
      },
      Directory().urls(),
      clock_,
      [](HierarchyId) { return crl::PublisherOptions{.lifetime = std::chrono::hours(24)}; }};
};

void Measure(World& world, int hierarchies, std::string_view what) {
  const double begin = CpuMilliseconds();
  double most = 0;
  for (int second = 0; second < kSeconds; ++second) {
    const double before = CpuMilliseconds();
    world.Conduct(second);
    most = std::max(most, CpuMilliseconds() - before);
  }
  const double mean = (CpuMilliseconds() - begin) / kSeconds;
  fmt::print(
      "{:5} hierarchies {}: {:9.2f} ms a second, {:9.2f} ms the longest; stores {:7.2f} ms\n",
      hierarchies, what, mean, most, world.StoreMilliseconds());
  std::fflush(stdout);
}

void Measure(int hierarchies) {
  World world(hierarchies);
  Measure(world, hierarchies, "at rest");
  world.BeginRotation();
  Measure(world, hierarchies, "waiting");
}

}  // namespace
}  // namespace ca::testing

int main(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) ca::testing::Measure(std::max(1, std::atoi(argv[i])));
}
