// OpenSSL and GnuTLS as relying parties that read our CRLs. They use the machine's clock, so the
// authorities were made three hours ago.

#include "ca/base/openssl.h"
#include "tests/crl/crl_test.h"
#include "tests/crl/judges.h"

namespace crl {
namespace {

using testing::CerttoolVerifies;
using testing::Chain;
using testing::hours;
using testing::Must;
using testing::OpenSslAccepts;
using testing::OpenSslVerifies;
using testing::seconds;

class RelyingPartyTest : public testing::CrlTest {
 protected:
  explicit RelyingPartyTest(PublisherOptions options = {})
      : CrlTest(options, ca::SystemClock().Now() - hours(3)) {
    clock_.Advance(hours(3));
  }

  Chain ChainOf(const ca::Certificate& leaf) const {
    return {leaf.Der(), issuer_->certificate(), root_->certificate()};
  }
  static std::string Said(const ::testing::AssertionResult& verdict) { return verdict.message(); }
};

TEST_F(RelyingPartyTest, BelievesTheSignatureOfEveryAuthoritysCrl) {
  RevokeOne();
  Revoke(*issuer_->serial());
  const auto round = replica_.publisher.PublishDue({root_, issuer_});
  ASSERT_EQ(round.published.size(), 2u);
  EXPECT_TRUE(OpenSslVerifies(round.published[0].der, root_->certificate()));
  EXPECT_TRUE(CerttoolVerifies(round.published[0].der, root_->certificate()));
  EXPECT_TRUE(OpenSslVerifies(round.published[1].der, issuer_->certificate()));
  EXPECT_TRUE(CerttoolVerifies(round.published[1].der, issuer_->certificate()));
  EXPECT_FALSE(OpenSslVerifies(round.published[0].der, issuer_->certificate()));
  EXPECT_FALSE(CerttoolVerifies(round.published[0].der, issuer_->certificate()));
}

TEST_F(RelyingPartyTest, BelievesAnEmptyCrl) {
  const ca::PublishedCrl crl = PublishOne();
  EXPECT_TRUE(OpenSslVerifies(crl.der, issuer_->certificate()));
  EXPECT_TRUE(CerttoolVerifies(crl.der, issuer_->certificate()));
}

TEST_F(RelyingPartyTest, BelievesNoCrlThatIsNoLongerValid) {
  clock_.Advance(-hours(2));
  const ca::PublishedCrl crl = PublishOne();
  EXPECT_FALSE(CerttoolVerifies(crl.der, issuer_->certificate()));
  clock_.Advance(hours(2));
  EXPECT_NE(Said(OpenSslAccepts(ChainOf(Issue()), {crl.der})).find("CRL has expired"),
            std::string::npos);
}

TEST_F(RelyingPartyTest, BelievesACertificateUntilItIsRevoked) {
  const ca::Certificate certificate = Issue();
  const ca::Certificate neighbour = Issue();
  EXPECT_TRUE(OpenSslAccepts(ChainOf(certificate), {PublishOne().der}));
  Revoke(certificate.record.serial, ca::RevocationReason::kKeyCompromise);
  const ca::PublishedCrl crl = PublishOne();
  const auto verdict = OpenSslAccepts(ChainOf(certificate), {crl.der});
  EXPECT_FALSE(verdict);
  EXPECT_NE(Said(verdict).find("certificate revoked"), std::string::npos) << Said(verdict);
  EXPECT_TRUE(OpenSslAccepts(ChainOf(neighbour), {crl.der}));
}

TEST_F(RelyingPartyTest, BelievesNothingBelowARevokedAuthority) {
  const ca::Certificate certificate = Issue();
  auto round = replica_.publisher.PublishDue({root_, issuer_});
  EXPECT_TRUE(OpenSslAccepts(ChainOf(certificate), {round.published[0].der, round.published[1].der},
                             "-crl_check_all"));
  Revoke(*issuer_->serial(), ca::RevocationReason::kCaCompromise);
  const auto after = replica_.publisher.PublishDue({root_, issuer_});
  ASSERT_EQ(after.published.size(), 1u);
  const auto verdict = OpenSslAccepts(
      ChainOf(certificate), {after.published[0].der, round.published[1].der}, "-crl_check_all");
  EXPECT_FALSE(verdict);
  EXPECT_NE(Said(verdict).find("certificate revoked"), std::string::npos) << Said(verdict);
}

// ---- shards -------------------------------------------------------------------------------------

class ShardedRelyingPartyTest : public RelyingPartyTest {
 protected:
  ShardedRelyingPartyTest() : RelyingPartyTest({.shard_size = 2}), first_(Issue()) {
    Issue();
    published_ = Publish();
    second_ = Issue(1);
  }

  const ca::Certificate first_;
  std::optional<ca::Certificate> second_;
  std::vector<ca::PublishedCrl> published_;  // of shards 0 and 1
};

TEST_F(ShardedRelyingPartyTest, BelievesACertificateByItsOwnShardsCrlAlone) {
  ASSERT_EQ(published_.size(), 2u);
  EXPECT_TRUE(OpenSslAccepts(ChainOf(first_), {published_[0].der}));
  EXPECT_TRUE(OpenSslAccepts(ChainOf(*second_), {published_[1].der}));
  for (const auto& verdict : {OpenSslAccepts(ChainOf(first_), {published_[1].der}),
                              OpenSslAccepts(ChainOf(*second_), {published_[0].der})}) {
    EXPECT_FALSE(verdict);
    EXPECT_NE(Said(verdict).find("different CRL scope"), std::string::npos) << Said(verdict);
  }
  EXPECT_TRUE(CerttoolVerifies(published_[1].der, issuer_->certificate()));
}

TEST_F(ShardedRelyingPartyTest, FindsTheRevokedOneAmongAllShards) {
  Revoke(second_->record.serial);
  const ca::PublishedCrl crl = PublishOne();
  EXPECT_EQ(crl.shard, 1);
  EXPECT_TRUE(OpenSslAccepts(ChainOf(first_), {published_[0].der, crl.der}));
  const auto verdict = OpenSslAccepts(ChainOf(*second_), {published_[0].der, crl.der});
  EXPECT_NE(Said(verdict).find("certificate revoked"), std::string::npos) << Said(verdict);
}

// ---- deltas -------------------------------------------------------------------------------------

class DeltaRelyingPartyTest : public RelyingPartyTest {
 protected:
  DeltaRelyingPartyTest() : RelyingPartyTest({.deltas = true}) {}
};

TEST_F(DeltaRelyingPartyTest, FindsTheRevokedOneInTheDelta) {
  clock_.Advance(-seconds(10));
  for (int i = 0; i < 8; ++i) RevokeOne();
  const ca::Certificate certificate = Issue();
  const ca::Certificate neighbour = Issue();
  const ca::PublishedCrl complete = PublishOne();
  clock_.Advance(seconds(5));
  Revoke(certificate.record.serial);
  const ca::PublishedCrl delta = PublishOne();
  ASSERT_EQ(delta.base_number, complete.number);
  EXPECT_TRUE(OpenSslVerifies(delta.der, issuer_->certificate()));
  const std::vector<ca::Bytes> both = {complete.der, delta.der};
  const std::string with_deltas = "-crl_check -extended_crl -use_deltas";
  const auto verdict = OpenSslAccepts(ChainOf(certificate), both, with_deltas);
  EXPECT_FALSE(verdict);
  EXPECT_NE(Said(verdict).find("certificate revoked"), std::string::npos) << Said(verdict);
  EXPECT_TRUE(OpenSslAccepts(ChainOf(neighbour), both, with_deltas));
  EXPECT_TRUE(OpenSslAccepts(ChainOf(certificate), {complete.der}, "-crl_check"));
}

}  // namespace
}  // namespace crl
