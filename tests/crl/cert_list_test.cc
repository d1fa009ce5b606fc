// The encoded CRL as OpenSSL's own X509_CRL reads it.

#include "crl/cert_list.h"

#include "ca/base/asn1.h"
#include "tests/crl/crl_test.h"

namespace crl {
namespace {

using ca::RevocationReason;
using testing::CrlPtr;
using testing::hours;
using testing::Must;
using testing::Parse;
using testing::seconds;

const ca::TimePoint kNoon = std::chrono::sys_days(std::chrono::year(2026) / 11 / 24) + hours(12);
const ca::TimePoint kEndOf2049 =
    std::chrono::sys_days(std::chrono::year(2050) / 1 / 1) - seconds(1);

ca::Revocation RevokedFor(RevocationReason reason) {
  return {.serial = ca::SerialNumber::New(kNoon + hours(1)),
          .not_after = kNoon + hours(1),
          .revoked_at = kNoon - hours(1),
          .reason = reason};
}

class CertListTest : public testing::CrlTest {
 protected:
  CertListTest() {
    list_.issuer = issuer_->name();
    list_.authority_key_identifier = issuer_->key_identifier();
    list_.number = 7;
    list_.this_update = kNoon;
    list_.next_update = kNoon + hours(1);
  }

  ca::Bytes SignedDer() const {
    const ca::Bytes tbs = list_.EncodeTbs();
    return EncodeCrl(tbs, Must(issuer_->Sign(Must(ca::TbsCertList::Parse(tbs)))));
  }
  CrlPtr Signed() const { return Parse(SignedDer()); }

  static X509_REVOKED* EntryOf(const CrlPtr& crl, int i = 0) {
    return sk_X509_REVOKED_value(X509_CRL_get_REVOKED(crl.get()), i);
  }
  // -1: absent.
  static int ReasonOf(const X509_REVOKED* entry) {
    const ca::Owned<ASN1_ENUMERATED, ASN1_ENUMERATED_free> reason(static_cast<ASN1_ENUMERATED*>(
        X509_REVOKED_get_ext_d2i(entry, NID_crl_reason, nullptr, nullptr)));
    return reason ? static_cast<int>(ASN1_ENUMERATED_get(reason.get())) : -1;
  }
  static std::string NumberOf(const CrlPtr& crl, int nid, int* critical = nullptr) {
    const ca::Asn1IntegerPtr number(
        static_cast<ASN1_INTEGER*>(X509_CRL_get_ext_d2i(crl.get(), nid, critical, nullptr)));
    return number ? std::to_string(ASN1_INTEGER_get(number.get())) : "none";
  }
  static bool HasExtension(const CrlPtr& crl, int nid) {
    return X509_CRL_get_ext_by_NID(crl.get(), nid, -1) >= 0;
  }
  static std::string UrlOf(const DIST_POINT_NAME* point) {
    if (!point || point->type != 0 || sk_GENERAL_NAME_num(point->name.fullname) != 1) return "";
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(point->name.fullname, 0);
    return name->type == GEN_URI ? std::string(ca::OctetsOf(name->d.uniformResourceIdentifier))
                                 : "";
  }

  CertList list_;
};

TEST_F(CertListTest, IsVersionTwoOfItsIssuerByItsKey) {
  const CrlPtr crl = Signed();
  ASSERT_TRUE(crl);
  EXPECT_EQ(X509_CRL_get_version(crl.get()), 1);
  EXPECT_EQ(X509_NAME_cmp(X509_CRL_get_issuer(crl.get()), X509_get_subject_name(issuer_->x509())),
            0);
  EXPECT_EQ(X509_CRL_get_signature_nid(crl.get()), NID_ecdsa_with_SHA256);
  EXPECT_EQ(X509_CRL_verify(crl.get(), X509_get0_pubkey(issuer_->x509())), 1);
  EXPECT_EQ(Must(ca::TimeOf(X509_CRL_get0_lastUpdate(crl.get()))), kNoon);
  EXPECT_EQ(Must(ca::TimeOf(X509_CRL_get0_nextUpdate(crl.get()))), kNoon + hours(1));
  EXPECT_EQ(NumberOf(crl, NID_crl_number), "7");
  const ca::Owned<AUTHORITY_KEYID, AUTHORITY_KEYID_free> key(static_cast<AUTHORITY_KEYID*>(
      X509_CRL_get_ext_d2i(crl.get(), NID_authority_key_identifier, nullptr, nullptr)));
  ASSERT_TRUE(key);
  EXPECT_EQ(ca::OctetsOf(key->keyid), issuer_->key_identifier());
}

TEST_F(CertListTest, HasNoListWhenNothingIsRevoked) {
  const CrlPtr crl = Signed();
  EXPECT_EQ(X509_CRL_get_REVOKED(crl.get()), nullptr);
}

TEST_F(CertListTest, HasNoExtensionThatWasNotRequested) {
  const CrlPtr crl = Signed();
  EXPECT_EQ(X509_CRL_get_ext_count(crl.get()), 2);  // the authority key identifier and the number
}

// OpenSSL reads BER and writes DER, so the octets were DER if both are equal.
TEST_F(CertListTest, IsDerToTheLastOctet) {
  for (const auto reason : {RevocationReason::kUnspecified, RevocationReason::kSuperseded}) {
    list_.revoked.push_back(RevokedFor(reason));
    list_.revoked.push_back(RevokedFor(reason));
    list_.revoked.back().invalidity_date = kNoon - hours(30);
  }
  list_.number = 0x80;  // a sign bit
  list_.base_number = 0x7f;
  list_.distribution_point = "http://status.test/crl/7/0.crl";
  std::sort(list_.revoked.begin(), list_.revoked.end(),
            [](const auto& a, const auto& b) { return a.serial < b.serial; });
  const ca::Bytes tbs = list_.EncodeTbs();
  const CrlPtr crl = Signed();
  unsigned char* again = nullptr;
  const int size = i2d_re_X509_CRL_tbs(crl.get(), &again);
  const ca::OpenSslBuffer<unsigned char> owned(again);
  EXPECT_EQ(ca::BytesView(reinterpret_cast<char*>(again), static_cast<size_t>(size)), tbs);
}

TEST_F(CertListTest, GivesEachReasonByItsNumberAndUnspecifiedByNone) {
  for (const auto& [reason, number] :
       std::vector<std::pair<RevocationReason, int>>{{RevocationReason::kUnspecified, -1},
                                                     {RevocationReason::kKeyCompromise, 1},
                                                     {RevocationReason::kCaCompromise, 2},
                                                     {RevocationReason::kAffiliationChanged, 3},
                                                     {RevocationReason::kSuperseded, 4},
                                                     {RevocationReason::kCessationOfOperation, 5},
                                                     {RevocationReason::kPrivilegeWithdrawn, 9},
                                                     {RevocationReason::kAaCompromise, 10}}) {
    list_.revoked = {RevokedFor(reason)};
    const CrlPtr crl = Signed();
    const X509_REVOKED* entry = EntryOf(crl);
    EXPECT_EQ(ReasonOf(entry), number);
    EXPECT_EQ(ca::OctetsOf(X509_REVOKED_get0_serialNumber(entry)), list_.revoked[0].serial.bytes());
    EXPECT_EQ(Must(ca::TimeOf(X509_REVOKED_get0_revocationDate(entry))), kNoon - hours(1));
    EXPECT_EQ(X509_REVOKED_get_ext_count(entry), number == -1 ? 0 : 1);
    EXPECT_EQ(Must(Read(SignedDer(), *issuer_)).revoked,
              (std::vector{std::pair(list_.revoked[0].serial, reason)}));
  }
}

// An entry with extensions before one without, and the reverse.
TEST_F(CertListTest, GivesNoEntryTheExtensionsOfAnother) {
  for (const auto reason : {RevocationReason::kUnspecified, RevocationReason::kKeyCompromise,
                            RevocationReason::kUnspecified, RevocationReason::kAaCompromise,
                            RevocationReason::kKeyCompromise, RevocationReason::kKeyCompromise}) {
    list_.revoked.push_back(RevokedFor(reason));
  }
  list_.revoked.back().invalidity_date = kNoon - hours(2);
  const CrlPtr crl = Signed();
  std::vector<int> reasons;
  for (int i = 0; i < 6; ++i) reasons.push_back(ReasonOf(EntryOf(crl, i)));
  EXPECT_EQ(reasons, (std::vector{-1, 1, -1, 10, 1, 1}));
  EXPECT_EQ(X509_REVOKED_get_ext_count(EntryOf(crl, 4)), 1);
  EXPECT_EQ(X509_REVOKED_get_ext_count(EntryOf(crl, 5)), 2);
}

TEST_F(CertListTest, GivesAnInvalidityDateAsGeneralizedTime) {
  list_.revoked = {RevokedFor(RevocationReason::kUnspecified)};
  list_.revoked[0].invalidity_date = kNoon - hours(26);
  const CrlPtr crl = Signed();
  int critical = 0;
  const ca::Owned<ASN1_GENERALIZEDTIME, ASN1_GENERALIZEDTIME_free> date(
      static_cast<ASN1_GENERALIZEDTIME*>(
          X509_REVOKED_get_ext_d2i(EntryOf(crl), NID_invalidity_date, &critical, nullptr)));
  ASSERT_TRUE(date);
  EXPECT_EQ(critical, 0);
  EXPECT_EQ(ca::OctetsOf(date.get()), "20261123100000Z");
}

// RFC 5280 sections 5.1.2.4 to 5.1.2.6.
TEST_F(CertListTest, WritesUtcTimeUntil2049AndGeneralizedTimeFrom2050On) {
  list_.this_update = kEndOf2049;
  list_.next_update = kEndOf2049 + seconds(1);
  list_.revoked = {RevokedFor(RevocationReason::kSuperseded),
                   RevokedFor(RevocationReason::kSuperseded)};
  list_.revoked[0].revoked_at = kEndOf2049;
  list_.revoked[1].revoked_at = kEndOf2049 + seconds(1);
  const CrlPtr crl = Signed();
  const auto written = [](const ASN1_TIME* time) {
    return (ASN1_STRING_type(time) == V_ASN1_UTCTIME ? "UTC " : "Generalized ") +
           std::string(ca::OctetsOf(time));
  };
  EXPECT_EQ(written(X509_CRL_get0_lastUpdate(crl.get())), "UTC 491231235959Z");
  EXPECT_EQ(written(X509_CRL_get0_nextUpdate(crl.get())), "Generalized 20500101000000Z");
  EXPECT_EQ(written(X509_REVOKED_get0_revocationDate(EntryOf(crl, 0))), "UTC 491231235959Z");
  EXPECT_EQ(written(X509_REVOKED_get0_revocationDate(EntryOf(crl, 1))),
            "Generalized 20500101000000Z");
}

TEST_F(CertListTest, NamesItsDistributionPointCriticallyAndNothingElseOfIt) {
  list_.distribution_point = "http://status.test/crl/7/3.crl";
  const CrlPtr crl = Signed();
  int critical = 0;
  const ca::Owned<ISSUING_DIST_POINT, ISSUING_DIST_POINT_free> point(
      static_cast<ISSUING_DIST_POINT*>(
          X509_CRL_get_ext_d2i(crl.get(), NID_issuing_distribution_point, &critical, nullptr)));
  ASSERT_TRUE(point);
  EXPECT_EQ(critical, 1);
  EXPECT_EQ(UrlOf(point->distpoint), list_.distribution_point);
  EXPECT_FALSE(point->onlyuser > 0 || point->onlyCA > 0 || point->indirectCRL > 0 ||
               point->onlyattr > 0 || point->onlysomereasons);
}

TEST_F(CertListTest, PointsFromACompleteCrlToItsDelta) {
  list_.freshest_crl = "http://status.test/crl/7/0-delta.crl";
  const CrlPtr crl = Signed();
  int critical = 0;
  const ca::Owned<CRL_DIST_POINTS, CRL_DIST_POINTS_free> points(static_cast<CRL_DIST_POINTS*>(
      X509_CRL_get_ext_d2i(crl.get(), NID_freshest_crl, &critical, nullptr)));
  ASSERT_TRUE(points);
  EXPECT_EQ(critical, 0);
  EXPECT_EQ(UrlOf(sk_DIST_POINT_value(points.get(), 0)->distpoint), list_.freshest_crl);
  EXPECT_FALSE(HasExtension(crl, NID_delta_crl));
}

TEST_F(CertListTest, NamesTheBaseOfADeltaCriticallyAndNoFresherOne) {
  list_.base_number = 5;
  list_.freshest_crl = "http://status.test/crl/7/0-delta.crl";
  const CrlPtr crl = Signed();
  int critical = 0;
  EXPECT_EQ(NumberOf(crl, NID_delta_crl, &critical), "5");
  EXPECT_EQ(critical, 1);
  EXPECT_FALSE(HasExtension(crl, NID_freshest_crl));
  EXPECT_EQ(Must(Read(SignedDer(), *issuer_)).base_number, 5);
}

TEST_F(CertListTest, NumbersBeyond32Bits) {
  list_.number = std::numeric_limits<std::int64_t>::max();
  EXPECT_EQ(Must(Read(SignedDer(), *issuer_)).number, list_.number);
}

// ---- reading back -------------------------------------------------------------------------------

TEST_F(CertListTest, ReadsByTheOrderOfSerials) {
  for (int i = 0; i < 20; ++i) list_.revoked.push_back(RevokedFor(RevocationReason::kSuperseded));
  const ReadCrl read = Must(Read(SignedDer(), *issuer_));
  EXPECT_TRUE(std::is_sorted(read.revoked.begin(), read.revoked.end()));
  EXPECT_EQ(read.revoked.size(), 20u);
  EXPECT_EQ(read.this_update, kNoon);
  EXPECT_EQ(read.next_update, kNoon + hours(1));
  EXPECT_EQ(read.base_number, 0);
}

TEST_F(CertListTest, ReadsNothingTruncatedOrProlonged) {
  list_.revoked = {RevokedFor(RevocationReason::kSuperseded)};
  const ca::Bytes der = SignedDer();
  for (size_t size = 0; size < der.size(); ++size) {
    EXPECT_EQ(Read(der.substr(0, size), *issuer_).status().code(), ca::StatusCode::kInvalidArgument)
        << size;
  }
  EXPECT_FALSE(Read(der + '\0', *issuer_).ok());
  EXPECT_TRUE(Read(der, *issuer_).ok());
}

// Each bit is signed, or is part of the signature, or identifies the signature algorithm.
TEST_F(CertListTest, ReadsNothingWithAnOctetChanged) {
  list_.revoked = {RevokedFor(RevocationReason::kSuperseded)};
  const ca::Bytes der = SignedDer();
  for (size_t i = 0; i < der.size(); ++i) {
    ca::Bytes changed = der;
    changed[i] = static_cast<char>(changed[i] ^ 0x01);
    EXPECT_FALSE(Read(changed, *issuer_).ok()) << i;
  }
}

TEST_F(CertListTest, ReadsNoCrlOfAnotherAuthority) {
  const ca::Bytes der = SignedDer();
  EXPECT_EQ(Read(der, *root_).status().code(), ca::StatusCode::kInvalidArgument);
  const auto globex = Must(deployment_.catalog->Find(deployment_.globex.id)->ActiveIssuer());
  EXPECT_FALSE(Read(der, *globex).ok());
  // The signature of one authority with the name of another, and the reverse.
  const ca::Bytes tbs = list_.EncodeTbs();
  const auto parsed = Must(ca::TbsCertList::Parse(tbs));
  EXPECT_FALSE(Read(EncodeCrl(tbs, Must(globex->Sign(parsed))), *issuer_).ok());
  EXPECT_FALSE(Read(EncodeCrl(tbs, Must(globex->Sign(parsed))), *globex).ok());
}

TEST_F(CertListTest, ReadsNoCertificateAndNoRubbish) {
  EXPECT_FALSE(Read(issuer_->certificate(), *issuer_).ok());
  EXPECT_FALSE(Read("", *issuer_).ok());
  EXPECT_FALSE(Read("-----BEGIN X509 CRL-----", *issuer_).ok());
  EXPECT_FALSE(Read(ca::Bytes(1000, '\x30'), *issuer_).ok());
}

TEST_F(CertListTest, ReadsNoReasonThatWeNeverGive) {
  for (const int number : {6, 7, 8, 11}) {
    list_.revoked = {RevokedFor(static_cast<RevocationReason>(number))};
    EXPECT_FALSE(Read(SignedDer(), *issuer_).ok()) << number;
  }
}

}  // namespace
}  // namespace crl
