#include "ca/catalog/catalog.h"

#include "ca/catalog/live_catalog.h"
#include "tests/fixtures/use_case_test.h"

namespace ca {
namespace {

using testing::Must;
using testing::Says;

class CatalogTest : public testing::StoryTest {
 protected:
  Result<std::shared_ptr<const Catalog>> Load() {
    return Catalog::Load(ports_.stores(), ports_.keys);
  }
  const Catalog& catalog() const { return *deployment_.catalog; }
};

TEST_F(CatalogTest, FindsAHierarchyByItsNameTrustDomainAndId) {
  EXPECT_EQ(Must(catalog().FindByName("acme/prod"))->id, deployment_.acme.id);
  EXPECT_EQ(Must(catalog().FindByTrustDomain(deployment_.acme.trust_domain))->id,
            deployment_.acme.id);
  EXPECT_EQ(catalog().Find(deployment_.acme.id)->Name(), "acme/prod");
}

TEST_F(CatalogTest, SaysThatAHierarchyIsNotThere) {
  EXPECT_TRUE(Says(catalog().FindByName("acme/\n").status(), StatusCode::kNotFound,
                   R"(there is no 'acme/\x0a')"));
  EXPECT_EQ(
      catalog().FindByTrustDomain(Must(TrustDomain::Parse("nowhere.example"))).status().code(),
      StatusCode::kNotFound);
  EXPECT_EQ(catalog().Find(HierarchyId{99}), nullptr);
}

TEST_F(CatalogTest, KnowsTheSystemHierarchy) {
  EXPECT_EQ(Must(catalog().System())->id, deployment_.system.id);
}

TEST_F(CatalogTest, SaysWhatToRunBeforeThereIsASystemHierarchy) {
  testing::MemoryPorts empty(clock_);
  const auto loaded = Must(Catalog::Load(empty.hierarchies, empty.keys));
  EXPECT_TRUE(
      Says(loaded->System().status(), StatusCode::kFailedPrecondition, "agentpki-server init"));
}

TEST_F(CatalogTest, KeepsTheAuthoritiesOfHierarchiesApart) {
  const auto authorities = catalog().AuthoritiesOf(deployment_.acme.id);
  ASSERT_EQ(authorities.size(), 2u);
  EXPECT_EQ(authorities[0]->kind(), AuthorityKind::kRoot);
  EXPECT_EQ(authorities[1]->kind(), AuthorityKind::kIssuing);
  for (const auto& authority : authorities) {
    EXPECT_EQ(authority->hierarchy(), deployment_.acme.id);
    EXPECT_EQ(Must(catalog().FindAuthority(authority->id())), authority);
  }
}

TEST_F(CatalogTest, IssuesByTheIssuingAuthorityOfTheHierarchy) {
  const auto issuer = Must(catalog().ActiveIssuer(deployment_.globex.id));
  EXPECT_EQ(issuer->hierarchy(), deployment_.globex.id);
  EXPECT_EQ(issuer->kind(), AuthorityKind::kIssuing);
}

TEST_F(CatalogTest, HasNoIssuerForAHierarchyWithoutAuthorities) {
  Hierarchy lonely = testing::GlobexProd();
  lonely.environment = "staging";
  lonely.trust_domain = Must(TrustDomain::Parse("staging.globex.example"));
  const Hierarchy created = Must(ports_.hierarchies.CreateHierarchy(
      lonely, testing::EventAt(clock_.Now(), "CreateHierarchy")));
  EXPECT_TRUE(Says(Must(Load())->ActiveIssuer(created.id).status(), StatusCode::kFailedPrecondition,
                   "globex/staging has no issuing authority"));
}

TEST_F(CatalogTest, HandsOutTheRootsToTrustAndWhatStandsBetween) {
  const auto authorities = catalog().AuthoritiesOf(deployment_.acme.id);
  EXPECT_EQ(catalog().Roots(deployment_.acme.id), std::vector{authorities[0]->certificate()});
  EXPECT_EQ(catalog().Intermediates(authorities[1]->id()),
            std::vector{authorities[1]->certificate()});
  EXPECT_TRUE(catalog().Intermediates(authorities[0]->id()).empty());
  EXPECT_TRUE(catalog().Intermediates(AuthorityId{99}).empty());
}

TEST_F(CatalogTest, DoesNotKnowAnAuthorityThatIsNotThere) {
  EXPECT_EQ(catalog().FindAuthority(AuthorityId{99}).status().code(), StatusCode::kNotFound);
}

TEST_F(CatalogTest, PassesOverAuthoritiesThatArePlanned) {
  Must(ports_.authorities
           .PlanAuthority(deployment_.acme, AuthorityKind::kRoot, 2, AuthorityId{},
                          testing::EventAt(clock_.Now(), "PlanAuthority"))
           .status());
  EXPECT_EQ(Must(Load())->AuthoritiesOf(deployment_.acme.id).size(), 2u);
}

TEST_F(CatalogTest, KeepsAnAuthorityWhoseKeyIsToBeDestroyedAndLooksForNoKey) {
  const auto first = Must(catalog().ActiveIssuer(deployment_.acme.id));
  deployment_.ActivateSuccessor(deployment_.acme);
  Must(ports_.authorities.DecideKeyDestruction(
      first->id(), 2, "a test", testing::EventAt(clock_.Now(), "DecideKeyDestruction")));
  Must(ports_.keys.Destroy(first->key_label()));
  const auto loaded = Must(Load());
  const auto found = Must(loaded->FindAuthority(first->id()));
  EXPECT_EQ(found->certificate(), first->certificate());
  EXPECT_FALSE(found->has_key());
  EXPECT_TRUE(Must(loaded->ActiveIssuer(deployment_.acme.id))->has_key());
}

TEST_F(CatalogTest, IsOpenedWithoutKeysToBeLookedAt) {
  testing::MemoryKeyStore empty_token;
  const auto opened = Must(Catalog::OpenWithoutKeys(catalog().records()));
  EXPECT_EQ(opened->AuthoritiesOf(deployment_.acme.id).size(), 2u);
  EXPECT_FALSE(Must(opened->ActiveIssuer(deployment_.acme.id))->has_key());
}

TEST_F(CatalogTest, IsNotLoadedWhenAKeyIsMissingOnTheToken) {
  testing::MemoryKeyStore empty_token;
  EXPECT_FALSE(Catalog::Load(ports_.stores(), empty_token).ok());
}

TEST_F(CatalogTest, IsNotLoadedWhenAKeyIsAnotherThanItsCertificateSays) {
  testing::MemoryKeyStore other_token;
  for (const AuthorityRecord& record : Must(ports_.authorities.LoadAuthorities())) {
    Must(other_token.Generate(record.key_label).status());
  }
  EXPECT_TRUE(Says(Catalog::Load(ports_.stores(), other_token).status(),
                   StatusCode::kFailedPrecondition,
                   "is not the one in its authority's certificate"));
}

TEST_F(CatalogTest, IsNotLoadedWhileTheTokenIsAway) {
  ports_.keys.Fail(testing::MemoryKeyStore::Fault::kUnavailable);
  EXPECT_EQ(Load().status().code(), StatusCode::kUnavailable);
}

TEST_F(CatalogTest, GoesOnWithoutTheKeysOfATokenThatIsApart) {
  ports_.keys.SetApart();
  ports_.keys.Fail(testing::MemoryKeyStore::Fault::kUnavailable);
  const auto live = Must(LiveCatalog::Load(ports_.stores(), ports_.keys));
  const auto lacking = live->Snapshot();
  ASSERT_EQ(lacking->lacking_keys().size(),
            lacking->AuthoritiesOf(deployment_.acme.id).size() +
                lacking->AuthoritiesOf(deployment_.globex.id).size() +
                lacking->AuthoritiesOf(deployment_.system.id).size());
  EXPECT_EQ(lacking->lacking_keys()[0].why.code(), StatusCode::kUnavailable);
  const auto issuer = Must(lacking->ActiveIssuer(deployment_.acme.id));
  EXPECT_FALSE(issuer->has_key());
  EXPECT_FALSE(issuer->is_key_destroyed());

  // It comes back, and nothing else has changed.
  ports_.keys.Fail(testing::MemoryKeyStore::Fault::kNone);
  Must(live->Reload());
  EXPECT_TRUE(live->Snapshot()->lacking_keys().empty());
  EXPECT_TRUE(Must(live->Snapshot()->ActiveIssuer(deployment_.acme.id))->has_key());
}

TEST_F(CatalogTest, GoesOnWithoutAKeyThatIsAnotherOnATokenThatIsApart) {
  testing::MemoryKeyStore other_token;
  other_token.SetApart();
  for (const AuthorityRecord& record : Must(ports_.authorities.LoadAuthorities())) {
    Must(other_token.Generate(record.key_label).status());
  }
  const auto loaded = Must(Catalog::Load(ports_.stores(), other_token));
  EXPECT_FALSE(Must(loaded->ActiveIssuer(deployment_.acme.id))->has_key());
  EXPECT_TRUE(Says(loaded->lacking_keys()[0].why, StatusCode::kFailedPrecondition,
                   "is not the one in its authority's certificate"));
}

}  // namespace
}  // namespace ca
