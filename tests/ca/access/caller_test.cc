// The identity of a caller, by the certificate whose key the TLS handshake proved.

#include "ca/access/caller.h"

#include "ca/x509/credentials.h"
#include "tests/fixtures/csr_builder.h"
#include "tests/fixtures/forgery.h"
#include "tests/fixtures/use_case_test.h"

namespace ca {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::minutes;
using testing::Forgery;
using testing::IsRefusal;
using testing::LeafExtensionsWith;
using testing::Must;

class CallerTest : public testing::StoryTest {
 protected:
  std::shared_ptr<const Authority> Issuer(const Hierarchy& hierarchy) const {
    return Must(deployment_.catalog->Find(hierarchy.id)->ActiveIssuer());
  }
  std::shared_ptr<const Authority> Root(const Hierarchy& hierarchy) const {
    return deployment_.catalog->Find(hierarchy.id)->authorities().front();
  }

  Forgery ForgeryBy(const Authority& authority, const std::string& alternative_names) const {
    return {.issuer = authority.x509(),
            .issuer_key = ports_.keys.PrivateKey(authority.key_label()),
            .common_name = "forged",
            .validity = {clock_.Now() - minutes(1), clock_.Now() + hours(1)},
            .extensions = LeafExtensionsWith(alternative_names)};
  }

  Result<Caller> Verify(const Bytes& der) const { return verifier_.Verify(PemOf({der})); }

  ::testing::AssertionResult Refuses(const Bytes& der, std::string_view rule) const {
    return IsRefusal(Verify(der).status(), StatusCode::kUnauthenticated, rule);
  }

  RevocationIndex revocations_;
  const CallerVerifier verifier_{*deployment_.catalogs, revocations_, clock_};
};

// ---- who is believed ----------------------------------------------------------------------------

TEST_F(CallerTest, IsWhoItsCertificateSays) {
  const Agent agent = deployment_.Register(deployment_.acme, "billing/bot");
  const Certificate issued = deployment_.Issue(agent);
  const Caller caller = Must(Verify(issued.Der()));
  EXPECT_EQ(caller.id, agent.id);
  EXPECT_EQ(caller.hierarchy, deployment_.acme.id);
  EXPECT_EQ(caller.serial, issued.record.serial);
  EXPECT_EQ(caller.Name(), "spiffe://prod.acme.example/billing/bot");
}

TEST_F(CallerTest, IsRefusedFromTheMomentThatItsCertificateIsRevoked) {
  const Agent agent = deployment_.Register(deployment_.acme, "billing/bot");
  const Certificate issued = deployment_.Issue(agent);
  const Certificate another = deployment_.Issue(agent);
  ASSERT_TRUE(Verify(issued.Der()).ok());  // and is remembered
  revocations_.Add({.serial = issued.record.serial,
                    .hierarchy = issued.record.hierarchy,
                    .authority = issued.record.authority,
                    .not_after = issued.record.validity.not_after,
                    .revoked_at = clock_.Now(),
                    .reason = RevocationReason::kKeyCompromise,
                    .invalidity_date = std::nullopt});
  EXPECT_TRUE(Refuses(issued.Der(), "caller.revoked"));
  EXPECT_TRUE(Verify(another.Der()).ok());
}

TEST_F(CallerTest, IsAnonymousWithoutACertificate) {
  const Caller caller = Must(verifier_.Verify(""));
  EXPECT_FALSE(caller.id);
  EXPECT_EQ(caller.Name(), "anonymous");
}

TEST_F(CallerTest, IsOfItsOwnHierarchyAmongMany) {
  for (const Hierarchy* hierarchy : {&deployment_.system, &deployment_.acme, &deployment_.globex}) {
    const Certificate issued = deployment_.Issue(deployment_.Register(*hierarchy, "bot"));
    EXPECT_EQ(Must(Verify(issued.Der())).hierarchy, hierarchy->id);
  }
}

TEST_F(CallerTest, IsTheSameWhenAskedAgain) {
  const Certificate first = deployment_.Issue(deployment_.Register(deployment_.acme, "first"));
  const Certificate second = deployment_.Issue(deployment_.Register(deployment_.acme, "second"));
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(Must(Verify(first.Der())).serial, first.record.serial);
    EXPECT_EQ(Must(Verify(second.Der())).serial, second.record.serial);
  }
}

// Without this, the refusals of forgeries below would prove nothing.
TEST_F(CallerTest, BelievesAForgeryThatDoesNothingWrong) {
  const Forgery forgery =
      ForgeryBy(*Issuer(deployment_.acme), "URI:spiffe://prod.acme.example/bot");
  EXPECT_TRUE(Verify(forgery.Der()).ok());
}

// ---- malformed ----------------------------------------------------------------------------------

TEST_F(CallerTest, RefusesWhatIsNoCertificate) {
  const Certificate issued = deployment_.Issue(deployment_.Register(deployment_.acme, "bot"));
  for (const std::string& pem :
       {std::string("junk"), std::string(1, '\0'), Pem("CERTIFICATE", "junk"),
        Pem("PRIVATE KEY", issued.Der()), Pem("CERTIFICATE", issued.Der() + "x"),
        Pem("CERTIFICATE", issued.Der().substr(1)), PemOf({issued.Der()}).substr(0, 100)}) {
    EXPECT_TRUE(
        IsRefusal(verifier_.Verify(pem).status(), StatusCode::kUnauthenticated, "caller.malformed"))
        << pem;
  }
}

// ---- untrusted ----------------------------------------------------------------------------------

TEST_F(CallerTest, RefusesACertificateThatSignedItself) {
  Forgery forgery = ForgeryBy(*Issuer(deployment_.acme), "URI:spiffe://prod.acme.example/bot");
  forgery.issuer = nullptr;
  forgery.issuer_key = nullptr;
  EXPECT_TRUE(Refuses(forgery.Der(), "caller.untrusted"));
}

TEST_F(CallerTest, RefusesACertificateByTheWrongKey) {
  const EvpPkeyPtr other_key = testing::NewKey(KeyType::kP256);
  Forgery forgery = ForgeryBy(*Issuer(deployment_.acme), "URI:spiffe://prod.acme.example/bot");
  forgery.issuer_key = other_key.get();
  EXPECT_TRUE(Refuses(forgery.Der(), "caller.untrusted"));
}

TEST_F(CallerTest, RefusesACertificateWhoseOctetsWereChanged) {
  const Certificate issued = deployment_.Issue(deployment_.Register(deployment_.acme, "bot"));
  Bytes der = issued.Der();
  const size_t name = der.find("spiffe://prod.acme.example/bot");
  ASSERT_NE(name, Bytes::npos);
  der[name + 27] = 'h';  // .../hot
  EXPECT_TRUE(Refuses(der, "caller.untrusted"));
}

TEST_F(CallerTest, RefusesACertificateOfAnotherDeployment) {
  testing::MemoryPorts ports(clock_);
  testing::Deployment elsewhere(ports, clock_);
  const Certificate issued = elsewhere.Issue(elsewhere.Register(elsewhere.acme, "bot"));
  EXPECT_TRUE(Refuses(issued.Der(), "caller.untrusted"));
}

TEST_F(CallerTest, RefusesAServersCertificateAsAClients) {
  Forgery forgery = ForgeryBy(*Issuer(deployment_.acme), "URI:spiffe://prod.acme.example/bot");
  for (auto& [name, value] : forgery.extensions) {
    if (name == "extendedKeyUsage") value = "serverAuth";
  }
  EXPECT_TRUE(Refuses(forgery.Der(), "caller.untrusted"));
}

TEST_F(CallerTest, RefusesANameOutsideTheIssuersConstraints) {
  for (const char* names : {"URI:spiffe://prod.globex.example/bot",
                            "URI:spiffe://prod.acme.example/bot,DNS:globex.example"}) {
    EXPECT_TRUE(Refuses(ForgeryBy(*Issuer(deployment_.acme), names).Der(), "caller.untrusted"))
        << names;
  }
}

TEST_F(CallerTest, RefusesACertificateThatAnAgentSigned) {
  const EvpPkeyPtr key = testing::NewKey(KeyType::kP256);
  const Certificate issued =
      deployment_.Issue(deployment_.Register(deployment_.acme, "bot"),
                        Must(PublicKey::FromSpki(testing::SpkiOf(key.get()))));
  const X509Ptr agents = Must(ParseX509(issued.Der()));
  Forgery forgery = ForgeryBy(*Issuer(deployment_.acme), "URI:spiffe://prod.acme.example/bot");
  forgery.issuer = agents.get();
  forgery.issuer_key = key.get();
  // Even when the peer sends the agent's certificate along.
  EXPECT_TRUE(IsRefusal(verifier_.Verify(PemOf({forgery.Der(), issued.Der()})).status(),
                        StatusCode::kUnauthenticated, "caller.untrusted"));
}

TEST_F(CallerTest, RefusesAnAuthoritysOwnCertificate) {
  for (const auto& authority : deployment_.catalog->Find(deployment_.acme.id)->authorities()) {
    EXPECT_FALSE(Verify(authority->certificate()).ok());
  }
}

// ---- identity -----------------------------------------------------------------------------------

TEST_F(CallerTest, RefusesACertificateThatDoesNotNameExactlyOneSpiffeId) {
  for (const char* names : {"DNS:prod.acme.example", "URI:https://prod.acme.example/bot",
                            "URI:spiffe://prod.acme.example", "URI:spiffe://prod.acme.example/",
                            "URI:spiffe://prod.acme.example/a/../b",
                            "URI:spiffe://prod.acme.example/a,URI:spiffe://prod.acme.example/b",
                            "URI:spiffe://prod.acme.example/a,URI:spiffe://prod.acme.example/a"}) {
    EXPECT_TRUE(Refuses(ForgeryBy(*Issuer(deployment_.acme), names).Der(), "caller.identity"))
        << names;
  }
}

// A root has no name constraints; but it is of its own hierarchy alone.
TEST_F(CallerTest, RefusesANameOfAnotherHierarchyThanItsIssuers) {
  EXPECT_TRUE(
      Refuses(ForgeryBy(*Root(deployment_.acme), "URI:spiffe://prod.globex.example/bot").Der(),
              "caller.untrusted"));
}

TEST_F(CallerTest, RefusesANameOfATrustDomainThatNoHierarchyHas) {
  EXPECT_TRUE(Refuses(ForgeryBy(*Root(deployment_.acme), "URI:spiffe://nowhere.example/bot").Der(),
                      "caller.identity"));
}

TEST_F(CallerTest, RefusesASerialThatIsNotOneOfOurs) {
  Forgery forgery = ForgeryBy(*Issuer(deployment_.acme), "URI:spiffe://prod.acme.example/bot");
  forgery.serial = "\x01\x02\x03";
  EXPECT_TRUE(Refuses(forgery.Der(), "caller.identity"));
}

// ---- time ---------------------------------------------------------------------------------------

TEST_F(CallerTest, IsRefusedOutsideTheTimeOfItsCertificateAlsoWhenItWasSeenBefore) {
  const Certificate issued = deployment_.Issue(deployment_.Register(deployment_.acme, "bot"));
  const Validity& validity = issued.record.validity;
  for (const TimePoint inside : {validity.not_before, clock_.Now(), validity.not_after}) {
    clock_.Set(inside);
    EXPECT_TRUE(Verify(issued.Der()).ok()) << Rfc3339(inside);
  }
  for (const TimePoint outside :
       {validity.not_before - microseconds(1), validity.not_after + std::chrono::seconds(1)}) {
    clock_.Set(outside);
    EXPECT_TRUE(Refuses(issued.Der(), "caller.expired")) << Rfc3339(outside);
  }
}

TEST_F(CallerTest, IsRefusedWhenItIsFirstSeenAfterItsTime) {
  const Certificate issued = deployment_.Issue(deployment_.Register(deployment_.acme, "bot"));
  clock_.Advance(hours(2));
  EXPECT_TRUE(Refuses(issued.Der(), "caller.expired"));
}

}  // namespace
}  // namespace ca
