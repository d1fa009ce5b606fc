// The revocations in memory.

#include "ca/catalog/revocation_index.h"

#include <gtest/gtest.h>

#include <thread>

#include "tests/fakes/fake_clock.h"

namespace ca {
namespace {

using std::chrono::hours;

class RevocationIndexTest : public ::testing::Test {
 protected:
  Revocation New(AuthorityId authority, CrlShard shard, TimePoint not_after) const {
    return {.serial = SerialNumber::New(not_after),
            .hierarchy = HierarchyId{3},
            .authority = authority,
            .shard = shard,
            .not_after = not_after,
            .revoked_at = clock_.Now(),
            .reason = RevocationReason::kSuperseded,
            .invalidity_date = clock_.Now() - hours(2)};
  }
  Revocation New(AuthorityId authority = AuthorityId{7}, CrlShard shard = 0) const {
    return New(authority, shard, clock_.Now() + hours(1));
  }

  testing::FakeClock clock_;
  RevocationIndex index_;
};

TEST_F(RevocationIndexTest, GivesBackWhatWasAdded) {
  const Revocation revocation = New();
  EXPECT_FALSE(index_.Contains(revocation.serial));
  EXPECT_TRUE(index_.Add(revocation));
  const auto found = index_.Find(revocation.serial);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->serial, revocation.serial);
  EXPECT_EQ(found->hierarchy, revocation.hierarchy);
  EXPECT_EQ(found->authority, revocation.authority);
  EXPECT_EQ(found->not_after, revocation.not_after);
  EXPECT_EQ(found->revoked_at, revocation.revoked_at);
  EXPECT_EQ(found->reason, revocation.reason);
  EXPECT_EQ(found->invalidity_date, revocation.invalidity_date);
}

TEST_F(RevocationIndexTest, KeepsTheFirstOfTwo) {
  const Revocation first = New();
  Revocation second = first;
  second.reason = RevocationReason::kKeyCompromise;
  EXPECT_TRUE(index_.Add(first));
  EXPECT_FALSE(index_.Add(second));
  EXPECT_EQ(index_.Find(first.serial)->reason, RevocationReason::kSuperseded);
  EXPECT_EQ(index_.Generation(first.authority, first.shard), 1u);
}

TEST_F(RevocationIndexTest, ListsEachShardBySerial) {
  for (int i = 0; i < 50; ++i) index_.Add(New(AuthorityId{7}, i % 2));
  index_.Add(New(AuthorityId{8}, 0));
  const auto listed = index_.Listed(AuthorityId{7}, 1);
  EXPECT_EQ(listed.size(), 25u);
  EXPECT_TRUE(std::is_sorted(listed.begin(), listed.end(),
                             [](const auto& a, const auto& b) { return a.serial < b.serial; }));
  EXPECT_TRUE(index_.Listed(AuthorityId{9}, 0).empty());
}

// RFC 5280 section 3.3: until it was on a CRL that was issued after its end.
TEST_F(RevocationIndexTest, ForgetsNoSoonerThanLongAfterTheEnd) {
  const Revocation revocation = New();
  index_.Add(revocation);
  index_.Prune(revocation.not_after + RevocationIndex::kKeptAfterExpiry);
  EXPECT_TRUE(index_.Contains(revocation.serial));
  index_.Prune(revocation.not_after + RevocationIndex::kKeptAfterExpiry + std::chrono::seconds(1));
  EXPECT_FALSE(index_.Contains(revocation.serial));
  EXPECT_TRUE(index_.Listed(revocation.authority, revocation.shard).empty());
  EXPECT_EQ(index_.size(), 0u);
}

TEST_F(RevocationIndexTest, IsReadWhileItGrows) {
  std::vector<Revocation> revocations;
  for (int i = 0; i < 2000; ++i) revocations.push_back(New());
  std::thread writer([&] {
    for (const Revocation& revocation : revocations) index_.Add(revocation);
  });
  while (!index_.Contains(revocations.back().serial)) {
    const auto first = index_.Find(revocations.front().serial);
    if (first) {
      EXPECT_EQ(first->serial, revocations.front().serial);
    }
  }
  writer.join();
  EXPECT_EQ(index_.size(), revocations.size());
}

}  // namespace
}  // namespace ca
