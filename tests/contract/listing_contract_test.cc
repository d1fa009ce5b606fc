// Listings of certificates: their rows, their order, their pages.

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/contract/ledger_fixture.h"

namespace contract {
namespace {

using ca::Certificate;
using ca::CertificateEntry;
using ca::CertificateQuery;
using std::chrono::hours;
using std::chrono::microseconds;

class ListingContract : public LedgerContract {
 protected:
  static std::vector<std::string> SerialsOf(const std::vector<CertificateEntry>& entries) {
    std::vector<std::string> serials;
    for (const CertificateEntry& entry : entries) serials.push_back(entry.serial.ToString());
    return serials;
  }

  // In the order that the contract promises.
  std::vector<std::string> IssueSome(int count) {
    std::vector<std::string> serials;
    for (int i = 0; i < count; ++i) {
      serials.push_back(deployment_.Issue(bot_).record.serial.ToString());
    }
    std::sort(serials.rbegin(), serials.rend());
    return serials;
  }
};
INSTANTIATE_CONTRACT(ListingContract);

TEST_P(ListingContract, ShowsWhatWasRecorded) {
  const Certificate issued = deployment_.Issue(bot_);
  const auto entries = List(QueryOf(deployment_.acme));
  ASSERT_EQ(entries.size(), 1u);
  const CertificateEntry& entry = entries.front();
  EXPECT_EQ(entry.serial, issued.record.serial);
  EXPECT_EQ(entry.hierarchy, deployment_.acme.id);
  EXPECT_EQ(entry.subject, bot_.id);
  EXPECT_EQ(entry.profile, "agent");
  EXPECT_EQ(entry.key_fingerprint, issued.record.key_fingerprint);
  EXPECT_EQ(entry.validity.not_before, issued.record.validity.not_before);
  EXPECT_EQ(entry.validity.not_after, issued.record.validity.not_after);
  EXPECT_EQ(entry.recorded_at, clock_.Now()) << "to the microsecond";
  EXPECT_TRUE(entry.is_signed);
}

TEST_P(ListingContract, ShowsAnIntentThatWasNeverSignedAsSuch) {
  ASSERT_TRUE(Record(bot_, NewKey(), ca::SystemGrounds{}).ok());
  const auto entries = List(QueryOf(deployment_.acme));
  ASSERT_EQ(entries.size(), 1u);
  EXPECT_FALSE(entries.front().is_signed);
}

TEST_P(ListingContract, ShowsNothingOfAnotherHierarchy) {
  deployment_.Issue(stranger_);
  EXPECT_TRUE(List(QueryOf(deployment_.acme)).empty());
}

TEST_P(ListingContract, IsInTheOrderOfDescendingSerials) {
  const auto serials = IssueSome(5);
  EXPECT_EQ(SerialsOf(List(QueryOf(deployment_.acme))), serials);
}

TEST_P(ListingContract, BeginsWithTheLatestDayOfExpiry) {
  const Certificate today = deployment_.Issue(bot_);
  clock_.Advance(hours(48));
  const Certificate later = deployment_.Issue(bot_);
  EXPECT_EQ(SerialsOf(List(QueryOf(deployment_.acme))),
            (std::vector{later.record.serial.ToString(), today.record.serial.ToString()}));
}

TEST_P(ListingContract, GoesOnAfterThePageBeforeAndLeavesNoneOut) {
  const auto serials = IssueSome(5);
  CertificateQuery query = QueryOf(deployment_.acme);
  query.page_size = 2;
  std::vector<std::string> seen;
  for (int page = 0; page < 3; ++page) {
    const auto entries = List(query);
    EXPECT_EQ(entries.size(), page < 2 ? 2u : 1u);
    for (const CertificateEntry& entry : entries) seen.push_back(entry.serial.ToString());
    query.page_token = entries.back().serial;
  }
  EXPECT_EQ(seen, serials);
  EXPECT_TRUE(List(query).empty());
}

TEST_P(ListingContract, GoesOnAcrossDaysOfExpiry) {
  const Certificate today = deployment_.Issue(bot_);
  clock_.Advance(hours(48));
  const Certificate later = deployment_.Issue(bot_);
  CertificateQuery query = QueryOf(deployment_.acme);
  query.page_token = later.record.serial;
  EXPECT_EQ(SerialsOf(List(query)), std::vector{today.record.serial.ToString()});
}

TEST_P(ListingContract, ShowsOneSubjectWhenAskedFor) {
  const Certificate wanted = deployment_.Issue(bot_);
  deployment_.Issue(other_);
  CertificateQuery query = QueryOf(deployment_.acme);
  query.subject = bot_.id;
  EXPECT_EQ(SerialsOf(List(query)), std::vector{wanted.record.serial.ToString()});
}

TEST_P(ListingContract, ShowsLiveCertificatesAloneWhenAskedFor) {
  const Certificate live = deployment_.Issue(bot_);
  ASSERT_TRUE(Record(bot_, NewKey(), ca::SystemGrounds{}).ok()) << "one that is not signed";
  CertificateQuery query = QueryOf(deployment_.acme);
  query.live_only = true;

  query.now = live.record.validity.not_after;  // its last instant
  EXPECT_EQ(SerialsOf(List(query)), std::vector{live.record.serial.ToString()});
  query.now = live.record.validity.not_after + microseconds(1);
  EXPECT_TRUE(List(query).empty());
}

}  // namespace
}  // namespace contract
