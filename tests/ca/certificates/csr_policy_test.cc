// A CSR may ask for its agent's identity, and for nothing beyond.

#include "ca/certificates/csr_policy.h"

#include <gtest/gtest.h>

#include "tests/fakes/must.h"
#include "tests/fakes/refusal.h"
#include "tests/fakes/samples.h"
#include "tests/fixtures/csr_builder.h"

namespace ca {
namespace {

using testing::CsrBuilder;
using testing::IsRefusal;
using testing::Must;
using testing::Says;

// An agent with host names, and CSRs that ask for nothing until a test says so.
class CsrPolicyTest : public ::testing::Test {
 protected:
  CsrPolicyTest() {
    agent_.profile = "service";
    agent_.dns_names = {"front.svc.acme.example"};
    agent_.ip_addresses = {Must(IpAddress::Parse("10.0.0.1")),
                           Must(IpAddress::Parse("2001:db8::7"))};
  }

  static CsrBuilder Plain() {
    return CsrBuilder(testing::SharedKey(KeyType::kP256)).Subject({}).SubjectAltName("");
  }

  Status Check(const CsrBuilder& builder) const {
    return CheckRequest(Must(Csr::Parse(builder.Der())), acme_, agent_, profile_);
  }

  ::testing::AssertionResult Refuses(const CsrBuilder& builder, std::string_view rule,
                                     std::string_view words) const {
    const auto by_rule = IsRefusal(Check(builder), StatusCode::kInvalidArgument, rule);
    return by_rule ? Says(Check(builder), StatusCode::kInvalidArgument, words) : by_rule;
  }

  const Hierarchy acme_ = testing::AcmeProd();
  CertificateProfile profile_ = acme_.profiles[1];
  Agent agent_ = testing::AgentOf(acme_, "web/front");
};

// ---- the key ------------------------------------------------------------------------------------

TEST_F(CsrPolicyTest, TakesTheTypesOfKeysOfTheProfile) {
  EXPECT_TRUE(Check(Plain()).ok());
  const CsrBuilder ed25519 =
      CsrBuilder(testing::SharedKey(KeyType::kEd25519)).Subject({}).SubjectAltName("");
  EXPECT_TRUE(Refuses(ed25519, "profile.key-type", "csr key is ed25519"));
  profile_.key_types = {KeyType::kEd25519};
  EXPECT_TRUE(Check(ed25519).ok());
}

// ---- the subject --------------------------------------------------------------------------------

TEST_F(CsrPolicyTest, TakesASubjectThatIsTheAgentsOwn) {
  EXPECT_TRUE(Check(Plain().Subject({{"CN", "front"}})).ok());
  EXPECT_TRUE(
      Check(Plain().Subject({{"O", "acme"}, {"OU", "prod"}, {"CN", "front"}, {"UID", "web/front"}}))
          .ok());
}

TEST_F(CsrPolicyTest, RefusesASubjectThatIsAnothers) {
  for (const auto& [type, value] : std::initializer_list<std::pair<std::string, std::string>>{
           {"CN", "back"},
           {"CN", "web/front"},
           {"CN", "Front"},
           {"CN", "front.svc.acme.example"},
           {"CN", " front"},
           {"UID", "front"},
           {"O", "globex"},
           {"OU", "staging"},
           {"C", "DE"},
           {"emailAddress", "front@acme.example"},
           {"serialNumber", "front"}}) {
    EXPECT_TRUE(Refuses(Plain().Subject({{type, value}}), "csr.subject", type + "=" + value))
        << type << '=' << value;
    EXPECT_TRUE(Refuses(Plain().Subject({{"CN", "front"}, {type, value}}), "csr.subject", type));
  }
}

// ---- alternative names --------------------------------------------------------------------------

TEST_F(CsrPolicyTest, TakesAlternativeNamesThatAreTheAgentsOwn) {
  for (const char* names :
       {"URI:spiffe://prod.acme.example/web/front", "DNS:front.svc.acme.example", "IP:10.0.0.1",
        "IP:2001:db8::7",
        "URI:spiffe://prod.acme.example/web/front,DNS:front.svc.acme.example,IP:10.0.0.1"}) {
    EXPECT_TRUE(Check(Plain().SubjectAltName(names)).ok()) << names;
  }
}

TEST_F(CsrPolicyTest, RefusesAlternativeNamesThatAreAnothers) {
  const std::string own = "URI:spiffe://prod.acme.example/web/front";
  for (const std::string& name :
       {std::string("URI:spiffe://prod.acme.example/web/back"),
        std::string("URI:spiffe://prod.globex.example/web/front"),
        std::string("URI:SPIFFE://prod.acme.example/web/front"),
        std::string("DNS:back.svc.acme.example"), std::string("DNS:svc.acme.example"),
        std::string("DNS:*.svc.acme.example"), std::string("DNS:FRONT.svc.acme.example"),
        std::string("IP:10.0.0.2"), std::string("email:front@acme.example"),
        std::string("RID:1.2.3.4"), std::string("otherName:1.2.3.4;UTF8:front")}) {
    EXPECT_TRUE(Refuses(Plain().SubjectAltName(name), "csr.alternative-name",
                        name.substr(0, name.find(':'))))
        << name;
    EXPECT_TRUE(Refuses(Plain().SubjectAltName(own + "," + name), "csr.alternative-name", ""))
        << name;
  }
}

TEST_F(CsrPolicyTest, RefusesTheHostNamesOfAnAgentThatHasNone) {
  agent_.dns_names.clear();
  agent_.ip_addresses.clear();
  for (const char* name : {"DNS:front.svc.acme.example", "IP:10.0.0.1"}) {
    EXPECT_TRUE(Refuses(Plain().SubjectAltName(name), "csr.alternative-name", "")) << name;
  }
}

// ---- extensions ---------------------------------------------------------------------------------

TEST_F(CsrPolicyTest, TakesExtensionsThatTheCertificateHasAnyway) {
  for (const auto& [name, value] : std::initializer_list<std::pair<const char*, const char*>>{
           {"basicConstraints", "critical,CA:FALSE"},
           {"keyUsage", "critical,digitalSignature"},
           {"extendedKeyUsage", "clientAuth"},
           {"extendedKeyUsage", "serverAuth,clientAuth"}}) {
    EXPECT_TRUE(Check(Plain().Extension(name, value)).ok()) << name << ' ' << value;
  }
}

TEST_F(CsrPolicyTest, RefusesExtensionsThatGoBeyond) {
  struct Case {
    const char* name;
    const char* value;
    const char* words;
  };
  for (const Case& c : std::initializer_list<Case>{
           {"basicConstraints", "CA:TRUE", "other than CA:FALSE"},
           {"basicConstraints", "CA:TRUE,pathlen:0", "other than CA:FALSE"},
           {"keyUsage", "digitalSignature,keyCertSign", "keyUsage keyCertSign"},
           {"keyUsage", "cRLSign", "keyUsage cRLSign"},
           {"keyUsage", "keyEncipherment", "keyUsage keyEncipherment"},
           {"keyUsage", "keyAgreement,decipherOnly", "keyUsage keyAgreement"},
           {"keyUsage", "digitalSignature,decipherOnly", "keyUsage decipherOnly"},
           {"extendedKeyUsage", "codeSigning", "Code Signing"},
           {"extendedKeyUsage", "clientAuth,OCSPSigning", "OCSP Signing"},
           {"extendedKeyUsage", "anyExtendedKeyUsage", "Any Extended Key Usage"},
           {"extendedKeyUsage", "1.2.3.4", "1.2.3.4"},
           {"nameConstraints", "permitted;DNS:example", "extension 'nameConstraints'"},
           {"authorityInfoAccess", "OCSP;URI:http://ocsp.example",
            "extension 'authorityInfoAccess'"},
           {"1.2.3.4", "DER:0500", "extension '1.2.3.4'"},
       }) {
    EXPECT_TRUE(Refuses(Plain().Extension(c.name, c.value), "csr.extension", c.words))
        << c.name << ' ' << c.value;
  }
}

TEST_F(CsrPolicyTest, RefusesExtensionsThatAreMalformed) {
  for (const char* name :
       {"basicConstraints", "keyUsage", "extendedKeyUsage", "subjectKeyIdentifier"}) {
    EXPECT_TRUE(Refuses(Plain().Extension(name, "DER:0c0178"), "csr.extension", "")) << name;
  }
}

TEST_F(CsrPolicyTest, TakesTheUsagesThatTheProfileGrantsAlone) {
  profile_.server_auth = false;
  EXPECT_TRUE(Check(Plain().Extension("extendedKeyUsage", "clientAuth")).ok());
  EXPECT_TRUE(Refuses(Plain().Extension("extendedKeyUsage", "clientAuth,serverAuth"),
                      "csr.extension", "TLS Web Server Authentication"));
  profile_.server_auth = true;
  profile_.client_auth = false;
  EXPECT_TRUE(Refuses(Plain().Extension("extendedKeyUsage", "clientAuth"), "csr.extension",
                      "TLS Web Client Authentication"));
}

TEST_F(CsrPolicyTest, TakesTheKeyIdentifierOfItsOwnKeyAlone) {
  const PublicKey key =
      Must(PublicKey::FromSpki(testing::SpkiOf(testing::SharedKey(KeyType::kP256).get())));
  const std::string own = "DER:0414" + Hex(key.SubjectKeyIdentifier());
  EXPECT_TRUE(Check(Plain().Extension("subjectKeyIdentifier", own)).ok());
  EXPECT_TRUE(Refuses(Plain().Extension("subjectKeyIdentifier", "DER:0414" + std::string(40, 'a')),
                      "csr.extension", "subjectKeyIdentifier"));
}

// ---- attributes ---------------------------------------------------------------------------------

TEST_F(CsrPolicyTest, RefusesOtherAttributes) {
  EXPECT_TRUE(Refuses(Plain().ChallengePassword("swordfish"), "csr.attribute",
                      "the attribute 'challengePassword'"));
}

}  // namespace
}  // namespace ca
