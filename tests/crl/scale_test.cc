// CRLs with 100,000 entries are correct. The times are printed, not checked.

#include "ca/base/asn1.h"
#include "tests/crl/crl_test.h"

namespace crl {
namespace {

using testing::hours;
using testing::Must;
using testing::seconds;

class ScaleTest : public testing::CrlTest, public ::testing::WithParamInterface<int> {
 protected:
  // A mix of reasons and dates, as after a mass revocation.
  std::vector<ca::Revocation> Revocations(int count) {
    constexpr int kReasons[] = {0, 1, 3, 4, 5, 9};
    std::vector<ca::Revocation> revocations;
    for (int i = 0; i < count; ++i) {
      const ca::TimePoint not_after = clock_.Now() + seconds(i % 600'000);
      revocations.push_back({.serial = ca::SerialNumber::New(not_after),
                             .hierarchy = deployment_.acme.id,
                             .authority = issuer_->id(),
                             .not_after = not_after,
                             .revoked_at = clock_.Now() - seconds(i % 86'400),
                             .reason = *ca::RevocationReasonFrom(kReasons[i % 6])});
      if (i % 10 == 0) revocations.back().invalidity_date = clock_.Now() - hours(i % 100);
    }
    return revocations;
  }

  template <typename Act>
  auto Timed(const char* what, Act act) {
    const auto start = std::chrono::steady_clock::now();
    auto result = act();
    const auto elapsed = std::chrono::steady_clock::now() - start;
    const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(elapsed).count();
    fmt::print("{} of {} entries: {}.{:03} ms\n", what, GetParam(), micros / 1000, micros % 1000);
    RecordProperty(std::string(what) + "_us", std::to_string(micros));
    return result;
  }
};

TEST_P(ScaleTest, ListsThemAllAsTheyAre) {
  for (const auto& revocation : Revocations(GetParam())) replica_.index.Add(revocation);
  const auto revoked = Timed("listing", [&] { return replica_.index.Listed(issuer_->id(), 0); });
  CertList list{.issuer = issuer_->name(),
                .authority_key_identifier = issuer_->key_identifier(),
                .number = 1,
                .this_update = std::chrono::floor<seconds>(clock_.Now()),
                .next_update = std::chrono::floor<seconds>(clock_.Now()) + hours(1),
                .revoked = revoked};
  const ca::Bytes encoded = Timed("encoding", [&] { return list.EncodeTbs(); });
  const auto tbs = Timed("checking", [&] { return Must(ca::TbsCertList::Parse(encoded)); });
  const ca::Bytes signature = Timed("signing", [&] { return Must(issuer_->Sign(tbs)); });
  EXPECT_TRUE(Timed("verifying", [&] { return IsSignedBy(*issuer_, tbs.der(), signature); }));
  Timed("wrapping", [&] { return EncodeCrl(tbs.der(), signature); });
  const auto published = Timed("a whole round", [&] { return Publish(); });
  ASSERT_EQ(published.size(), 1u);
  Timed("reading back", [&] { return ReadBack(published[0]); });

  const testing::CrlPtr crl = testing::Parse(published[0].der);
  STACK_OF(X509_REVOKED)* const entries = X509_CRL_get_REVOKED(crl.get());
  ASSERT_EQ(sk_X509_REVOKED_num(entries), GetParam());
  const ReadCrl read = ReadBack(published[0]);
  for (int i = 0; i < GetParam(); ++i) {
    const X509_REVOKED* const entry = sk_X509_REVOKED_value(entries, i);
    const ca::Revocation& expected = revoked[static_cast<size_t>(i)];
    ASSERT_EQ(ca::OctetsOf(X509_REVOKED_get0_serialNumber(entry)), expected.serial.bytes());
    ASSERT_EQ(Must(ca::TimeOf(X509_REVOKED_get0_revocationDate(entry))),
              std::chrono::floor<seconds>(expected.revoked_at));
    ASSERT_EQ(X509_REVOKED_get_ext_by_NID(entry, NID_invalidity_date, -1) >= 0,
              expected.invalidity_date.has_value());
    ASSERT_EQ(read.revoked[static_cast<size_t>(i)], std::pair(expected.serial, expected.reason));
  }
}
INSTANTIATE_TEST_SUITE_P(, ScaleTest, ::testing::Values(1'000, 100'000));

}  // namespace
}  // namespace crl
