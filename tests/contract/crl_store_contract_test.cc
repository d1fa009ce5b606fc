// The shards of an authority's certificates, and the numbers of their CRLs.

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>

#include "ca/catalog/revocation_index.h"
#include "tests/contract/ledger_fixture.h"

namespace contract {
namespace {

using ca::AuthorityId;
using ca::Certificate;
using ca::CrlShard;
using ca::CrlShardRecord;
using ca::PublishedCrl;
using ca::StatusCode;
using ca::SystemGrounds;
using ca::TimePoint;
using ca::testing::Must;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

static_assert(CrlShardRecord::kKeptAfterExpiry == ca::RevocationIndex::kKeptAfterExpiry);

class CrlStoreContract : public LedgerContract {
 protected:
  CrlStoreContract()
      : issuing_(Must(deployment_.catalog->Find(deployment_.acme.id)->ActiveIssuer())),
        root_(issuing_->issuer()) {}

  std::vector<CrlShardRecord> ShardsOf(AuthorityId authority) {
    auto shards = Must(crls().LoadShards(clock_.Now()));
    std::erase_if(shards, [&](const CrlShardRecord& s) { return s.authority != authority; });
    return shards;
  }
  std::optional<CrlShardRecord> Shard(CrlShard shard) {
    for (const CrlShardRecord& record : ShardsOf(issuing_->id())) {
      if (record.shard == shard) return record;
    }
    return std::nullopt;
  }
  ca::Status Open(CrlShard newest) {
    return crls().OpenShard(issuing_->id(), newest, clock_.Now());
  }

  Certificate IssueIn(CrlShard shard) {
    ca::StatusDirectory directory(Must(ca::StatusUrls::At("http://status.test")));
    directory.SetNewestShard(issuing_->id(), shard);
    const auto* const profile = Must(deployment_.acme.FindProfile(bot_.profile));
    auto prepared = Must(issuing_->Prepare(deployment_.HierarchyOf(bot_), bot_, *profile, NewKey(),
                                           directory.For(issuing_->id()), clock_.Now()));
    return SignAndRecord(Recorded(Record(std::move(prepared), SystemGrounds{}, NewRequest())));
  }

  PublishedCrl Crl(std::int64_t number, CrlShard shard = 0, std::int64_t base = 0) const {
    return {
        .authority = issuing_->id(),
        .shard = shard,
        .number = number,
        .base_number = base,
        .this_update = clock_.Now(),
        .next_update = clock_.Now() + hours(1),
        .der = ca::Bytes("\x30\x00\xff", 3) + std::to_string(number),
    };
  }
  ca::Status Publish(const PublishedCrl& crl) { return crls().Publish(deployment_.acme.id, crl); }
  std::int64_t LastNumber(CrlShard shard = 0) {
    return Must(crls().LastNumber(issuing_->id(), shard));
  }
  std::vector<PublishedCrl> NewerThan(const std::vector<PublishedCrl>& known) {
    return Must(crls().LoadNewerThan(known));
  }

  const std::shared_ptr<const ca::Authority> issuing_;
  const AuthorityId root_;
};

INSTANTIATE_CONTRACT(CrlStoreContract);

// ---- shards -------------------------------------------------------------------------------------

TEST_P(CrlStoreContract, HasShardZeroOfEachRootAndIssuingAuthorityFromTheBeginning) {
  const auto shards = Must(crls().LoadShards(clock_.Now()));
  ASSERT_EQ(shards.size(), 6u) << "of three hierarchies";
  EXPECT_TRUE(std::is_sorted(shards.begin(), shards.end(), [](const auto& a, const auto& b) {
    return a.authority < b.authority;
  }));
  const auto shard = Shard(0);
  ASSERT_TRUE(shard);
  EXPECT_EQ(shard->opened_at, TimePoint());
  EXPECT_EQ(shard->last_not_after, TimePoint());
  EXPECT_EQ(shard->certificate_count, 0);
}

TEST_P(CrlStoreContract, HasNoShardOfARootThatIsSomebodyElses) {
  const size_t before = Must(crls().LoadShards(clock_.Now())).size();
  Must(authorities()
           .AdoptRoot(deployment_.acme, 2, "root", EventIn(deployment_.acme, "AdoptRoot"))
           .status());
  EXPECT_EQ(Must(crls().LoadShards(clock_.Now())).size(), before);
}

TEST_P(CrlStoreContract, CountsTheIssuingAuthorityInTheShardOfItsRoot) {
  const auto shards = ShardsOf(root_);
  ASSERT_EQ(shards.size(), 1u);
  EXPECT_EQ(shards[0].certificate_count, 1);
  EXPECT_EQ(shards[0].last_not_after, issuing_->validity().not_after);
}

TEST_P(CrlStoreContract, CountsTheCertificatesOfAShardThatAreLive) {
  const Certificate first = IssueIn(0);
  clock_.Advance(minutes(10));
  const Certificate last = IssueIn(0);
  auto shard = Shard(0);
  EXPECT_EQ(shard->certificate_count, 2);
  EXPECT_GE(shard->last_not_after, last.record.validity.not_after);
  EXPECT_LT(shard->last_not_after, last.record.validity.not_after + hours(24));
  clock_.Set(first.record.validity.not_after + seconds(1));
  EXPECT_EQ(Shard(0)->certificate_count, 1);
}

TEST_P(CrlStoreContract, OpensTheNextShard) {
  Must(Open(0));
  ASSERT_EQ(ShardsOf(issuing_->id()).size(), 1u) << "shard 0 had no certificates";
  const auto shard = Shard(1);
  ASSERT_TRUE(shard);
  EXPECT_EQ(shard->opened_at, clock_.Now());
  EXPECT_EQ(shard->certificate_count, 0);
}

TEST_P(CrlStoreContract, OpensAShardOnce) {
  EXPECT_EQ(Open(1).code(), StatusCode::kAborted) << "it is not the newest";
  Must(Open(0));
  EXPECT_EQ(Open(0).code(), StatusCode::kAborted);
  EXPECT_TRUE(Open(1).ok());
  EXPECT_EQ(ShardsOf(issuing_->id()).back().shard, 2);
}

TEST_P(CrlStoreContract, KeepsAnOlderShardUntilADayAfterItsLastCertificateHasEnded) {
  const Certificate last = IssueIn(0);
  Must(Open(0));
  IssueIn(1);
  const auto shards = ShardsOf(issuing_->id());
  ASSERT_EQ(shards.size(), 2u);
  EXPECT_EQ(shards[0].certificate_count, 1);
  EXPECT_EQ(shards[1].certificate_count, 1);
  clock_.Set(last.record.validity.not_after + CrlShardRecord::kKeptAfterExpiry);
  EXPECT_TRUE(Shard(0));
  clock_.Advance(hours(24));
  EXPECT_FALSE(Shard(0));
  EXPECT_TRUE(Shard(1)) << "the newest stays";
}

// ---- numbers ------------------------------------------------------------------------------------

TEST_P(CrlStoreContract, LoadsACrlAsItWasPublished) {
  const PublishedCrl crl = Crl(1);
  Must(Publish(crl));
  const auto loaded = NewerThan({});
  ASSERT_EQ(loaded.size(), 1u);
  ExpectSame(loaded[0], crl);
}

TEST_P(CrlStoreContract, HasNoNumberBeforeTheFirst) {
  EXPECT_EQ(LastNumber(), 0);
  EXPECT_TRUE(NewerThan({}).empty());
}

TEST_P(CrlStoreContract, LetsNumbersIncreaseOnly) {
  Must(Publish(Crl(1)));
  Must(Publish(Crl(5)));
  for (const std::int64_t taken : {1, 4, 5}) {
    EXPECT_EQ(Publish(Crl(taken)).code(), StatusCode::kAlreadyExists) << taken;
  }
  EXPECT_EQ(LastNumber(), 5);
  EXPECT_TRUE(Publish(Crl(6)).ok());
}

TEST_P(CrlStoreContract, NumbersEachShardByItself) {
  Must(Publish(Crl(7)));
  EXPECT_EQ(LastNumber(1), 0);
  EXPECT_TRUE(Publish(Crl(1, 1)).ok());
  EXPECT_EQ(LastNumber(0), 7);
  EXPECT_EQ(LastNumber(1), 1);
}

TEST_P(CrlStoreContract, NumbersCompleteAndDeltaCrlsTogether) {
  Must(Publish(Crl(1)));
  Must(Publish(Crl(2, 0, 1)));
  EXPECT_EQ(Publish(Crl(2)).code(), StatusCode::kAlreadyExists);
  EXPECT_EQ(LastNumber(), 2);
}

TEST_P(CrlStoreContract, PublishesNoCrlOfAnotherHierarchysAuthority) {
  EXPECT_FALSE(crls().Publish(deployment_.globex.id, Crl(1)).ok());
  EXPECT_EQ(LastNumber(), 0);
}

TEST_P(CrlStoreContract, LoadsTheNewestCompleteAndTheNewestDeltaOfEachShard) {
  for (const PublishedCrl& crl : {Crl(1), Crl(2), Crl(3, 0, 2), Crl(4, 0, 2), Crl(1, 1)}) {
    Must(Publish(crl));
  }
  const auto loaded = NewerThan({});
  ASSERT_EQ(loaded.size(), 3u);
  ExpectSame(loaded[0], Crl(2));
  ExpectSame(loaded[1], Crl(4, 0, 2));
  ExpectSame(loaded[2], Crl(1, 1));
}

TEST_P(CrlStoreContract, LoadsNothingThatIsKnown) {
  Must(Publish(Crl(1)));
  Must(Publish(Crl(2, 0, 1)));
  const auto known = NewerThan({});
  EXPECT_TRUE(NewerThan(known).empty());
  Must(Publish(Crl(3, 0, 1)));
  const auto newer = NewerThan(known);
  ASSERT_EQ(newer.size(), 1u);
  ExpectSame(newer[0], Crl(3, 0, 1));
}

TEST_P(CrlStoreContract, WakesWhoeverAwaitsNews) {
  const auto await = [this](std::chrono::milliseconds patience) {
    const auto start = std::chrono::steady_clock::now();
    Must(revocations().AwaitNews(patience));
    return std::chrono::steady_clock::now() - start;
  };
  await(std::chrono::milliseconds(1));
  await(std::chrono::milliseconds(1));
  Must(Publish(Crl(1)));
  EXPECT_LT(await(seconds(30)), seconds(15));
  Must(Open(0));
  EXPECT_LT(await(seconds(30)), seconds(15));
}

}  // namespace
}  // namespace contract
