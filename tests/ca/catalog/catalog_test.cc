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
  EXPECT_EQ(Must(catalog().FindByName("acme/prod"))->id(), deployment_.acme.id);
  EXPECT_EQ(Must(catalog().FindByTrustDomain(deployment_.acme.trust_domain))->id(),
            deployment_.acme.id);
  EXPECT_EQ(catalog().Find(deployment_.acme.id)->name(), "acme/prod");
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
  EXPECT_EQ(Must(catalog().System())->id(), deployment_.system.id);
}

TEST_F(CatalogTest, SaysWhatToRunBeforeThereIsASystemHierarchy) {
  testing::MemoryPorts empty(clock_);
  const auto loaded = Must(Catalog::Load(empty.stores(), empty.keys));
  EXPECT_TRUE(
      Says(loaded->System().status(), StatusCode::kFailedPrecondition, "agentpki-server init"));
}

TEST_F(CatalogTest, KeepsTheAuthoritiesOfHierarchiesApart) {
  const auto authorities = catalog().Find(deployment_.acme.id)->authorities();
  ASSERT_EQ(authorities.size(), 2u);
  EXPECT_EQ(authorities[0]->kind(), AuthorityKind::kRoot);
  EXPECT_EQ(authorities[1]->kind(), AuthorityKind::kIssuing);
  for (const auto& authority : authorities) {
    EXPECT_EQ(authority->hierarchy(), deployment_.acme.id);
    EXPECT_EQ(Must(catalog().FindAuthority(authority->id())), authority);
  }
}

TEST_F(CatalogTest, IssuesByTheIssuingAuthorityOfTheHierarchy) {
  const auto issuer = Must(catalog().Find(deployment_.globex.id)->ActiveIssuer());
  EXPECT_EQ(issuer->hierarchy(), deployment_.globex.id);
  EXPECT_EQ(issuer->kind(), AuthorityKind::kIssuing);
}

TEST_F(CatalogTest, HasNoIssuerForAHierarchyWithoutAuthorities) {
  Hierarchy lonely = testing::GlobexProd();
  lonely.environment = "staging";
  lonely.trust_domain = Must(TrustDomain::Parse("staging.globex.example"));
  const Hierarchy created = Must(ports_.hierarchies.CreateHierarchy(
      lonely, testing::EventAt(clock_.Now(), "CreateHierarchy")));
  EXPECT_TRUE(Says(Must(Load())->Find(created.id)->ActiveIssuer().status(),
                   StatusCode::kFailedPrecondition, "globex/staging has no issuing authority"));
}

TEST_F(CatalogTest, HandsOutTheRootsToTrustAndWhatStandsBetween) {
  const auto authorities = catalog().Find(deployment_.acme.id)->authorities();
  EXPECT_EQ(catalog().Find(deployment_.acme.id)->Roots(),
            std::vector{authorities[0]->certificate()});
  const auto acme = catalog().Find(deployment_.acme.id);
  EXPECT_EQ(acme->Intermediates(authorities[1]->id()), std::vector{authorities[1]->certificate()});
  EXPECT_TRUE(acme->Intermediates(authorities[0]->id()).empty());
  EXPECT_TRUE(acme->Intermediates(AuthorityId{99}).empty());
}

TEST_F(CatalogTest, DoesNotKnowAnAuthorityThatIsNotThere) {
  EXPECT_EQ(catalog().FindAuthority(AuthorityId{99}).status().code(), StatusCode::kNotFound);
}

TEST_F(CatalogTest, PassesOverAuthoritiesThatArePlanned) {
  Must(ports_.authorities
           .PlanAuthority(deployment_.acme, AuthorityKind::kRoot, 2, AuthorityId{},
                          testing::EventAt(clock_.Now(), "PlanAuthority"))
           .status());
  EXPECT_EQ(Must(Load())->Find(deployment_.acme.id)->authorities().size(), 2u);
}

TEST_F(CatalogTest, KeepsAnAuthorityWhoseKeyIsToBeDestroyedAndLooksForNoKey) {
  const auto first = Must(catalog().Find(deployment_.acme.id)->ActiveIssuer());
  deployment_.ActivateSuccessor(deployment_.acme);
  Must(ports_.authorities.DecideKeyDestruction(
      first->id(), 2, "a test", testing::EventAt(clock_.Now(), "DecideKeyDestruction")));
  Must(ports_.keys.Destroy(first->key_label()));
  const auto loaded = Must(Load());
  const auto found = Must(loaded->FindAuthority(first->id()));
  EXPECT_EQ(found->certificate(), first->certificate());
  EXPECT_FALSE(found->has_key());
  EXPECT_TRUE(Must(loaded->Find(deployment_.acme.id)->ActiveIssuer())->has_key());
}

TEST_F(CatalogTest, IsOpenedWithoutKeysToBeLookedAt) {
  testing::MemoryKeyStore empty_token;
  const auto opened = Must(Catalog::OpenWithoutKeys(Must(CatalogRecords::Load(ports_.stores()))));
  EXPECT_EQ(opened->Find(deployment_.acme.id)->authorities().size(), 2u);
  EXPECT_FALSE(Must(opened->Find(deployment_.acme.id)->ActiveIssuer())->has_key());
}

TEST_F(CatalogTest, FindsTheHierarchyOfAnAuthority) {
  const auto globex = catalog().Find(deployment_.globex.id);
  EXPECT_EQ(catalog().FindHierarchyOf(globex->authorities().back()->id()), globex);
  EXPECT_EQ(catalog().FindHierarchyOf(AuthorityId{99}), nullptr);
}

TEST_F(CatalogTest, IsSharedWhenNothingHasChanged) {
  const auto before = deployment_.catalogs->Snapshot();
  Must(deployment_.catalogs->Reload());
  EXPECT_EQ(deployment_.catalogs->Snapshot(), before);
}

TEST_F(CatalogTest, SharesTheHierarchiesThatHaveNotChanged) {
  const auto before = deployment_.catalogs->Snapshot();
  deployment_.ActivateSuccessor(deployment_.acme);
  const auto after = deployment_.catalogs->Snapshot();
  EXPECT_NE(after->Find(deployment_.acme.id), before->Find(deployment_.acme.id));
  EXPECT_EQ(after->Find(deployment_.globex.id), before->Find(deployment_.globex.id));
  EXPECT_EQ(after->Find(deployment_.system.id), before->Find(deployment_.system.id));
}

TEST_F(CatalogTest, SaysTheSameOfOneAuthorityAsOfAll) {
  deployment_.ActivateSuccessor(deployment_.acme);
  const auto acme = deployment_.Now(deployment_.acme);
  for (const AuthorityView& view : acme->ViewsAt(clock_.Now())) {
    const AuthorityView found = Must(acme->ViewOf(view.record.id, clock_.Now()));
    EXPECT_EQ(found.name, view.name);
    EXPECT_EQ(found.state, view.state);
    EXPECT_EQ(found.active_until, view.active_until);
    EXPECT_EQ(found.retiring_until, view.retiring_until);
  }
  EXPECT_EQ(acme->ViewOf(AuthorityId{99}, clock_.Now()).status().code(), StatusCode::kInternal);
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
  ASSERT_EQ(lacking->missing_keys().size(),
            lacking->Find(deployment_.acme.id)->authorities().size() +
                lacking->Find(deployment_.globex.id)->authorities().size() +
                lacking->Find(deployment_.system.id)->authorities().size());
  EXPECT_EQ(lacking->missing_keys()[0].why.code(), StatusCode::kUnavailable);
  const auto issuer = Must(lacking->Find(deployment_.acme.id)->ActiveIssuer());
  EXPECT_FALSE(issuer->has_key());
  EXPECT_FALSE(issuer->is_key_destroyed());

  // It comes back, and nothing else has changed.
  ports_.keys.Fail(testing::MemoryKeyStore::Fault::kNone);
  Must(live->Reload());
  EXPECT_TRUE(live->Snapshot()->missing_keys().empty());
  EXPECT_TRUE(Must(live->Snapshot()->Find(deployment_.acme.id)->ActiveIssuer())->has_key());
}

TEST_F(CatalogTest, GoesOnWithoutAKeyThatIsAnotherOnATokenThatIsApart) {
  testing::MemoryKeyStore other_token;
  other_token.SetApart();
  for (const AuthorityRecord& record : Must(ports_.authorities.LoadAuthorities())) {
    Must(other_token.Generate(record.key_label).status());
  }
  const auto loaded = Must(Catalog::Load(ports_.stores(), other_token));
  EXPECT_FALSE(Must(loaded->Find(deployment_.acme.id)->ActiveIssuer())->has_key());
  EXPECT_TRUE(Says(loaded->missing_keys()[0].why, StatusCode::kFailedPrecondition,
                   "is not the one in its authority's certificate"));
}

}  // namespace
}  // namespace ca
