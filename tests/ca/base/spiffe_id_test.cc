#include "ca/base/spiffe_id.h"

#include <gtest/gtest.h>

#include "tests/fakes/must.h"
#include "tests/fakes/refusal.h"

namespace ca {
namespace {

using testing::Must;
using testing::Says;

TEST(TrustDomainTest, IsALowerCaseDnsNameOfTwoLabelsOrMore) {
  for (const std::string& text : {std::string("a.b"), std::string("prod.acme.example"),
                                  std::string("1.2-3.x"), std::string(63, 'a') + ".b"}) {
    EXPECT_EQ(Must(TrustDomain::Parse(text)).name(), text);
  }
}

TEST(TrustDomainTest, RefusesEverythingElseAndShowsAnExample) {
  for (const std::string& text :
       {std::string(), std::string("localhost"), std::string("Prod.acme.example"),
        std::string("prod_1.acme.example"), std::string("*.acme.example"), std::string(".a.b"),
        std::string("a.b."), std::string("a..b"), std::string("-a.b"), std::string("a-.b"),
        std::string("a.b/c"), std::string("a.b:80"), std::string("u@a.b"), std::string("a b.c"),
        std::string("a.b\0", 4), std::string("ä.b"), std::string(64, 'a') + ".b"}) {
    EXPECT_TRUE(Says(TrustDomain::Parse(text).status(), StatusCode::kInvalidArgument,
                     "such as prod.acme.example"))
        << text;
  }
}

TEST(TrustDomainTest, IsAtMost253OctetsLong) {
  std::string name = "a";
  while (name.size() < 253) name += ".a";
  EXPECT_TRUE(TrustDomain::Parse(name).ok());
  EXPECT_FALSE(TrustDomain::Parse("aa" + name.substr(1)).ok());
}

TEST(SpiffeIdTest, HasATrustDomainAndAPath) {
  const SpiffeId id = Must(SpiffeId::Parse("spiffe://prod.acme.example/Billing/invoice_bot-1.2"));
  EXPECT_EQ(id.trust_domain().name(), "prod.acme.example");
  EXPECT_EQ(id.path(), "Billing/invoice_bot-1.2");
  EXPECT_EQ(id.ToString(), "spiffe://prod.acme.example/Billing/invoice_bot-1.2");
}

TEST(SpiffeIdTest, OfATrustDomainHasNoPath) {
  const SpiffeId id = SpiffeId::OfTrustDomain(Must(TrustDomain::Parse("prod.acme.example")));
  EXPECT_EQ(id.ToString(), "spiffe://prod.acme.example");
  EXPECT_EQ(id.path(), "");
}

// SPIFFE-ID sections 2.1 to 2.4.
TEST(SpiffeIdTest, RefusesWhatTheStandardDoesAndMore) {
  for (const char* text : {
           "",
           "spiffe://",
           "spiffe:///path",
           "spiffe://a.example",         // an agent has a path
           "spiffe://a.example/",        // an empty segment
           "spiffe://a.example/b/",      // "MUST NOT include a trailing /"
           "spiffe://a.example//b",      //
           "spiffe://a.example/.",       // "relative path modifiers"
           "spiffe://a.example/b/../c",  //
           "spiffe://a.example/b%41",    // "percent-encoded"
           "spiffe://a.example/b?c",     // a query
           "spiffe://a.example/b#c",     // a fragment
           "spiffe://a.example:8443/b",  // a port
           "spiffe://user@a.example/b",  // user information
           "spiffe://A.example/b",       // a trust domain is lower-case
           "spiffe://localhost/b",       // and a full DNS name
           "SPIFFE://a.example/b",
           "https://a.example/b",
           "spiffe:/a.example/b",
           "spiffe://a.example/b c",
           "spiffe://a.example/b\n",
           "spiffe://a.example/bücher",
           "spiffe://a.example/b,URI:x",
       }) {
    EXPECT_TRUE(
        Says(SpiffeId::Parse(text).status(), StatusCode::kInvalidArgument, "is not a SPIFFE ID"))
        << text;
  }
}

TEST(SpiffeIdTest, RefusesANulOctet) {
  EXPECT_FALSE(SpiffeId::Parse(std::string_view("spiffe://a.example/b\0c", 22)).ok());
}

TEST(SpiffeIdTest, IsAtMost2048OctetsLong) {
  const std::string start = "spiffe://a.example/";
  const std::string longest = start + std::string(2048 - start.size(), 'x');
  EXPECT_TRUE(SpiffeId::Parse(longest).ok());
  EXPECT_FALSE(SpiffeId::Parse(longest + "x").ok());
}

TEST(SpiffeIdTest, DoesNotEchoMoreThanATerminalCanBear) {
  const Status status = SpiffeId::Parse("\x1b]0;" + std::string(100'000, 'x')).status();
  EXPECT_LT(MessageOf(status).size(), 1000u);
  EXPECT_EQ(MessageOf(status).find('\x1b'), std::string::npos);
}

}  // namespace
}  // namespace ca
