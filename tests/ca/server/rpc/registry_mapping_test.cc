// Agents and join tokens on the wire.

#include "ca/server/rpc/registry_mapping.h"

#include <gtest/gtest.h>

#include "tests/fakes/deployment.h"
#include "tests/fakes/must.h"
#include "tests/fakes/refusal.h"

namespace server {
namespace {

using ca::StatusCode;
using ca::testing::Must;
using ca::testing::Says;

const ca::TimePoint kNow = ca::testing::FakeClock().Now();

class RegistryMappingTest : public ::testing::Test {
 protected:
  ca::testing::FakeClock clock_;
  ca::testing::MemoryPorts ports_{clock_};
  ca::testing::Deployment deployment_{ports_, clock_};
  const ca::Agent agent_ = deployment_.Register(deployment_.acme, "billing/bot");
};

agentpki::v1::RegisterAgentRequest RegisterRequest() {
  agentpki::v1::RegisterAgentRequest request;
  agentpki::v1::Agent& agent = *request.mutable_agent();
  agent.set_spiffe_id("spiffe://prod.acme.example/bot");
  agent.set_owner("billing-team");
  agent.set_role("invoicing");
  agent.set_version("1.4.0");
  agent.set_profile("service");
  agent.add_dns_names("a.svc.acme.example");
  agent.add_ip_addresses("10.0.0.1");
  return request;
}

::testing::AssertionResult Refuses(const agentpki::v1::RegisterAgentRequest& request,
                                   std::string_view words) {
  return Says(FromProto(request).status(), StatusCode::kInvalidArgument, words);
}

TEST_F(RegistryMappingTest, ReadsARegistration) {
  const auto registration = Must(FromProto(RegisterRequest()));
  EXPECT_EQ(registration.id.ToString(), "spiffe://prod.acme.example/bot");
  EXPECT_EQ(registration.owner, "billing-team");
  EXPECT_EQ(registration.role, "invoicing");
  EXPECT_EQ(registration.version, "1.4.0");
  EXPECT_EQ(registration.profile, "service");
  EXPECT_EQ(registration.dns_names, std::vector<std::string>{"a.svc.acme.example"});
  ASSERT_EQ(registration.ip_addresses.size(), 1u);
  EXPECT_EQ(registration.ip_addresses[0].ToString(), "10.0.0.1");
}

TEST_F(RegistryMappingTest, RefusesFieldsThatTheServerSets) {
  auto with_hierarchy = RegisterRequest();
  with_hierarchy.mutable_agent()->set_hierarchy("acme/prod");
  auto disabled = RegisterRequest();
  disabled.mutable_agent()->set_disabled(true);
  auto registered = RegisterRequest();
  registered.mutable_agent()->mutable_registered_at()->set_seconds(0);
  for (const auto& request : {with_hierarchy, disabled, registered}) {
    EXPECT_TRUE(Refuses(request, "are the server's to say"));
  }
}

TEST_F(RegistryMappingTest, RefusesARegistrationWithoutAValidSpiffeId) {
  EXPECT_TRUE(Refuses({}, "agent.spiffe_id: "));
  auto request = RegisterRequest();
  request.mutable_agent()->set_spiffe_id("https://example.com");
  EXPECT_TRUE(Refuses(request, "agent.spiffe_id: "));
}

TEST_F(RegistryMappingTest, RefusesInvalidOrTooManyAddresses) {
  auto request = RegisterRequest();
  request.mutable_agent()->add_ip_addresses("10.0.0.0/8");
  EXPECT_TRUE(Refuses(request, "agent.ip_addresses: '10.0.0.0/8'"));
  auto many = RegisterRequest();
  for (int i = 0; i < 16; ++i) many.mutable_agent()->add_ip_addresses("10.0.0.1");
  EXPECT_TRUE(Refuses(many, "agent.ip_addresses: write at most 16"));
}

TEST_F(RegistryMappingTest, WritesEveryFieldOfAnAgent) {
  ca::Agent agent = agent_;
  agent.dns_names = {"a.svc.acme.example"};
  agent.ip_addresses = {Must(ca::IpAddress::Parse("10.0.0.1"))};
  agent.disabled = true;
  const auto message = ToProto(agent, deployment_.acme);
  EXPECT_EQ(message.spiffe_id(), "spiffe://prod.acme.example/billing/bot");
  EXPECT_EQ(message.hierarchy(), "acme/prod");
  EXPECT_EQ(message.owner(), "billing-team");
  EXPECT_EQ(message.role(), "invoicing");
  EXPECT_EQ(message.version(), "1.4.0");
  EXPECT_EQ(message.profile(), "agent");
  EXPECT_EQ(message.dns_names(0), "a.svc.acme.example");
  EXPECT_EQ(message.ip_addresses(0), "10.0.0.1");
  EXPECT_TRUE(message.disabled());
  EXPECT_EQ(message.registered_at().nanos(), 123'457'000);
}

TEST_F(RegistryMappingTest, WritesTheStateOfAJoinTokenAndNeverItsHash) {
  const ca::JoinToken token = deployment_.Invite(agent_);
  auto record = Must(ports_.registry.FindInvitation(ca::Sha256(token.secret.Reveal()))).token;
  using agentpki::v1::JoinToken;
  EXPECT_EQ(ToProto(record, kNow).state(), JoinToken::READY);
  EXPECT_FALSE(ToProto(record, kNow).has_used_at());
  EXPECT_EQ(ToProto(record, record.expires_at).state(), JoinToken::EXPIRED);
  EXPECT_EQ(ToProto(record, kNow).id(), record.Id());
  EXPECT_EQ(ToProto(record, kNow).SerializeAsString().find(record.secret_hash), std::string::npos);
  record.revoked_at = kNow;
  EXPECT_EQ(ToProto(record, kNow).state(), JoinToken::REVOKED);
  record.used_at = kNow;
  record.used_by_request = "a request";
  EXPECT_EQ(ToProto(record, kNow).state(), JoinToken::USED);
  EXPECT_TRUE(ToProto(record, kNow).has_used_at());
  EXPECT_EQ(ToProto(record, kNow).used_by_request(), "a request");
}

TEST_F(RegistryMappingTest, ReadsAQueryForAgents) {
  agentpki::v1::ListAgentsRequest message;
  message.set_owner("billing-team");
  message.set_page_size(7);
  message.set_page_token("spiffe://prod.acme.example/bot");
  const auto query = Must(FromProto(message, deployment_.acme));
  EXPECT_EQ(query.hierarchy, deployment_.acme.id);
  EXPECT_EQ(query.owner, "billing-team");
  EXPECT_EQ(query.page_size, 7);
  EXPECT_EQ(query.page_token, "spiffe://prod.acme.example/bot");
  message.set_page_size(1001);
  EXPECT_TRUE(Says(FromProto(message, deployment_.acme).status(), StatusCode::kInvalidArgument,
                   "page_size: "));
}

TEST_F(RegistryMappingTest, ReadsAQueryForJoinTokens) {
  agentpki::v1::ListJoinTokensRequest message;
  EXPECT_EQ(Must(FromProto(message, deployment_.acme)).agent, std::nullopt);
  EXPECT_EQ(Must(FromProto(message, deployment_.acme)).page_size, 100);
  message.set_spiffe_id(agent_.id.ToString());
  message.set_page_token("an id");
  const auto query = Must(FromProto(message, deployment_.acme));
  EXPECT_EQ(query.hierarchy, deployment_.acme.id);
  EXPECT_EQ(query.agent, agent_.id);
  EXPECT_EQ(query.page_token, "an id");
  message.set_spiffe_id("x");
  EXPECT_TRUE(Says(FromProto(message, deployment_.acme).status(), StatusCode::kInvalidArgument,
                   "spiffe_id: "));
}

TEST_F(RegistryMappingTest, GivesAJoinTokenAnHourUnlessItsRequestSaysOtherwise) {
  agentpki::v1::CreateJoinTokenRequest message;
  EXPECT_EQ(LifetimeFrom(message), std::chrono::hours(1));
  message.mutable_lifetime()->set_seconds(60);
  EXPECT_EQ(LifetimeFrom(message), std::chrono::seconds(60));
}

}  // namespace
}  // namespace server
