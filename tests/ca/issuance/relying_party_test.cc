// OpenSSL and GnuTLS accept the certificates that an authority issues, and refuse certificates that
// its key signs for names outside its hierarchy.

#include "ca/authorities/provisioning.h"
#include "tests/fixtures/csr_builder.h"
#include "tests/fixtures/forgery.h"
#include "tests/fixtures/judges.h"
#include "tests/fixtures/use_case_test.h"

namespace ca {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using testing::CerttoolAccepts;
using testing::Chain;
using testing::Forgery;
using testing::LeafExtensionsWith;
using testing::Must;
using testing::OpenSslAccepts;

// The judges read the machine's clock, so the authorities are made three hours in the past.
class RelyingPartyTest : public testing::StoryTest {
 protected:
  RelyingPartyTest() : StoryTest(SystemClock().Now() - hours(3)) { clock_.Advance(hours(3)); }

  std::shared_ptr<const Authority> Issuer(const Hierarchy& hierarchy) const {
    return Must(deployment_.catalog->Find(hierarchy.id)->ActiveIssuer());
  }

  Chain ChainOf(const Hierarchy& hierarchy, Bytes leaf) const {
    return {std::move(leaf),
            {Issuer(hierarchy)->certificate()},
            deployment_.catalog->Find(hierarchy.id)->Roots().front()};
  }

  // Signs with the issuing key of the hierarchy, as an attacker on the server would.
  Forgery ForgeryBy(const Hierarchy& hierarchy, const std::string& alternative_names) const {
    return {.issuer = Issuer(hierarchy)->x509(),
            .issuer_key = ports_.keys.PrivateKey(Issuer(hierarchy)->key_label()),
            .common_name = "forged",
            .validity = {clock_.Now() - minutes(1), clock_.Now() + hours(1)},
            .extensions = LeafExtensionsWith(alternative_names)};
  }

  // The same, for an agent with that address.
  Chain ChainWith(const Hierarchy& hierarchy, const std::string& address) const {
    Forgery forgery = ForgeryBy(hierarchy, fmt::format("URI:spiffe://{}/bot,IP:{}",
                                                       hierarchy.trust_domain.name(), address));
    forgery.common_name = hierarchy.trust_domain.name();
    return ChainOf(hierarchy, forgery.Der());
  }

  // Another hierarchy, with its authorities.
  Hierarchy Make(const Hierarchy& wanted) {
    Hierarchy made = Must(Provisioning(ports_.stores(), ports_.keys, testing::Directory(), clock_)
                              .hierarchies.EnsureHierarchy(wanted, "init"));
    Must(deployment_.catalogs->Reload());
    deployment_.catalog = deployment_.catalogs->Snapshot();
    return made;
  }

  void ExpectAccepted(const Chain& chain) const {
    EXPECT_TRUE(OpenSslAccepts(chain, "sslclient"));
    EXPECT_TRUE(OpenSslAccepts(chain, "sslserver"));
    EXPECT_TRUE(CerttoolAccepts(chain));
  }
  void ExpectRejected(const Chain& chain) const {
    EXPECT_FALSE(OpenSslAccepts(chain, "sslclient"));
    EXPECT_FALSE(OpenSslAccepts(chain, "sslserver"));
    EXPECT_FALSE(CerttoolAccepts(chain));
  }
};

// ---- what is issued is believed -----------------------------------------------------------------

TEST_F(RelyingPartyTest, BelievesAnAgentsCertificate) {
  const Agent agent = deployment_.Register(deployment_.acme, "billing/invoice-bot");
  ExpectAccepted(ChainOf(deployment_.acme, deployment_.Issue(agent).Der()));
}

TEST_F(RelyingPartyTest, BelievesACertificateWithHostNames) {
  Agent agent = testing::AgentOf(deployment_.acme, "web/front");
  agent.profile = "service";
  agent.dns_names = {"front.svc.acme.example", "prod.acme.example", "a.b.prod.acme.example"};
  agent.ip_addresses = {Must(IpAddress::Parse("10.255.255.255"))};
  ExpectAccepted(ChainOf(deployment_.acme, deployment_.Issue(deployment_.Register(agent)).Der()));
}

TEST_F(RelyingPartyTest, BelievesACertificateOfAHierarchyWithoutAddresses) {
  const Agent agent = deployment_.Register(deployment_.globex, "bot");
  ExpectAccepted(ChainOf(deployment_.globex, deployment_.Issue(agent).Der()));
}

TEST_F(RelyingPartyTest, BelievesACertificateForALongName) {
  // 255 octets. If there are name constraints, GnuTLS 3.7 refuses longer names, because it reads
  // names into 256 octets (MAX_CN). OpenSSL accepts the longest name.
  const std::string start = "spiffe://prod.acme.example/";
  const auto chain_for = [&](size_t size) {
    const Agent agent =
        deployment_.Register(deployment_.acme, std::string(size - start.size(), 'x'));
    return ChainOf(deployment_.acme, deployment_.Issue(agent).Der());
  };
  ExpectAccepted(chain_for(255));
  EXPECT_TRUE(OpenSslAccepts(chain_for(SpiffeId::kSizeMax), "sslclient"));
}

TEST_F(RelyingPartyTest, BelievesACertificateForEveryTypeOfKey) {
  const std::set<KeyType> types = {KeyType::kP256, KeyType::kP384, KeyType::kRsa2048,
                                   KeyType::kEd25519};
  Hierarchy wanted = testing::GlobexProd();
  wanted.environment = "keys";
  wanted.trust_domain = Must(TrustDomain::Parse("keys.globex.example"));
  wanted.profiles.front().key_types = types;
  const Hierarchy made = Make(wanted);
  for (const KeyType type : types) {
    const PublicKey key =
        Must(PublicKey::FromSpki(testing::SpkiOf(testing::SharedKey(type).get())));
    const Agent registered = deployment_.Register(made, "bot-" + std::string(NameOf(type)));
    ExpectAccepted(ChainOf(made, deployment_.Issue(registered, key).Der()));
  }
}

// Years from 2050 on have another encoding (RFC 5280 section 4.1.2.5).
TEST_F(RelyingPartyTest, BelievesARootThatLivesBeyond2050) {
  Hierarchy wanted = testing::GlobexProd();
  wanted.environment = "long";
  wanted.trust_domain = Must(TrustDomain::Parse("long.globex.example"));
  wanted.root_lifetime = Hierarchy::kAuthorityLifetimeMax;
  wanted.issuing_lifetime = Hierarchy::kAuthorityLifetimeMax;
  const Hierarchy made = Make(wanted);
  ASSERT_GT(Issuer(made)->validity().not_after,
            std::chrono::sys_days(std::chrono::year(2050) / 1 / 1));
  ExpectAccepted(ChainOf(made, deployment_.Issue(deployment_.Register(made, "bot")).Der()));
}

TEST_F(RelyingPartyTest, DoesNotBelieveACertificateThatIsNotYetOrNoLongerValid) {
  const Agent agent = deployment_.Register(deployment_.acme, "bot");
  for (const auto offset : {-hours(2), hours(1)}) {
    clock_.Advance(offset);
    const Chain chain = ChainOf(deployment_.acme, deployment_.Issue(agent).Der());
    EXPECT_FALSE(OpenSslAccepts(chain));
    EXPECT_FALSE(CerttoolAccepts(chain));
    clock_.Advance(-offset);
  }
}

// ---- what goes beyond is not --------------------------------------------------------------------

// If this failed, the refusals below would prove nothing.
TEST_F(RelyingPartyTest, BelievesAForgeryThatStaysWithinTheHierarchy) {
  for (const char* names :
       {"URI:spiffe://prod.acme.example/forged",
        "URI:spiffe://prod.acme.example/forged,DNS:a.svc.acme.example,DNS:prod.acme.example",
        "URI:spiffe://prod.acme.example/forged,IP:10.1.2.3",
        "URI:spiffe://prod.acme.example/forged,email:x@prod.acme.example"}) {
    Forgery forgery = ForgeryBy(deployment_.acme, names);
    forgery.common_name = "prod.acme.example";
    ExpectAccepted(ChainOf(deployment_.acme, forgery.Der()));
  }
}

class OutsideTheHierarchyTest : public RelyingPartyTest,
                                public ::testing::WithParamInterface<const char*> {
 protected:
  Chain ForgedChain(const std::string& names) const {
    Forgery forgery = ForgeryBy(deployment_.acme, names);
    forgery.common_name = "prod.acme.example";  // which GnuTLS checks, too
    return ChainOf(deployment_.acme, forgery.Der());
  }
};

TEST_P(OutsideTheHierarchyTest, ACertificateByTheSameKeyIsNotBelieved) {
  ExpectRejected(ForgedChain(GetParam()));
  ExpectRejected(ForgedChain(std::string("URI:spiffe://prod.acme.example/bot,") + GetParam()));
}
INSTANTIATE_TEST_SUITE_P(, OutsideTheHierarchyTest,
                         ::testing::Values("URI:spiffe://prod.globex.example/bot,"
                                           "DNS:bot.prod.globex.example",
                                           "DNS:prod.globex.example", "DNS:acme.example",
                                           "DNS:xprod.acme.example", "IP:192.0.2.1",
                                           "IP:2001:db8::1", "email:x@globex.example"));

// GnuTLS 3.7 ignores constraints on URIs. An application that uses it for SPIFFE IDs must compare
// the trust domain itself, as the X.509-SVID standard requires anyway (section 5.2).
class SpiffeIdOutsideTest : public OutsideTheHierarchyTest {};

TEST_P(SpiffeIdOutsideTest, ACertificateByTheSameKeyIsNotBelievedByOpenSsl) {
  for (const std::string& names :
       {std::string(GetParam()), std::string("DNS:prod.acme.example,") + GetParam()}) {
    EXPECT_FALSE(OpenSslAccepts(ForgedChain(names), "sslclient")) << names;
    EXPECT_FALSE(OpenSslAccepts(ForgedChain(names), "sslserver")) << names;
  }
}
INSTANTIATE_TEST_SUITE_P(, SpiffeIdOutsideTest,
                         ::testing::Values("URI:spiffe://prod.globex.example/bot",
                                           "URI:spiffe://sub.prod.acme.example/bot",
                                           "URI:spiffe://acme.example/bot",
                                           "URI:spiffe://xprod.acme.example/bot",
                                           "URI:spiffe://prod.acme.example.evil/bot"));

TEST_F(RelyingPartyTest, BelievesNoAddressOfAHierarchyThatHasNone) {
  for (const char* address : {"10.0.0.1", "0.0.0.0", "::1", "2001:db8::1"}) {
    ExpectRejected(ChainWith(deployment_.globex, address));
  }
}

TEST_F(RelyingPartyTest, BelievesNoAddressOfTheVersionThatHasNoRange) {
  Hierarchy wanted = testing::GlobexProd();
  wanted.environment = "ipv6";
  wanted.trust_domain = Must(TrustDomain::Parse("ipv6.globex.example"));
  wanted.ip_ranges = {Must(IpRange::Parse("2001:db8::/32"))};
  const Hierarchy ipv6 = Make(wanted);
  ExpectAccepted(ChainWith(ipv6, "2001:db8::1"));
  for (const char* address : {"10.0.0.1", "32.1.13.184", "2001:db9::1"}) {
    ExpectRejected(ChainWith(ipv6, address));
  }
}

TEST_F(RelyingPartyTest, BelievesNoAuthorityThatAnIssuingOneMade) {
  const EvpPkeyPtr key = testing::NewKey(KeyType::kP256);
  Forgery authority = ForgeryBy(deployment_.acme, "");
  authority.key = key.get();
  authority.extensions = {{"basicConstraints", "critical,CA:TRUE"},
                          {"keyUsage", "critical,keyCertSign"}};
  const X509Ptr made = Must(ParseX509(authority.Der()));
  Forgery leaf = ForgeryBy(deployment_.acme, "URI:spiffe://prod.acme.example/forged");
  leaf.issuer = made.get();
  leaf.issuer_key = key.get();
  Chain chain = ChainOf(deployment_.acme, leaf.Der());
  chain.intermediates.insert(chain.intermediates.begin(), authority.Der());
  ExpectRejected(chain);
}

TEST_F(RelyingPartyTest, BelievesNoCertificateThatAnAgentMade) {
  const EvpPkeyPtr key = testing::NewKey(KeyType::kP256);
  const Agent agent = deployment_.Register(deployment_.acme, "bot");
  const Certificate issued =
      deployment_.Issue(agent, Must(PublicKey::FromSpki(testing::SpkiOf(key.get()))));
  const X509Ptr agents = Must(ParseX509(issued.Der()));
  Forgery leaf = ForgeryBy(deployment_.acme, "URI:spiffe://prod.acme.example/forged");
  leaf.issuer = agents.get();
  leaf.issuer_key = key.get();
  Chain chain = ChainOf(deployment_.acme, leaf.Der());
  chain.intermediates.insert(chain.intermediates.begin(), issued.Der());
  ExpectRejected(chain);
}

}  // namespace
}  // namespace ca
