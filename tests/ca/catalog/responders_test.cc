// OCSP responders: made, renewed with overlap, and found by every replica.

#include "ca/catalog/responders.h"

#include "ca/authorities/provisioning.h"
#include "tests/fixtures/use_case_test.h"

namespace ca {
namespace {

using testing::Must;

class ResponderTest : public testing::StoryTest {
 protected:
  std::shared_ptr<const Authority> Issuer() const {
    return Must(deployment_.catalog->Find(deployment_.acme.id)->ActiveIssuer());
  }
  std::shared_ptr<const Authority> Ensure() {
    return Must(provisioning_.delegates.EnsureResponder(*deployment_.Reloaded(deployment_.acme),
                                                        *Issuer(), "conductor"));
  }
  std::map<AuthorityId, std::shared_ptr<const Authority>> Load() {
    return RespondersAt(*Must(Catalog::Load(ports_.stores(), ports_.keys)), ports_.keys,
                        clock_.Now());
  }

  Provisioning provisioning_{ports_.stores(), ports_.keys, testing::Directory(), clock_};
};

TEST_F(ResponderTest, IsMadeOnceWithAKeyOfItsOwn) {
  const auto responder = Ensure();
  EXPECT_EQ(responder->kind(), AuthorityKind::kResponder);
  EXPECT_NE(responder->key_label(), Issuer()->key_label());
  EXPECT_EQ(Ensure()->serial(), responder->serial());
  ASSERT_EQ(Load().count(Issuer()->id()), 1u);
  EXPECT_EQ(Load().at(Issuer()->id())->serial(), responder->serial());
}

// RFC 6960 section 4.2.2.2: what a delegated responder's certificate has to say.
TEST_F(ResponderTest, IsDelegatedByItsIssuerAndNeedsNoStatusOfItsOwn) {
  const auto responder = Ensure();
  EXPECT_EQ(X509_verify(responder->x509(), X509_get0_pubkey(Issuer()->x509())), 1);
  EXPECT_EQ(X509_get_extended_key_usage(responder->x509()), static_cast<uint32_t>(XKU_OCSP_SIGN));
  EXPECT_GE(X509_get_ext_by_NID(responder->x509(), NID_id_pkix_OCSP_noCheck, -1), 0);
  EXPECT_EQ(X509_check_ca(responder->x509()), 0);
}

TEST_F(ResponderTest, SignsNoCertificatesAndNoCrls) {
  const auto responder = Ensure();
  const Agent agent = deployment_.Register(deployment_.acme, "bot");
  auto intent = Must(ports_.ledger.RecordIntent(
      deployment_.Prepare(agent, testing::PublicHalf(testing::NewSubjectKey())), SystemGrounds{},
      RequestId::New(clock_.Now()), testing::EventAt(clock_.Now(), "Enroll")));
  EXPECT_EQ(responder->Sign(std::get<RecordedIssuance>(std::move(intent))).status().code(),
            StatusCode::kFailedPrecondition);
}

TEST_F(ResponderTest, IsRenewedAtHalfItsLifeAndTheOldOneStandsOn) {
  const auto first = Ensure();
  clock_.Advance(kResponderLifetime / 2 + std::chrono::minutes(1));
  const auto second = Ensure();
  EXPECT_NE(second->serial(), *first->serial());
  EXPECT_NE(second->key_label(), first->key_label());
  EXPECT_GT(first->validity().not_after, clock_.Now());
  EXPECT_EQ(Load().at(Issuer()->id())->serial(), second->serial());
}

TEST_F(ResponderTest, IsNotFoundWhenItHasEnded) {
  Ensure();
  clock_.Advance(kResponderLifetime + std::chrono::minutes(1));
  EXPECT_TRUE(Load().empty());
}

TEST_F(ResponderTest, IsFollowedByAnotherWhenItsKeyIsToBeDestroyed) {
  const auto first = Ensure();
  const auto sequence =
      deployment_.catalog->Find(deployment_.acme.id)->activations().back().sequence;
  Must(ports_.authorities.DecideKeyDestruction(
      first->id(), sequence, "a test", testing::EventAt(clock_.Now(), "DecideKeyDestruction")));
  EXPECT_TRUE(Load().empty());
  const auto second = Ensure();
  EXPECT_NE(second->id(), first->id());
  EXPECT_EQ(Load().at(Issuer()->id())->id(), second->id());
}

TEST_F(ResponderTest, IsFollowedByAnotherWhenItsKeyIsLost) {
  const auto first = Ensure();
  Must(ports_.keys.Destroy(first->key_label()));
  const auto second = Ensure();
  EXPECT_NE(second->id(), first->id());
  EXPECT_EQ(Ensure()->id(), second->id());
  EXPECT_EQ(Load().at(Issuer()->id())->id(), second->id());
}

TEST_F(ResponderTest, IsOfOneAuthorityEach) {
  const auto roots = deployment_.catalog->Find(deployment_.acme.id)->authorities();
  for (const auto& authority : roots) {
    Must(provisioning_.delegates.EnsureResponder(*deployment_.Reloaded(deployment_.acme),
                                                 *authority, "conductor"));
  }
  EXPECT_EQ(Load().size(), roots.size());
}

}  // namespace
}  // namespace ca
