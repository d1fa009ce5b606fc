// One root follows another: whoever holds the old one, the new one, or both, believes what is
// issued before and after.

#include "ca/access/caller.h"
#include "ca/authorities/rotation.h"
#include "ca/certificates/enrollment.h"
#include "ca/certificates/registration.h"
#include "ca/x509/credentials.h"
#include "tests/ca/authorities/rotation_use_case_test.h"
#include "tests/fixtures/judges.h"

namespace ca {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using testing::CerttoolTrusts;
using testing::IsRefusal;
using testing::Must;
using testing::OpenSslAccepts;

// The judges look at the machine's clock; the authorities were made a day ago.
class RootRolloverTest : public testing::RotationStoryTest {
 protected:
  RootRolloverTest() : RotationStoryTest(SystemClock().Now() - hours(24)) {
    Must(bundles_.Publish(*deployment_.Now(acme_), "conductor"));
    Must(bundles_.Publish(*deployment_.Now(deployment_.system), "conductor"));
  }

  Result<AuthorityView> PrepareRoot(const Hierarchy& hierarchy) {
    return testing::ValueOf(
        rotation_.PrepareRoot(CallBy(admin_, Action::kPrepareAuthority), hierarchy.Name()));
  }
  AuthorityView Prepare(const Hierarchy& hierarchy) {
    return Must(rotation_.Prepare(CallBy(admin_, Action::kPrepareAuthority), hierarchy.Name()));
  }
  Result<AuthorityView> Activate(const std::string& name) {
    return testing::ValueOf(rotation_.Activate(CallBy(admin_, Action::kActivateAuthority), name,
                                               StragglerPolicy::kWait));
  }
  // The next root, an issuing authority under it, and it issues.
  AuthorityView RollOver(const Hierarchy& hierarchy) {
    const AuthorityView root = Must(PrepareRoot(hierarchy));
    const AuthorityView issuing = Prepare(hierarchy);
    EXPECT_EQ(issuing.record.issuer, root.record.id);
    clock_.Advance(Hierarchy::kPublishAheadMin);
    Must(Activate(issuing.name));
    return root;
  }

  IssuedCertificate Issue(const Agent& agent) {
    return Must(enrollment_.Issue(CallBy(Caller(), Action::kEnroll), agent,
                                  testing::NewSubjectKey().Csr(agent.id), SystemGrounds{},
                                  RequestId::New(clock_.Now())));
  }

  Bytes Root(const Hierarchy& hierarchy, int generation) const {
    for (const auto& authority : Catalog()->Find(hierarchy.id)->authorities()) {
      if (authority->kind() == AuthorityKind::kRoot && authority->generation() == generation) {
        return authority->certificate();
      }
    }
    ADD_FAILURE() << "no root " << generation;
    return {};
  }
  std::shared_ptr<const ca::Catalog> Catalog() const { return deployment_.catalogs->Snapshot(); }

  void ExpectTrusted(const IssuedCertificate& issued, const Bytes& root) {
    const testing::Chain chain{issued.certificate.Der(), issued.intermediates(), root};
    EXPECT_TRUE(OpenSslAccepts(chain, "sslclient"));
    EXPECT_TRUE(OpenSslAccepts(chain, "sslserver"));
    EXPECT_TRUE(CerttoolTrusts(chain));
  }

  const Hierarchy& acme_ = deployment_.acme;
  const Agent agent_ = deployment_.Register(acme_, "billing/bot");
  const Caller admin_ = OperatorWith(Role::kAdmin);
  const Enrollment enrollment_{*deployment_.catalogs, ports_.registry, ports_.ledger,
                               testing::Directory(), clock_};
};

TEST_F(RootRolloverTest, LeavesEverybodyABelieverWhoHoldsEitherRoot) {
  const Bytes old_root = Root(acme_, 1);
  clock_.Advance(hours(24) - Hierarchy::kPublishAheadMin);  // so that certificates stand now
  const IssuedCertificate before = Issue(agent_);
  RollOver(acme_);
  const IssuedCertificate after = Issue(agent_);
  const Bytes new_root = Root(acme_, 2);

  EXPECT_EQ(before.roots(), std::vector{old_root});
  EXPECT_EQ(after.roots(), (std::vector{old_root, new_root}));
  EXPECT_EQ(before.intermediates().size(), 1u);
  EXPECT_EQ(after.intermediates().size(), 2u) << "its issuer, and the link";
  ExpectTrusted(before, old_root);
  ExpectTrusted(after, old_root);
  ExpectTrusted(after, new_root);
  EXPECT_FALSE(OpenSslAccepts({before.certificate.Der(), before.intermediates(), new_root}))
      << "which is why both are in the bundle";
}

TEST_F(RootRolloverTest, KeepsTheOldRootUntilTheLastOfItsCertificatesHasEnded) {
  RollOver(acme_);
  clock_.Advance(acme_.LongestLifetime());
  Must(bundles_.Publish(*deployment_.Now(acme_), "conductor"));
  EXPECT_EQ(Catalog()->Find(acme_.id)->Roots(), (std::vector{Root(acme_, 1), Root(acme_, 2)}));
  const int version = Catalog()->Find(acme_.id)->NewestTrustBundle()->version;

  clock_.Advance(microseconds(1));
  Must(bundles_.Publish(*deployment_.Now(acme_), "conductor"));
  EXPECT_EQ(Catalog()->Find(acme_.id)->Roots(), std::vector{Root(acme_, 2)});
  EXPECT_EQ(Catalog()->Find(acme_.id)->NewestTrustBundle()->version, version + 1);
  EXPECT_EQ(Issue(agent_).intermediates().size(), 1u) << "nobody needs the link any more";
  EXPECT_TRUE(IsRefusal(Activate("acme/prod/issuing/1").status(), StatusCode::kFailedPrecondition,
                        "authority.root-not-trusted"));
}

TEST_F(RootRolloverTest, LinksAsManyRootsAsItSays) {
  const Bytes first = Root(acme_, 1);
  clock_.Advance(hours(24) - (kLinksMax + 1) * Hierarchy::kPublishAheadMin);
  for (int link = 0; link < kLinksMax; ++link) RollOver(acme_);
  const IssuedCertificate issued = Issue(agent_);
  EXPECT_EQ(issued.intermediates().size(), 1u + kLinksMax);
  ExpectTrusted(issued, first);
  EXPECT_TRUE(IsRefusal(PrepareRoot(acme_).status(), StatusCode::kFailedPrecondition,
                        "authority.roots-overlap"));
  EXPECT_EQ(Catalog()->Find(acme_.id)->Roots().size(), 1u + kLinksMax);
}

TEST_F(RootRolloverTest, IsPreparedOnce) {
  const AuthorityView root = Must(PrepareRoot(acme_));
  EXPECT_EQ(root.name, "acme/prod/root/2");
  EXPECT_EQ(root.state, AuthorityState::kPublished);
  EXPECT_EQ(Must(PrepareRoot(acme_)).name, "acme/prod/root/2") << "it is there already";
  EXPECT_EQ(Catalog()->Find(acme_.id)->cross_certificates().size(), 1u);
  EXPECT_TRUE(Catalog()->Find(acme_.id)->NewestTrustBundle()->Has(root.record.id));
}

TEST_F(RootRolloverTest, IsLinkedBeforeItIsPublished) {
  ports_.keys.Fail(testing::MemoryKeyStore::Fault::kUnavailable);
  EXPECT_EQ(PrepareRoot(acme_).status().code(), StatusCode::kUnavailable);
  ports_.keys.Fail(testing::MemoryKeyStore::Fault::kNone);
  Must(deployment_.catalogs->Reload());
  EXPECT_EQ(Prepare(acme_).record.issuer, Catalog()->Find(acme_.id)->authorities().front()->id())
      << "a root that is only planned has no issuing authorities";
  EXPECT_EQ(Must(PrepareRoot(acme_)).name, "acme/prod/root/2");
  EXPECT_EQ(Catalog()->Find(acme_.id)->cross_certificates().size(), 1u);
}

TEST_F(RootRolloverTest, SaysInTheLinkWhereItsStatusIs) {
  Must(PrepareRoot(acme_));
  const CrossCertificate link = Catalog()->Find(acme_.id)->cross_certificates().front();
  const std::string text = testing::TextOf(link.certificate);
  const auto issuer = static_cast<std::int64_t>(link.issuer);
  EXPECT_NE(text.find(fmt::format("http://status.test/ocsp/{}", issuer)), std::string::npos)
      << text;
  EXPECT_NE(text.find(fmt::format("http://status.test/crl/{}/0.crl", issuer)), std::string::npos);
  EXPECT_NE(text.find("CN = root authority 2"), std::string::npos);
  EXPECT_NE(text.find("CN = root authority 1"), std::string::npos);
}

// ---- our own server -----------------------------------------------------------------------------

TEST_F(RootRolloverTest, GoesOnBelievingCallersOfBothGenerations) {
  const CallerVerifier verifier(*deployment_.catalogs, revocations_, clock_);
  const IssuedCertificate before = Issue(agent_);
  RollOver(acme_);
  const IssuedCertificate after = Issue(agent_);
  for (const IssuedCertificate* issued : {&before, &after}) {
    EXPECT_EQ(Must(verifier.Verify(PemOf({issued->certificate.Der()}))).id, agent_.id);
  }
}

// A join token says by which root the server is known. It may be older than the roll-over, and
// older than the day on which the old root leaves the bundle.
TEST_F(RootRolloverTest, LeavesJoinTokensGood) {
  const Hierarchy& system = deployment_.system;
  const Registration registration(*deployment_.catalogs, authorization_, ports_.registry,
                                  "ca.example:8443");
  const Agent server = deployment_.Register(system, "server/host");
  const auto invite = [&] {
    return Must(registration.CreateJoinToken(CallBy(admin_, Action::kCreateJoinToken), agent_.id,
                                             hours(1)))
        .token.root_fingerprint;
  };
  // As the first contact does: the root that it knows, and then the chain to it.
  const auto expect_met = [&](const IssuedCertificate& leaf, const Bytes& fingerprint) {
    const auto shown =
        leaf.hierarchy->FirstContactChain(leaf.certificate.record.authority, clock_.Now());
    const auto root = std::find_if(shown.begin(), shown.end(), [&](const Bytes& certificate) {
      return Sha256(certificate) == fingerprint;
    });
    ASSERT_NE(root, shown.end());
    EXPECT_TRUE(OpenSslAccepts({leaf.certificate.Der(), shown, *root}, "sslserver"));
  };
  clock_.Advance(hours(24) - 2 * system.LongestLifetime());  // it ends near now
  const Bytes first = invite();
  const IssuedCertificate before = Issue(server);
  RollOver(system);
  const Bytes second = invite();
  const IssuedCertificate after = Issue(server);
  for (const Bytes& fingerprint : {first, second}) {
    EXPECT_EQ(fingerprint, Sha256(Root(system, 1)))
        << "a server whose certificate is of before has no chain to the new root";
  }
  clock_.Advance(system.LongestLifetime() + microseconds(1));
  Must(bundles_.Publish(*deployment_.Now(system), "conductor"));
  EXPECT_EQ(Catalog()->Find(system.id)->Roots().size(), 1u);
  const Bytes third = invite();
  EXPECT_EQ(third, Sha256(Root(system, 2)));
  const IssuedCertificate later = Issue(server);
  expect_met(later, first);
  expect_met(later, third);
}

}  // namespace
}  // namespace ca
