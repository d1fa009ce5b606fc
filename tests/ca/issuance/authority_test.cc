// The contents of the certificates that authorities make, and the verdicts of other programs.

#include "ca/issuance/authority.h"

#include <map>
#include <set>

#include "tests/fixtures/csr_builder.h"
#include "tests/fixtures/forgery.h"
#include "tests/fixtures/judges.h"
#include "tests/fixtures/use_case_test.h"

namespace ca {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::Chain;
using testing::Must;
using testing::Says;

class AuthorityTest : public testing::StoryTest {
 protected:
  std::shared_ptr<const Authority> Root(const Hierarchy& hierarchy) const {
    return deployment_.catalog->Find(hierarchy.id)->authorities().front();
  }
  std::shared_ptr<const Authority> Issuer(const Hierarchy& hierarchy) const {
    return Must(deployment_.catalog->Find(hierarchy.id)->ActiveIssuer());
  }

  Chain ChainOf(const Hierarchy& hierarchy, Bytes leaf) const {
    return {std::move(leaf), {Issuer(hierarchy)->certificate()}, Root(hierarchy)->certificate()};
  }

  Agent ServiceAgent() {
    Agent agent = testing::AgentOf(deployment_.acme, "web/front");
    agent.profile = "service";
    agent.dns_names = {"front.svc.acme.example", "prod.acme.example"};
    agent.ip_addresses = {Must(IpAddress::Parse("10.0.0.1"))};
    return deployment_.Register(agent);
  }

  Result<PreparedCertificate> Prepare(const CertificateProfile& profile, TimePoint now) const {
    return Issuer(deployment_.acme)
        ->Prepare(deployment_.acme, testing::AgentOf(deployment_.acme, "bot"), profile,
                  testing::PublicHalf(testing::NewSubjectKey()),
                  testing::Directory().For(AuthorityId{7}), now);
  }

  // The DER of each extension, by OpenSSL's short name.
  static std::map<std::string, std::pair<bool, Bytes>> ExtensionsOf(X509* certificate) {
    std::map<std::string, std::pair<bool, Bytes>> extensions;
    for (int i = 0; i < X509_get_ext_count(certificate); ++i) {
      X509_EXTENSION* const extension = X509_get_ext(certificate, i);
      const ASN1_OCTET_STRING* const value = X509_EXTENSION_get_data(extension);
      extensions[OBJ_nid2sn(OBJ_obj2nid(X509_EXTENSION_get_object(extension)))] = {
          X509_EXTENSION_get_critical(extension) == 1,
          {reinterpret_cast<const char*>(ASN1_STRING_get0_data(value)),
           static_cast<size_t>(ASN1_STRING_length(value))}};
    }
    return extensions;
  }

  static void ExpectExtensions(X509* certificate, const std::set<std::string>& critical,
                               const std::set<std::string>& others) {
    std::set<std::string> seen_critical;
    std::set<std::string> seen_others;
    for (const auto& [name, extension] : ExtensionsOf(certificate)) {
      (extension.first ? seen_critical : seen_others).insert(name);
    }
    EXPECT_EQ(seen_critical, critical);
    EXPECT_EQ(seen_others, others);
  }
};

// ---- an agent's certificate ---------------------------------------------------------------------

TEST_F(AuthorityTest, AnAgentsCertificateHasWhatItNeedsAndNoMore) {
  const Certificate issued = deployment_.Issue(deployment_.Register(deployment_.acme, "a/bot"));
  const X509Ptr leaf = Must(ParseX509(issued.Der()));

  ExpectExtensions(leaf.get(), {"basicConstraints", "keyUsage"},
                   {"extendedKeyUsage", "subjectAltName", "subjectKeyIdentifier",
                    "authorityKeyIdentifier", "authorityInfoAccess", "crlDistributionPoints"});
  EXPECT_EQ(X509_get_version(leaf.get()), X509_VERSION_3);
  EXPECT_EQ(X509_get_extension_flags(leaf.get()) & (EXFLAG_CA | EXFLAG_SS), 0u);
  EXPECT_EQ(X509_get_key_usage(leaf.get()), static_cast<uint32_t>(KU_DIGITAL_SIGNATURE));
  EXPECT_EQ(X509_get_extended_key_usage(leaf.get()),
            static_cast<uint32_t>(XKU_SSL_CLIENT | XKU_SSL_SERVER));
  const std::string text = testing::TextOf(issued.Der());
  EXPECT_NE(text.find("X509v3 Subject Alternative Name: \n"
                      "                URI:spiffe://prod.acme.example/a/bot\n"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("Subject: O = acme, OU = prod, UID = a/bot\n"), std::string::npos) << text;
  EXPECT_NE(text.find("Signature Algorithm: ecdsa-with-SHA256"), std::string::npos) << text;
}

TEST_F(AuthorityTest, AnAgentsCertificateIsOfItsRecord) {
  const Certificate issued = deployment_.Issue(deployment_.Register(deployment_.acme, "bot"));
  const X509Ptr leaf = Must(ParseX509(issued.Der()));
  const IssuanceRecord& record = issued.record;

  const ASN1_INTEGER* const serial = X509_get0_serialNumber(leaf.get());
  EXPECT_EQ(Bytes(reinterpret_cast<const char*>(ASN1_STRING_get0_data(serial)),
                  static_cast<size_t>(ASN1_STRING_length(serial))),
            record.serial.bytes());
  EXPECT_EQ(Must(TimeOf(X509_get0_notBefore(leaf.get()))), record.validity.not_before);
  EXPECT_EQ(Must(TimeOf(X509_get0_notAfter(leaf.get()))), record.validity.not_after);
  EXPECT_EQ(record.serial.ExpiryDay(),
            std::chrono::floor<std::chrono::days>(record.validity.not_after));
  EXPECT_EQ(Sha256(DerOf<X509_PUBKEY, i2d_X509_PUBKEY>(X509_get_X509_PUBKEY(leaf.get()))),
            record.key_fingerprint);
  EXPECT_EQ(record.authority, Issuer(deployment_.acme)->id());
}

TEST_F(AuthorityTest, AnAgentsCertificateNamesItsIssuerAndItsIssuersKey) {
  const Certificate issued = deployment_.Issue(deployment_.Register(deployment_.acme, "bot"));
  const X509Ptr leaf = Must(ParseX509(issued.Der()));
  X509* const issuer = Issuer(deployment_.acme)->x509();
  EXPECT_EQ(X509_NAME_cmp(X509_get_issuer_name(leaf.get()), X509_get_subject_name(issuer)), 0);
  EXPECT_EQ(ASN1_OCTET_STRING_cmp(X509_get0_authority_key_id(leaf.get()),
                                  X509_get0_subject_key_id(issuer)),
            0);
  EXPECT_EQ(X509_check_issued(issuer, leaf.get()), X509_V_OK);
}

TEST_F(AuthorityTest, AnAgentsCertificateHasTheUsagesOfItsProfile) {
  CertificateProfile profile = deployment_.acme.profiles.front();
  profile.server_auth = false;
  deployment_.acme.profiles.front() = profile;
  const PreparedCertificate prepared = Must(Prepare(profile, clock_.Now()));
  const X509Ptr leaf = Must(ParseX509(Certificate{prepared.record(), "x"}.Der()));
  EXPECT_EQ(X509_get_extended_key_usage(leaf.get()), static_cast<uint32_t>(XKU_SSL_CLIENT));
}

TEST_F(AuthorityTest, AnAgentsCertificateHasItsHostNames) {
  const std::string text = testing::TextOf(deployment_.Issue(ServiceAgent()).Der());
  EXPECT_NE(text.find("URI:spiffe://prod.acme.example/web/front, DNS:front.svc.acme.example, "
                      "DNS:prod.acme.example, IP Address:10.0.0.1\n"),
            std::string::npos)
      << text;
}

// If a certificate has no DNS name, relying parties take its CN for a host name.
TEST_F(AuthorityTest, AnAgentsCertificateHasNoCommonName) {
  const Certificate issued = deployment_.Issue(deployment_.Register(deployment_.acme, "localhost"));
  const X509Ptr leaf = Must(ParseX509(issued.Der()));
  EXPECT_EQ(X509_NAME_get_index_by_NID(X509_get_subject_name(leaf.get()), NID_commonName, -1), -1);
  EXPECT_NE(X509_check_host(leaf.get(), "localhost", 0, 0, nullptr), 1);
}

TEST_F(AuthorityTest, TwoCertificatesNeverShareASerial) {
  const Agent agent = deployment_.Register(deployment_.acme, "bot");
  EXPECT_NE(deployment_.Issue(agent).record.serial, deployment_.Issue(agent).record.serial);
}

// ---- its validity -------------------------------------------------------------------------------

TEST_F(AuthorityTest, TheShortestProfileIsIssuedAtAnyFractionOfASecond) {
  CertificateProfile shortest = deployment_.acme.profiles.front();
  shortest.lifetime = CertificateProfile::kLifetimeMin;
  for (const auto fraction : {microseconds(0), microseconds(1), microseconds(999'999)}) {
    const auto prepared = Prepare(shortest, std::chrono::floor<seconds>(clock_.Now()) + fraction);
    EXPECT_TRUE(prepared.ok()) << prepared.status();
  }
}

TEST_F(AuthorityTest, NoCertificateOutlivesItsIssuer) {
  const TimePoint end = Issuer(deployment_.acme)->validity().not_after;
  const auto prepared = Must(Prepare(deployment_.acme.profiles.front(), end - minutes(10)));
  EXPECT_EQ(prepared.record().validity.not_after, end);
}

TEST_F(AuthorityTest, NothingIsIssuedInTheLastMinutesOfAnIssuer) {
  const TimePoint end = Issuer(deployment_.acme)->validity().not_after;
  const CertificateProfile& profile = deployment_.acme.profiles.front();
  EXPECT_TRUE(Prepare(profile, end - CertificateProfile::kLifetimeMin).ok());
  for (const TimePoint late :
       {end - CertificateProfile::kLifetimeMin + seconds(1), end, end + hours(1)}) {
    EXPECT_TRUE(
        Says(Prepare(profile, late).status(), StatusCode::kFailedPrecondition, "rotate it"));
  }
}

// ---- authorities' own certificates --------------------------------------------------------------

TEST_F(AuthorityTest, ARootIsSelfSignedAndConstrainsNobodysNames) {
  X509* const root = Root(deployment_.acme)->x509();
  ExpectExtensions(root, {"basicConstraints", "keyUsage"},
                   {"subjectAltName", "subjectKeyIdentifier"});
  EXPECT_NE(X509_get_extension_flags(root) & EXFLAG_SS, 0u);
  EXPECT_EQ(X509_get_pathlen(root), kLinksMax + 1);
  EXPECT_EQ(X509_get_key_usage(root), static_cast<uint32_t>(KU_KEY_CERT_SIGN | KU_CRL_SIGN));
  EXPECT_EQ(X509_verify(root, X509_get0_pubkey(root)), 1);
}

TEST_F(AuthorityTest, AnAgentsCertificateSaysWhereItsStatusIs) {
  const auto prepared = Must(Prepare(deployment_.acme.profiles.front(), clock_.Now()));
  Bytes der = EncodeCertificate(prepared.record().tbs, "signature");
  const std::string text = testing::TextOf(der);
  EXPECT_NE(text.find("OCSP - URI:http://status.test/ocsp/7\n"), std::string::npos) << text;
  EXPECT_NE(text.find("CA Issuers - URI:http://status.test/ca/7.cer\n"), std::string::npos);
  EXPECT_NE(text.find("URI:http://status.test/crl/7/0.crl\n"), std::string::npos);
}

// RFC 9608 section 2: "id-ce-noRevAvail", and no extension that points to a status service.
TEST_F(AuthorityTest, AStatusFreeCertificateSaysThatThereIsNone) {
  CertificateProfile profile = deployment_.acme.profiles.front();
  profile.status_free = true;
  profile.lifetime = CertificateProfile::kStatusFreeLifetimeMax;
  const auto prepared = Must(Prepare(profile, clock_.Now()));
  const Bytes der = EncodeCertificate(prepared.record().tbs, "signature");
  const X509Ptr leaf = Must(ParseX509(der));
  const Asn1ObjectPtr no_rev_avail(OBJ_txt2obj("2.5.29.56", 1));
  const int at = X509_get_ext_by_OBJ(leaf.get(), no_rev_avail.get(), -1);
  ASSERT_GE(at, 0);
  X509_EXTENSION* const extension = X509_get_ext(leaf.get(), at);
  EXPECT_EQ(X509_EXTENSION_get_critical(extension), 0);
  const std::string value =
      DerOf<ASN1_OCTET_STRING, i2d_ASN1_OCTET_STRING>(X509_EXTENSION_get_data(extension));
  EXPECT_EQ(value, std::string("\x04\x02\x05\x00", 4));  // NULL
  EXPECT_LT(X509_get_ext_by_NID(leaf.get(), NID_info_access, -1), 0);
  EXPECT_LT(X509_get_ext_by_NID(leaf.get(), NID_crl_distribution_points, -1), 0);
}

TEST_F(AuthorityTest, AnIssuingAuthorityIsConstrainedToItsHierarchy) {
  X509* const issuing = Issuer(deployment_.acme)->x509();
  ExpectExtensions(issuing, {"basicConstraints", "keyUsage", "nameConstraints"},
                   {"subjectAltName", "subjectKeyIdentifier", "authorityKeyIdentifier",
                    "authorityInfoAccess", "crlDistributionPoints"});
  EXPECT_EQ(X509_get_pathlen(issuing), 0);
  EXPECT_EQ(X509_get_key_usage(issuing), static_cast<uint32_t>(KU_KEY_CERT_SIGN | KU_CRL_SIGN));
  const std::string text = testing::TextOf(Issuer(deployment_.acme)->certificate());
  EXPECT_NE(text.find("Permitted:\n"
                      "                  URI:prod.acme.example\n"
                      "                  DNS:prod.acme.example\n"
                      "                  DNS:svc.acme.example\n"
                      "                  email:prod.acme.example\n"
                      "                  IP:10.0.0.0/255.0.0.0\n"
                      "                Excluded:\n"
                      "                  IP:0:0:0:0:0:0:0:0/0:0:0:0:0:0:0:0\n"),
            std::string::npos)
      << text;
}

TEST_F(AuthorityTest, AuthoritiesHaveNamesThatTellThemApart) {
  EXPECT_NE(testing::TextOf(Root(deployment_.acme)->certificate())
                .find("Subject: O = acme, OU = prod, CN = root authority 1\n"),
            std::string::npos);
  EXPECT_NE(testing::TextOf(Issuer(deployment_.globex)->certificate())
                .find("Subject: O = globex, OU = prod, CN = issuing authority 1\n"),
            std::string::npos);
}

TEST_F(AuthorityTest, AuthoritiesLiveAsLongAsTheirHierarchySays) {
  const TimePoint now = std::chrono::floor<seconds>(clock_.Now());
  const Validity& root = Root(deployment_.acme)->validity();
  EXPECT_EQ(root.not_before, now - minutes(1));
  EXPECT_EQ(root.not_after, now + hours(24 * 3650));
  EXPECT_EQ(Issuer(deployment_.acme)->validity().not_after, now + hours(24 * 365));
}

TEST_F(AuthorityTest, AnIssuingAuthorityDoesNotOutliveItsRoot) {
  const auto root = Root(deployment_.acme);
  const AuthorityRecord planned{
      .hierarchy = deployment_.acme.id, .kind = AuthorityKind::kIssuing, .generation = 2};
  const auto key = Must(ports_.keys.Generate("second"));
  const PublicKey public_key = Must(PublicKey::FromSpki(key->spki()));
  const auto prepared = Must(root->PrepareIssuing(deployment_.acme, planned, public_key, {},
                                                  root->validity().not_after - hours(1)));
  EXPECT_EQ(prepared.record().validity.not_after, root->validity().not_after);
}

// ---- opening ------------------------------------------------------------------------------------

class OpeningTest : public AuthorityTest {
 protected:
  AuthorityRecord Record() { return Must(ports_.authorities.LoadAuthorities()).front(); }
  Status Open(const AuthorityRecord& record, const std::string& label) {
    return Authority::Open(record, Must(ports_.keys.Find(label))).status();
  }
};

TEST_F(OpeningTest, NeedsACertificate) {
  AuthorityRecord record = Record();
  record.certificate.clear();
  EXPECT_TRUE(Says(Open(record, record.key_label), StatusCode::kFailedPrecondition,
                   "has no certificate yet"));
}

TEST_F(OpeningTest, NeedsTheKeyOfItsCertificate) {
  Must(ports_.keys.Generate("another").status());
  EXPECT_TRUE(Says(Open(Record(), "another"), StatusCode::kFailedPrecondition,
                   "is not the one in its authority's certificate"));
}

TEST_F(OpeningTest, NeedsACertificateThatIsOne) {
  AuthorityRecord record = Record();
  record.certificate.pop_back();
  EXPECT_FALSE(Open(record, record.key_label).ok());
}

// ---- signing ------------------------------------------------------------------------------------

class SigningTest : public AuthorityTest {
 protected:
  Result<Certificate> Sign() {
    const Agent agent = deployment_.Register(deployment_.acme, "bot");
    auto intent = Must(ports_.ledger.RecordIntent(
        deployment_.Prepare(agent, testing::PublicHalf(testing::NewSubjectKey())), SystemGrounds{},
        RequestId::New(clock_.Now()), testing::EventAt(clock_.Now(), "Enroll")));
    return Issuer(deployment_.acme)->Sign(std::get<RecordedIssuance>(std::move(intent)));
  }
};

TEST_F(SigningTest, SignsWhatWasRecordedOctetForOctet) {
  const Certificate certificate = Must(Sign());
  EXPECT_NE(certificate.Der().find(certificate.record.tbs), Bytes::npos);
  EXPECT_TRUE(certificate.Der().ends_with(certificate.signature));
}

TEST_F(SigningTest, DoesNotGiveOutASignatureThatDoesNotVerify) {
  ports_.keys.Fail(testing::MemoryKeyStore::Fault::kWrongSignature);
  EXPECT_TRUE(Says(Sign().status(), StatusCode::kInternal, "does not verify"));
}

TEST_F(SigningTest, SaysThatTheTokenIsAway) {
  ports_.keys.Fail(testing::MemoryKeyStore::Fault::kUnavailable);
  EXPECT_EQ(Sign().status().code(), StatusCode::kUnavailable);
}

}  // namespace
}  // namespace ca
