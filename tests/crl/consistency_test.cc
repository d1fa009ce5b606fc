#include "crl/consistency.h"

#include "tests/crl/crl_test.h"

namespace crl {
namespace {

using testing::hours;
using testing::minutes;
using testing::Must;
using testing::seconds;

class ConsistencyTest : public testing::CrlTest {
 protected:
  explicit ConsistencyTest(PublisherOptions options = {}) : CrlTest(options) {}

  std::vector<ca::Revocation> Ledger() {
    ca::RevocationCursor cursor;
    return Must(ports_.revocations.ReadSince(cursor, clock_.Now()));
  }
  // The last published CRL of each kind.
  void Serve(const std::vector<ca::PublishedCrl>& published) {
    for (const ca::PublishedCrl& crl : published) {
      std::erase_if(served_, [&](const ServedCrl& one) {
        return one.shard == crl.shard && (one.crl.base_number == 0) == (crl.base_number == 0);
      });
      served_.push_back({crl.authority, crl.shard, ReadBack(crl)});
    }
  }
  std::string Discrepancies() {
    std::string lines;
    for (const std::string& line : Compare(Ledger(), served_, clock_.Now())) lines += line + "\n";
    return lines;
  }
  std::string Name(ca::CrlShard shard = 0) const {
    return fmt::format("CRL {} of authority {} ", shard, static_cast<std::int64_t>(issuer_->id()));
  }

  std::vector<ServedCrl> served_;
};

TEST_F(ConsistencyTest, FindsNothingWhereEverythingIsListed) {
  RevokeOne();
  Revoke(Issue().record.serial, ca::RevocationReason::kUnspecified);
  Serve(Publish());
  clock_.Advance(minutes(5));
  EXPECT_EQ(Discrepancies(), "");
}

TEST_F(ConsistencyTest, FindsARevocationThatIsNotListedAfterTenSeconds) {
  Serve(Publish());
  const std::string revoked_at = ca::Rfc3339(clock_.Now());
  const auto serial = RevokeOne();
  clock_.Advance(seconds(10));
  EXPECT_EQ(Discrepancies(), "");
  clock_.Advance(seconds(1));
  EXPECT_EQ(Discrepancies(), fmt::format("{}number 1 of {} does not list {}, revoked at {}\n",
                                         Name(), revoked_at, serial.ToString(), revoked_at));
  Serve(Publish());
  EXPECT_EQ(Discrepancies(), "");
}

TEST_F(ConsistencyTest, FindsNoFaultWithWhatHasEnded) {
  Serve(Publish());
  RevokeOne();
  const auto ledger = Ledger();
  clock_.Advance(hours(1) + seconds(1));
  for (ServedCrl& one : served_) one.crl.next_update = clock_.Now() + minutes(1);
  EXPECT_TRUE(Compare(ledger, served_, clock_.Now()).empty());
}

TEST_F(ConsistencyTest, FindsARevocationWhoseCrlIsNotServed) {
  const auto serial = RevokeOne();
  clock_.Advance(seconds(11));
  EXPECT_EQ(Discrepancies(), Name() + "is not served, and " + serial.ToString() + " is revoked\n");
}

TEST_F(ConsistencyTest, FindsAnEntryThatTheLedgerDoesNotHave) {
  Serve(Publish());
  const auto stray = ca::SerialNumber::New(clock_.Now() + hours(1));
  served_[0].crl.revoked.emplace_back(stray, ca::RevocationReason::kSuperseded);
  EXPECT_EQ(Discrepancies(),
            Name() + "lists " + stray.ToString() + ", which the ledger does not\n");

  served_[0].crl.revoked[0].first = ca::SerialNumber::New(clock_.Now() - hours(24));
  EXPECT_EQ(Discrepancies(), "");
}

TEST_F(ConsistencyTest, FindsAnotherReason) {
  const auto serial = RevokeOne();
  Serve(Publish());
  served_[0].crl.revoked[0].second = ca::RevocationReason::kKeyCompromise;
  EXPECT_EQ(Discrepancies(), Name() + "lists " + serial.ToString() +
                                 " for keyCompromise; the ledger has superseded\n");
}

TEST_F(ConsistencyTest, FindsAnEntryOnTheCrlOfAnotherShard) {
  const auto serial = RevokeOne();
  Serve(Publish());
  served_[0].shard = 1;
  clock_.Advance(seconds(11));
  EXPECT_EQ(Discrepancies(), Name(1) + "lists " + serial.ToString() + ", which belongs to " +
                                 Name().substr(0, Name().size() - 1) + "\n" + Name() +
                                 "is not served, and " + serial.ToString() + " is revoked\n");
}

TEST_F(ConsistencyTest, FindsACrlThatIsPastItsNextUpdate) {
  Serve(Publish());
  const std::string next_update = ca::Rfc3339(served_[0].crl.next_update);
  clock_.Advance(hours(1));
  EXPECT_EQ(Discrepancies(), Name() + "is past its nextUpdate, " + next_update + "\n");
}

class DeltaConsistencyTest : public ConsistencyTest {
 protected:
  DeltaConsistencyTest() : ConsistencyTest({.deltas = true}) {
    for (int i = 0; i < 8; ++i) RevokeOne();
    Serve(Publish());
    clock_.Advance(seconds(1));
    added_ = RevokeOne();
    Serve(Publish());
    clock_.Advance(seconds(11));
  }
  std::optional<ca::SerialNumber> added_;
};

TEST_F(DeltaConsistencyTest, TakesTheCompleteCrlAndItsDeltaTogether) {
  ASSERT_EQ(served_.size(), 2u);
  EXPECT_EQ(Discrepancies(), "");
}

TEST_F(DeltaConsistencyTest, TakesNoDeltaToAnotherCrl) {
  served_[1].crl.base_number = 2;
  EXPECT_NE(Discrepancies().find("number 1 of"), std::string::npos);
  EXPECT_NE(Discrepancies().find("does not list " + added_->ToString()), std::string::npos);
}

TEST_F(DeltaConsistencyTest, FindsADeltaWithoutItsBase) {
  served_.erase(served_.begin());
  EXPECT_NE(Discrepancies().find("is a delta to a CRL that is not served"), std::string::npos);
}

TEST_F(DeltaConsistencyTest, FindsADeltaThatIsPastItsNextUpdate) {
  served_[1].crl.next_update = clock_.Now() - seconds(1);
  EXPECT_NE(Discrepancies().find("has a delta past its nextUpdate"), std::string::npos);
}

}  // namespace
}  // namespace crl
