// The certificates of an external CA that are accepted for an issuing authority of ours, and those
// that are refused. OpenSSL makes each certificate here, with one fault.

#include "ca/issuance/external_certificate.h"

#include <gtest/gtest.h>

#include "ca/x509/subject_key.h"
#include "tests/fakes/fake_clock.h"
#include "tests/fakes/must.h"
#include "tests/fakes/refusal.h"
#include "tests/fakes/samples.h"
#include "tests/fixtures/corporate_ca.h"
#include "tests/fixtures/csr_builder.h"

namespace ca {
namespace {

using std::chrono::hours;
using testing::CorporateCa;
using testing::IsRefusal;
using testing::Must;
using testing::OpenSslExtensions;
using testing::Says;

class ExternalCertificateTest : public ::testing::Test {
 protected:
  ExternalCertificateTest() { hierarchy_.external_roots = {corporate_.root()}; }

  OpenSslExtensions Wanted() const { return CorporateCa::IssuingExtensions(hierarchy_); }
  // A certificate with another value of one extension; without the extension for "".
  OpenSslExtensions Except(const std::string& name, const std::string& value) const {
    OpenSslExtensions extensions;
    for (auto& extension : Wanted()) {
      if (extension.first != name) extensions.push_back(std::move(extension));
    }
    if (!value.empty()) extensions.emplace_back(name, value);
    return extensions;
  }

  Result<ExternalCertificate> Check(const std::vector<Bytes>& brought) const {
    return CheckExternalCertificate(brought, hierarchy_, testing::PublicHalf(key_), now_);
  }
  ::testing::AssertionResult Refuses(const std::vector<Bytes>& brought, const std::string& rule,
                                     const std::string& why) const {
    const Status status = Check(brought).status();
    const auto refused = IsRefusal(status, StatusCode::kInvalidArgument, rule);
    return refused ? Says(status, StatusCode::kInvalidArgument, why) : refused;
  }
  ::testing::AssertionResult Refuses(const OpenSslExtensions& extensions, const std::string& rule,
                                     const std::string& why) const {
    return Refuses({corporate_.Sign(csr_, extensions)}, rule, why);
  }

  const TimePoint now_ = testing::FakeClock().Now();
  CorporateCa corporate_{now_};
  Hierarchy hierarchy_ = testing::AcmeProd();
  const SubjectKey key_ = testing::NewSubjectKey();
  const Bytes csr_ = key_.Csr(std::nullopt);
};

// ---- what is taken ------------------------------------------------------------------------------

// If this failed, the refusals below would prove nothing.
TEST_F(ExternalCertificateTest, IsTakenWhenItIsAllThatWasAskedFor) {
  const Bytes certificate = corporate_.Sign(csr_, Wanted());
  const ExternalCertificate taken = Must(Check({certificate}));
  EXPECT_EQ(taken.certificate, certificate);
  EXPECT_TRUE(taken.intermediates.empty());
  EXPECT_EQ(taken.root, corporate_.root());
}

TEST_F(ExternalCertificateTest, IsTakenWithWhatStandsBetweenItAndTheRootInWhateverOrder) {
  const Bytes first = corporate_.AddIntermediate("Corporate Intermediate 1");
  const Bytes second = corporate_.AddIntermediate("Corporate Intermediate 2");
  const Bytes certificate = corporate_.Sign(csr_, Wanted());
  const Bytes unneeded = CorporateCa(now_, "Somebody's Root").root();
  const ExternalCertificate taken =
      Must(Check({first, corporate_.root(), unneeded, certificate, second}));
  EXPECT_EQ(taken.certificate, certificate);
  EXPECT_EQ(taken.intermediates, (std::vector{second, first}));
}

TEST_F(ExternalCertificateTest, IsTakenUnderAnyOfTheRoots) {
  const CorporateCa next(now_, "Corporate Root 2");
  hierarchy_.external_roots.push_back(next.root());
  EXPECT_EQ(Must(Check({next.Sign(csr_, Wanted())})).root, next.root());
  EXPECT_EQ(Must(Check({corporate_.Sign(csr_, Wanted())})).root, corporate_.root());
}

TEST_F(ExternalCertificateTest, IsTakenUnderARootThatWasMadeAnewWithItsNameAndKey) {
  const hours brief(24 * 30);
  hierarchy_.external_roots = {corporate_.RootAnew(brief), corporate_.root()};
  EXPECT_EQ(Must(Check({corporate_.Sign(csr_, Wanted())})).root, corporate_.root());
  hierarchy_.external_roots = {corporate_.RootAnew(brief)};
  EXPECT_TRUE(Refuses(Wanted(), "import.validity", "above it"));
}

TEST_F(ExternalCertificateTest, MayLackItsTrustDomainAndExcludeMore) {
  Must(Check({corporate_.Sign(csr_, Except("subjectAltName", ""))}).status());
  std::string more;
  for (const auto& [name, value] : Wanted()) {
    if (name == "nameConstraints") more = value + ",excluded;DNS:secret.prod.acme.example";
  }
  Must(Check({corporate_.Sign(csr_, Except("nameConstraints", more))}).status());
}

// ---- what is not --------------------------------------------------------------------------------

TEST_F(ExternalCertificateTest, IsRefusedInTheWrongNumberOrSize) {
  EXPECT_TRUE(Refuses(std::vector<Bytes>(), "import.size", "1 to 8"));
  const std::vector<Bytes> many(9, corporate_.root());
  EXPECT_TRUE(Refuses(many, "import.size", "1 to 8"));
  EXPECT_TRUE(Refuses({Bytes(64 * 1024, 'x')}, "import.size", "at most"));
}

TEST_F(ExternalCertificateTest, IsRefusedWhenItCannotBeRead) {
  EXPECT_TRUE(Refuses({"junk"}, "import.malformed", ""));
  const Bytes certificate = corporate_.Sign(csr_, Wanted());
  EXPECT_TRUE(Refuses({certificate + "x"}, "import.malformed", ""));
  for (size_t size = 0; size < certificate.size(); size += 7) {
    EXPECT_TRUE(Refuses({certificate.substr(0, size)}, "import.malformed", "")) << size;
  }
}

TEST_F(ExternalCertificateTest, IsRefusedForAnotherKey) {
  const Bytes other = testing::NewSubjectKey().Csr(std::nullopt);
  EXPECT_TRUE(Refuses({corporate_.Sign(other, Wanted())}, "import.key",
                      Hex(testing::PublicHalf(key_).fingerprint())));
  EXPECT_TRUE(Refuses({corporate_.Sign(csr_, Wanted()), corporate_.Sign(csr_, Wanted())},
                      "import.key", "two of them"));
}

TEST_F(ExternalCertificateTest, IsRefusedWithoutAChainToARootOfTheHierarchy) {
  const CorporateCa stranger(now_, "Corporate Root");  // the name alone is the same
  EXPECT_TRUE(Refuses({stranger.Sign(csr_, Wanted()), stranger.root()}, "import.chain",
                      "root: external_certificates of acme/prod"));
  corporate_.AddIntermediate("Corporate Intermediate");
  EXPECT_TRUE(Refuses({corporate_.Sign(csr_, Wanted())}, "import.chain",
                      "unable to get local issuer certificate"));
}

TEST_F(ExternalCertificateTest, IsRefusedWhenItIsNoCa) {
  EXPECT_TRUE(Refuses(Except("basicConstraints", "critical,CA:FALSE"), "import.chain", ""));
  EXPECT_TRUE(Refuses(Except("basicConstraints", "critical,CA:TRUE"), "import.ca", "pathlen:0"));
  EXPECT_TRUE(
      Refuses(Except("basicConstraints", "critical,CA:TRUE,pathlen:1"), "import.ca", "pathlen:0"));
  EXPECT_TRUE(Refuses(Except("keyUsage", "critical,keyCertSign"), "import.key-usage", "cRLSign"));
}

TEST_F(ExternalCertificateTest, IsRefusedWithAnotherKeyIdentifier) {
  EXPECT_TRUE(
      Refuses(Except("subjectKeyIdentifier", "01:02:03"), "import.key-identifier", "SHA-1"));
}

TEST_F(ExternalCertificateTest, IsRefusedWithTheNameOfItsIssuer) {
  corporate_.common_name = "Corporate Root";
  EXPECT_TRUE(Refuses(Wanted(), "import.subject", "its subject is its issuer's name"));
}

TEST_F(ExternalCertificateTest, IsRefusedWithNamesOfAnotherTrustDomain) {
  EXPECT_TRUE(Refuses(Except("subjectAltName", "URI:spiffe://dev.acme.example"),
                      "import.trust-domain", "spiffe://prod.acme.example"));
  EXPECT_TRUE(Refuses(Except("subjectAltName", "DNS:prod.acme.example"), "import.trust-domain",
                      "spiffe://prod.acme.example"));
}

TEST_F(ExternalCertificateTest, IsRefusedUnlessItsNamesAreConstrained) {
  EXPECT_TRUE(Refuses(Except("nameConstraints", ""), "import.name-constraints", "copy_extensions"));
  std::string wanted;
  for (const auto& [name, value] : Wanted()) {
    if (name == "nameConstraints") wanted = value;
  }
  const auto with = [&](std::string_view from, std::string_view to) {
    std::string changed = wanted;
    const size_t at = changed.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    changed.replace(at, from.size(), to);
    return Except("nameConstraints", changed);
  };
  const std::pair<std::string_view, std::string_view> changes[] = {
      {"critical,", ""},
      {"permitted;URI:prod.acme.example", "permitted;URI:.acme.example"},
      {"permitted;URI:prod.acme.example,", ""},
      {",permitted;DNS:svc.acme.example", ",permitted;DNS:acme.example"},
      {",permitted;DNS:svc.acme.example", ""},
      {",permitted;email:prod.acme.example", ""},
      {"permitted;IP:10.0.0.0/255.0.0.0", "permitted;IP:0.0.0.0/0.0.0.0"},
      {",excluded;IP:0:0:0:0:0:0:0:0/0:0:0:0:0:0:0:0", ""},
  };
  for (const auto& [from, to] : changes) {
    EXPECT_TRUE(Refuses(with(from, to), "import.name-constraints", "the same permitted"))
        << from << " -> " << to;
  }
}

TEST_F(ExternalCertificateTest, IsRefusedWhenItEndsTooEarlyOrTooLate) {
  EXPECT_TRUE(Refuses({corporate_.Sign(csr_, Wanted(), std::chrono::minutes(59))},
                      "import.validity", "before a certificate that it would issue"));
  const Bytes intermediate = corporate_.AddIntermediate("Corporate Intermediate");
  EXPECT_TRUE(Refuses({corporate_.Sign(csr_, Wanted(), hours(24 * 1001)), intermediate},
                      "import.validity", "above it"));
}

// ---- what is above it ---------------------------------------------------------------------------

TEST_F(ExternalCertificateTest, IsRefusedBelowAnIntermediateThatAllowsNoCaBelow) {
  const Bytes intermediate =
      corporate_.AddIntermediate("Issues to leaves", CorporateCa::CaExtensions(",pathlen:0"));
  EXPECT_TRUE(Refuses({corporate_.Sign(csr_, Wanted()), intermediate}, "import.path-length",
                      "allows 0 CAs"));
}

TEST_F(ExternalCertificateTest, IsRefusedBelowAnIntermediateForOtherUsages) {
  OpenSslExtensions extensions = CorporateCa::CaExtensions("");
  extensions.emplace_back("extendedKeyUsage", "serverAuth");
  const Bytes intermediate = corporate_.AddIntermediate("Issues to servers", extensions);
  EXPECT_TRUE(Refuses({corporate_.Sign(csr_, Wanted()), intermediate}, "import.chain",
                      "no room for clientAuth"));
  for (CertificateProfile& profile : hierarchy_.profiles) profile.client_auth = false;
  Must(Check({corporate_.Sign(csr_, Wanted()), intermediate}).status());
}

TEST_F(ExternalCertificateTest, IsRefusedBelowAnIntermediateForOtherNames) {
  OpenSslExtensions extensions = CorporateCa::CaExtensions("");
  extensions.emplace_back("nameConstraints", "critical,permitted;DNS:web.example");
  const Bytes intermediate = corporate_.AddIntermediate("Issues to the web", extensions);
  EXPECT_TRUE(Refuses({corporate_.Sign(csr_, Wanted()), intermediate}, "import.name-constraints",
                      "permits no names of acme/prod"));
}

// ---- roots --------------------------------------------------------------------------------------

TEST_F(ExternalCertificateTest, TakesForARootWhatCanBeOne) {
  Must(hierarchy_.Validate());
  const auto refuses = [&](const Bytes& root, const std::string& why) {
    Hierarchy hierarchy = hierarchy_;
    hierarchy.external_roots = {root};
    const Status status = hierarchy.Validate();
    EXPECT_TRUE(Says(status, StatusCode::kInvalidArgument, "root: external_certificates: "));
    return Says(status, StatusCode::kInvalidArgument, why);
  };
  EXPECT_TRUE(refuses("junk", ""));
  EXPECT_TRUE(refuses(corporate_.SignLeaf("DNS:web.example"), "is no CA's"));

  // A time that is none, and an end before the beginning, each with a good signature.
  const auto with_time = [&](const Bytes& root, const Bytes& not_before) {
    Bytes tbs = testing::TbsOf(root);
    const size_t at = tbs.find("\x17\x0d");  // the first UTCTime
    tbs.replace(at + 2, not_before.size(), not_before);
    return corporate_.SignTbs(tbs);
  };
  EXPECT_TRUE(refuses(with_time(corporate_.root(), "xxxxxxxxxxxxx"), "validity"));
  EXPECT_TRUE(refuses(with_time(corporate_.root(), "490101000000Z"), "before it begins"));

  EXPECT_TRUE(refuses(corporate_.AddIntermediate("Corporate Intermediate"), "not self-signed"));

  Bytes tampered = corporate_.root();
  tampered.back() = static_cast<char>(tampered.back() ^ 1);
  EXPECT_TRUE(refuses(tampered, "not self-signed"));

  hierarchy_.external_roots.push_back(corporate_.root());
  EXPECT_TRUE(Says(hierarchy_.Validate(), StatusCode::kInvalidArgument, "is there twice"));
  hierarchy_.external_roots.assign(5, corporate_.root());
  EXPECT_TRUE(Says(hierarchy_.Validate(), StatusCode::kInvalidArgument, "at most 4"));
}

}  // namespace
}  // namespace ca
