// Which CRLs are published, and when.

#include "crl/publisher.h"

#include <algorithm>

#include "tests/crl/crl_test.h"
#include "tests/crl/crowded_store.h"
#include "tests/fakes/interrupted_ports.h"

namespace crl {
namespace {

using ca::StatusCode;
using testing::CrlTest;
using testing::hours;
using testing::minutes;
using testing::Must;
using testing::Replica;
using testing::seconds;

class PublisherTest : public CrlTest {
 protected:
  using CrlTest::CrlTest;
};

TEST_F(PublisherTest, PublishesAnEmptyCrlAtFirst) {
  const ca::PublishedCrl crl = PublishOne();
  EXPECT_EQ(crl.number, 1);
  EXPECT_EQ(crl.authority, issuer_->id());
  EXPECT_EQ(crl.this_update, std::chrono::floor<seconds>(clock_.Now()));
  EXPECT_EQ(crl.next_update, crl.this_update + hours(1));
  const ReadCrl read = ReadBack(crl);
  EXPECT_TRUE(read.revoked.empty());
  EXPECT_EQ(read.number, 1);
  EXPECT_EQ(read.this_update, crl.this_update);
  EXPECT_EQ(read.next_update, crl.next_update);
}

TEST_F(PublisherTest, PublishesNothingWhenNothingIsDue) {
  PublishOne();
  Issue();
  clock_.Advance(minutes(29));
  EXPECT_TRUE(Publish().empty());
}

TEST_F(PublisherTest, ListsARevocationInTheNextRound) {
  PublishOne();
  const auto serial = Revoke(Issue().record.serial, ca::RevocationReason::kKeyCompromise);
  const ca::PublishedCrl crl = PublishOne();
  EXPECT_EQ(crl.number, 2);
  EXPECT_EQ(ReadBack(crl).revoked,
            (std::vector{std::pair(serial, ca::RevocationReason::kKeyCompromise)}));
  EXPECT_TRUE(Publish().empty());
}

TEST_F(PublisherTest, RefreshesACrlAtHalfItsLife) {
  const auto serial = RevokeOne();
  PublishOne();
  clock_.Advance(minutes(30) -
                 std::chrono::milliseconds(200));  // the clock is 0.12 s past a second
  EXPECT_TRUE(Publish().empty());
  clock_.Advance(std::chrono::milliseconds(200));
  const ca::PublishedCrl crl = PublishOne();
  EXPECT_EQ(crl.number, 2);
  EXPECT_EQ(crl.next_update, std::chrono::floor<seconds>(clock_.Now()) + hours(1));
  EXPECT_TRUE(Lists(crl, serial));
}

TEST_F(PublisherTest, PublishesALastCrlThatIsValidAsLongAsItsAuthority) {
  PublishOne();
  const auto serial = RevokeOne();
  const auto last = replica_.publisher.PublishLast({issuer_});
  Must(last.error);
  ASSERT_EQ(last.published.size(), 1u);
  EXPECT_EQ(last.published.front().next_update, issuer_->validity().not_after);
  EXPECT_TRUE(Lists(last.published.front(), serial));
  EXPECT_TRUE(replica_.publisher.PublishLast({issuer_}).published.empty()) << "once";

  Replica heir(ports_, ports_.crls, clock_);
  const auto again = heir.publisher.PublishLast({issuer_});
  ASSERT_EQ(again.published.size(), 1u)
      << "a publisher that does not know the last CRL publishes another";
  EXPECT_EQ(again.published.front().number, last.published.front().number + 1);
}

TEST_F(PublisherTest, LeavesTheLastCrlOfAnAuthorityWhoseKeyIsToBeDestroyed) {
  PublishOne();
  deployment_.ActivateSuccessor(deployment_.acme);
  Must(ports_.authorities.DecideKeyDestruction(
      issuer_->id(), 2, "a test", ca::testing::EventAt(clock_.Now(), "DecideKeyDestruction")));
  const auto catalog = Must(ca::Catalog::Load(ports_.stores(), ports_.keys));
  const auto doomed = Must(catalog->FindAuthority(issuer_->id()));
  clock_.Advance(hours(2));
  const auto round = replica_.publisher.PublishDue({doomed});
  EXPECT_TRUE(round.error.ok()) << round.error;
  EXPECT_TRUE(round.published.empty());
}

class LongLivedCrlTest : public PublisherTest {
 protected:
  LongLivedCrlTest() : PublisherTest({.lifetime = hours(24 * 30)}) {}
};

// Otherwise the CRL with the old, shorter lifetime would expire before the next one is due.
TEST_F(PublisherTest, PublishesAtOnceWhatHasAnotherLifetimeByNow) {
  PublishOne();
  for (const auto lifetime : {hours(24), hours(1)}) {
    replica_.options.lifetime = lifetime;
    const ca::PublishedCrl crl = PublishOne();
    EXPECT_EQ(crl.next_update - crl.this_update, lifetime);
    EXPECT_TRUE(Publish().empty()) << "once";
  }
}

TEST_F(PublisherTest, GivesEachHierarchyItsOwn) {
  const auto globex = Must(deployment_.catalog->Find(deployment_.globex.id)->ActiveIssuer());
  Publisher publisher(
      ports_.crls, replica_.index, [] { return ca::Ok(); }, ca::testing::Directory().urls(), clock_,
      [&](ca::HierarchyId id) {
        return PublisherOptions{.lifetime = id == deployment_.acme.id ? hours(3) : hours(2)};
      });
  const auto round = publisher.PublishDue({issuer_, globex});
  ASSERT_EQ(round.published.size(), 2u) << round.error;
  EXPECT_EQ(round.published[0].next_update - round.published[0].this_update, hours(3));
  EXPECT_EQ(round.published[1].next_update - round.published[1].this_update, hours(2));
}

// Otherwise a certificate could expire, and leave the index, between two CRLs.
TEST_F(LongLivedCrlTest, IsRefreshedWhileWhatHasEndedIsStillListed) {
  PublishOne();
  clock_.Advance(hours(12));
  EXPECT_EQ(PublishOne().next_update, std::chrono::floor<seconds>(clock_.Now()) + hours(24 * 30));
}

// RFC 5280 section 3.3.
TEST_F(PublisherTest, ListsACertificateOnOneCrlAfterItsEnd) {
  const ca::Certificate certificate = Issue();
  Revoke(certificate.record.serial);
  PublishOne();
  clock_.Set(certificate.record.validity.not_after + seconds(1));
  replica_.index.Prune(clock_.Now());
  EXPECT_TRUE(Lists(PublishOne(), certificate.record.serial));

  clock_.Advance(ca::RevocationIndex::kKeptAfterExpiry);
  replica_.index.Prune(clock_.Now());
  EXPECT_FALSE(Lists(PublishOne(), certificate.record.serial));
}

TEST_F(PublisherTest, PublishesAnewWhenTheClockWasAhead) {
  clock_.Advance(hours(24));
  PublishOne();
  clock_.Advance(-hours(24));
  const ca::PublishedCrl crl = PublishOne();
  EXPECT_EQ(crl.number, 2);
  EXPECT_LE(crl.this_update, clock_.Now());
}

TEST_F(PublisherTest, ListsAnIssuingAuthorityOnItsRootsCrl) {
  Revoke(*issuer_->serial(), ca::RevocationReason::kCaCompromise);
  const auto round = replica_.publisher.PublishDue({root_, issuer_});
  Must(round.error);
  ASSERT_EQ(round.published.size(), 2u);
  EXPECT_EQ(Must(Read(round.published[0].der, *root_)).revoked,
            (std::vector{std::pair(*issuer_->serial(), ca::RevocationReason::kCaCompromise)}));
  EXPECT_TRUE(ReadBack(round.published[1]).revoked.empty());
}

TEST_F(PublisherTest, PublishesNothingForAnAuthorityThatEndedLongAgo) {
  clock_.Set(issuer_->validity().not_after + hours(24));
  EXPECT_EQ(Publish().size(), 1u);
  clock_.Advance(hours(2));
  EXPECT_TRUE(Publish().empty());
}

TEST_F(PublisherTest, GoesOnFromTheNumbersOfTheConductorBefore) {
  const auto serial = RevokeOne();
  EXPECT_EQ(PublishOne().number, 1);
  Replica successor(ports_, ports_.crls, clock_);
  const auto published = PublishBy(successor);
  ASSERT_EQ(published.size(), 1u);
  EXPECT_EQ(published[0].number, 2);
  EXPECT_TRUE(Lists(published[0], serial));
}

// ---- failures -----------------------------------------------------------------------------------

TEST_F(PublisherTest, PublishesForTheOthersWhenOneTokenFails) {
  ca::testing::InterruptedKeyStore broken(
      ports_.keys,
      [](ca::testing::Step) { return ca::Error(StatusCode::kUnavailable, "the token is away"); },
      [](ca::BytesView, ca::BytesView) {});
  const auto broken_issuer = Must(
      Must(ca::Catalog::Load(ports_.stores(), broken))->Find(deployment_.acme.id)->ActiveIssuer());
  const auto globex = Must(deployment_.catalog->Find(deployment_.globex.id)->ActiveIssuer());
  const auto round = replica_.publisher.PublishDue({broken_issuer, root_, globex});
  EXPECT_EQ(round.error.code(), StatusCode::kUnavailable);
  EXPECT_NE(ca::MessageOf(round.error).find("acme/prod/issuing"), std::string::npos);
  ASSERT_EQ(round.published.size(), 2u);
  EXPECT_EQ(round.published[0].authority, root_->id());
  EXPECT_EQ(round.published[1].authority, globex->id());

  EXPECT_EQ(PublishOne().authority, issuer_->id());  // it is still due
}

TEST_F(PublisherTest, PublishesNothingThatTheTokenSignedWrongly) {
  ports_.keys.Fail(ca::testing::MemoryKeyStore::Fault::kWrongSignature);
  const auto round = replica_.publisher.PublishDue({issuer_});
  EXPECT_EQ(round.error.code(), StatusCode::kInternal);
  EXPECT_TRUE(round.published.empty());
  EXPECT_EQ(Must(ports_.crls.LastNumber(issuer_->id(), 0)), 0);
}

TEST_F(PublisherTest, PublishesNothingWhileItCannotCatchUp) {
  replica_.revocations.TakeAway();
  auto round = replica_.publisher.PublishDue({issuer_});
  EXPECT_EQ(round.error.code(), StatusCode::kUnavailable);
  EXPECT_TRUE(round.published.empty());
  EXPECT_EQ(Must(ports_.crls.LastNumber(issuer_->id(), 0)), 0);
  replica_.revocations.BringBack();
  PublishOne();
}

TEST_F(PublisherTest, PublishesNothingWhileTheStoreIsUnavailable) {
  ports_.crls.TakeAway();
  EXPECT_EQ(replica_.publisher.PublishDue({issuer_}).error.code(), StatusCode::kUnavailable);
  ports_.crls.BringBack();
  PublishOne();
}

// ---- shards -------------------------------------------------------------------------------------

class ShardTest : public CrlTest {
 protected:
  ShardTest() : CrlTest({.shard_size = 3}) {}

  static std::string PointOf(const ca::PublishedCrl& crl) {
    const auto parsed = testing::Parse(crl.der);
    const ca::Owned<ISSUING_DIST_POINT, ISSUING_DIST_POINT_free> point(
        static_cast<ISSUING_DIST_POINT*>(
            X509_CRL_get_ext_d2i(parsed.get(), NID_issuing_distribution_point, nullptr, nullptr)));
    if (!point) return "none";
    const auto* name = sk_GENERAL_NAME_value(point->distpoint->name.fullname, 0);
    return std::string(
        reinterpret_cast<const char*>(ASN1_STRING_get0_data(name->d.uniformResourceIdentifier)),
        static_cast<size_t>(ASN1_STRING_length(name->d.uniformResourceIdentifier)));
  }
  std::string UrlOf(ca::CrlShard shard) {
    return ca::testing::Directory().urls().Crl(issuer_->id(), shard);
  }
  void Fill(ca::CrlShard shard) {
    for (int i = 0; i < 3; ++i) Issue(shard);
  }
};

TEST_F(ShardTest, OpensNoSecondShardBeforeTheFirstIsFull) {
  Issue();
  Issue();
  const auto round = replica_.publisher.PublishDue({issuer_});
  EXPECT_EQ(round.published.size(), 1u);
  EXPECT_EQ(PointOf(round.published[0]), "none");
}

TEST_F(ShardTest, OpensTheSecondShardWhenTheFirstIsFullAndNamesBoth) {
  const auto serial = RevokeOne();
  EXPECT_EQ(PointOf(PublishOne()), "none");
  Fill(0);
  const auto round = replica_.publisher.PublishDue({issuer_});
  Must(round.error);
  ASSERT_EQ(round.published.size(), 2u);
  EXPECT_EQ(PointOf(round.published[0]), UrlOf(0));
  EXPECT_EQ(round.published[0].number, 2);
  EXPECT_TRUE(Lists(round.published[0], serial));
  EXPECT_EQ(PointOf(round.published[1]), UrlOf(1));
  EXPECT_EQ(round.published[1].number, 1);
  const auto is_new = [&](const auto& shard) {
    return shard.authority == issuer_->id() && shard.shard == 1;
  };
  EXPECT_EQ(std::count_if(round.shards.begin(), round.shards.end(), is_new), 1);
  EXPECT_TRUE(Publish().empty());
}

TEST_F(ShardTest, PublishesOnlyTheShardThatHasGrown) {
  Fill(0);
  Publish();
  const auto serial = RevokeOne(1);
  const ca::PublishedCrl crl = PublishOne();
  EXPECT_EQ(crl.shard, 1);
  EXPECT_TRUE(Lists(crl, serial));
}

TEST_F(ShardTest, OpensTheNextWhenTheNewestIsFull) {
  Fill(0);
  Publish();
  Fill(1);
  EXPECT_EQ(PublishOne().shard, 2);
}

TEST_F(ShardTest, PublishesNoMoreForAShardOfCertificatesThatEndedLongAgo) {
  Fill(0);
  Publish();
  clock_.Advance(hours(25));
  EXPECT_EQ(Publish().size(), 2u);
  clock_.Advance(hours(2));
  const ca::PublishedCrl crl = PublishOne();
  EXPECT_EQ(crl.shard, 1);
  EXPECT_EQ(PointOf(crl), UrlOf(1));  // also now that it is alone
}

TEST_F(ShardTest, OpensNoneForARoot) {
  PublisherOptions options;
  options.shard_size = 1;  // one issuing authority
  Replica replica(ports_, ports_.crls, clock_, options);
  const auto round = replica.publisher.PublishDue({root_});
  Must(round.error);
  ASSERT_EQ(round.published.size(), 1u);
  EXPECT_EQ(PointOf(round.published[0]), "none");
}

TEST_F(ShardTest, OpensNoneWithoutUrls) {
  Fill(0);
  Replica replica(ports_, ports_.crls, clock_, {.shard_size = 3}, ca::StatusUrls());
  EXPECT_EQ(PublishBy(replica).size(), 1u);
}

TEST_F(ShardTest, PublishesNoneOfSeveralWithoutUrls) {
  Fill(0);
  Publish();
  Replica replica(ports_, ports_.crls, clock_, {}, ca::StatusUrls());
  const auto round = replica.publisher.PublishDue({issuer_});
  EXPECT_EQ(round.error.code(), StatusCode::kFailedPrecondition);
  EXPECT_TRUE(round.published.empty());
}

TEST_F(ShardTest, GoesOnWithTheShardThatAnotherReplicaOpened) {
  Fill(0);
  testing::CrowdedStore store(ports_.crls);
  store.before_open = [&] { Must(ports_.crls.OpenShard(issuer_->id(), 0, clock_.Now())); };
  Replica replica(ports_, store, clock_, {.shard_size = 3});
  EXPECT_EQ(PublishBy(replica).size(), 2u);
}

}  // namespace
}  // namespace crl
