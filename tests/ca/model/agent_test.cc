#include "ca/model/agent.h"

#include <gtest/gtest.h>

#include <functional>

#include "tests/fakes/must.h"
#include "tests/fakes/refusal.h"
#include "tests/fakes/samples.h"

namespace ca {
namespace {

using testing::AcmeProd;
using testing::Must;
using testing::Says;

// An agent of the profile that allows host names.
Status Validated(const std::function<void(Agent&)>& change) {
  Agent agent = testing::AgentOf(AcmeProd(), "billing/invoice-bot");
  agent.profile = "service";
  change(agent);
  return agent.Validate(AcmeProd());
}

::testing::AssertionResult Refuses(const std::function<void(Agent&)>& change,
                                   std::string_view words) {
  return Says(Validated(change), StatusCode::kInvalidArgument, words);
}

TEST(AgentTest, IsFineAsTheSampleIs) {
  EXPECT_TRUE(Validated([](Agent&) {}).ok());
}

TEST(AgentTest, IsInTheTrustDomainOfItsHierarchy) {
  EXPECT_TRUE(Refuses(
      [](Agent& agent) { agent.id = Must(SpiffeId::Parse("spiffe://prod.globex.example/bot")); },
      "spiffe_id: spiffe://prod.globex.example/bot is outside acme/prod"));
  EXPECT_TRUE(Refuses(
      [](Agent& agent) { agent.id = Must(SpiffeId::Parse("spiffe://a.prod.acme.example/bot")); },
      "spiffe_id: "));
}

TEST(AgentTest, HasAnOwner) {
  EXPECT_TRUE(Refuses([](Agent& agent) { agent.owner = ""; }, "owner: name the person or team"));
  EXPECT_TRUE(Validated([](Agent& agent) { agent.role = agent.version = ""; }).ok());
}

TEST(AgentTest, HasTextsOfBoundedSize) {
  const std::string longest(Agent::kTextMax, 'x');
  EXPECT_TRUE(
      Validated([&](Agent& agent) { agent.owner = agent.role = agent.version = longest; }).ok());
  EXPECT_TRUE(Refuses([&](Agent& agent) { agent.owner = longest + "x"; }, "owner: "));
  EXPECT_TRUE(Refuses([&](Agent& agent) { agent.role = longest + "x"; }, "role: "));
  EXPECT_TRUE(Refuses([&](Agent& agent) { agent.version = longest + "x"; }, "version: "));
}

TEST(AgentTest, HasTextsInAnyScript) {
  for (const char* text : {"Jürgen Müller", "日本支社", "עברית", "🤖 team", "o'neill \"x\" \\"}) {
    EXPECT_TRUE(Validated([&](Agent& agent) { agent.owner = text; }).ok()) << text;
  }
}

// Terminals show these texts, and obey control characters: C0, DEL and C1.
TEST(AgentTest, HasNoControlCharactersInItsTexts) {
  for (const std::string& text :
       {std::string("a\0b", 3), std::string("\n"), std::string("\t"), std::string("\x1b[2J"),
        std::string("\x7f"), std::string("\xc2\x80"),
        std::string("\xc2\x9b"
                    "2J"),
        std::string("\xc2\x9f")}) {
    EXPECT_TRUE(Refuses([&](Agent& agent) { agent.owner = text; }, "owner: ")) << text;
  }
  EXPECT_TRUE(Validated([](Agent& agent) { agent.owner = "\xc2\xa0"; }).ok()) << "the first after";
}

// RFC 3629. PostgreSQL cannot store anything else, and a second spelling of a name could deceive.
TEST(AgentTest, HasTextsInTheOneEncodingThatUtf8Is) {
  for (const std::string& text : {
           std::string("\x80"),      // a continuation without a start
           std::string("\xc3"),      // a start without a continuation
           std::string("\xc3("),     //
           std::string("\xe2\x82"),  //
           std::string("\xff"),      // never in UTF-8
           std::string("\xf8\x88\x80\x80\x80"),
           std::string("\xc0\xaf"),          // an overlong '/'
           std::string("\xe0\x80\xaf"),      //
           std::string("\xf0\x80\x80\xaf"),  //
           std::string("\xed\xa0\x80"),      // a surrogate
           std::string("\xf4\x90\x80\x80"),  // beyond U+10FFFF
           std::string("\xf5\x80\x80\x80"),  //
       }) {
    EXPECT_TRUE(Refuses([&](Agent& agent) { agent.owner = "x" + text; }, "owner: "))
        << ::testing::PrintToString(text);
  }
  for (const char* text :
       {"\xed\x9f\xbf", "\xee\x80\x80", "\xf4\x8f\xbf\xbf", "\xf0\x90\x80\x80", "\xe0\xa0\x80"}) {
    EXPECT_TRUE(Validated([&](Agent& agent) { agent.owner = text; }).ok())
        << ::testing::PrintToString(text);
  }
}

TEST(AgentTest, IsOfAProfileOfItsHierarchy) {
  EXPECT_TRUE(Refuses([](Agent& agent) { agent.profile = "nope"; }, "profile: "));
  EXPECT_TRUE(Refuses([](Agent& agent) { agent.profile = ""; }, "profile: "));
}

TEST(AgentTest, HasHostNamesOnlyIfItsProfileAllowsThem) {
  EXPECT_TRUE(Refuses(
      [](Agent& agent) {
        agent.profile = "agent";
        agent.dns_names = {"a.svc.acme.example"};
      },
      "profile 'agent' allows none"));
  EXPECT_TRUE(Refuses(
      [](Agent& agent) {
        agent.profile = "agent";
        agent.ip_addresses = {Must(IpAddress::Parse("10.0.0.1"))};
      },
      "profile 'agent' allows none"));
}

TEST(AgentTest, HasHostNamesWithinItsHierarchy) {
  EXPECT_TRUE(Validated([](Agent& agent) {
                agent.dns_names = {"a.svc.acme.example", "prod.acme.example"};
                agent.ip_addresses = {Must(IpAddress::Parse("10.0.0.1"))};
              }).ok());
  for (const char* name : {"globex.example", "A.svc.acme.example", "*.svc.acme.example", "",
                           "svc.acme.example.", "a..svc.acme.example"}) {
    EXPECT_TRUE(Refuses([&](Agent& agent) { agent.dns_names = {name}; }, "dns_names: ")) << name;
  }
  EXPECT_TRUE(
      Refuses([](Agent& agent) { agent.ip_addresses = {Must(IpAddress::Parse("192.0.2.1"))}; },
              "ip_addresses: 192.0.2.1 is in no range of acme/prod"));
}

TEST(AgentTest, HasABoundedNumberOfHostNames) {
  const auto with = [](size_t names) {
    return [names](Agent& agent) {
      agent.dns_names.assign(names, "a.svc.acme.example");
      agent.ip_addresses = {Must(IpAddress::Parse("10.0.0.1"))};
    };
  };
  EXPECT_TRUE(Validated(with(Agent::kHostNamesMax - 1)).ok());
  EXPECT_TRUE(Refuses(with(Agent::kHostNamesMax), "at most 16 in all"));
}

}  // namespace
}  // namespace ca
