// Where the wire ends: what is refused names the field, and what is given out says it all.

#include "ca/server/rpc/proto_mapping.h"

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

// ---- enrollment ---------------------------------------------------------------------------------

agentpki::v1::EnrollRequest EnrollRequest() {
  agentpki::v1::EnrollRequest request;
  request.set_request_id(ca::RequestId::New(kNow).ToString());
  request.set_csr("csr");
  request.set_join_token_secret(std::string(32, 's'));
  return request;
}

TEST(ProtoMappingTest, ReadsAnEnrollment) {
  const auto request = Must(FromProto(EnrollRequest(), kNow));
  EXPECT_EQ(request.csr, "csr");
  EXPECT_EQ(request.secret.Reveal(), std::string(32, 's'));
}

TEST(ProtoMappingTest, RefusesASecretOfAnotherSizeThanASecretHas) {
  for (const size_t size : {0u, 31u, 33u, 100'000u}) {
    auto message = EnrollRequest();
    message.set_join_token_secret(std::string(size, 's'));
    EXPECT_TRUE(Says(FromProto(message, kNow).status(), StatusCode::kInvalidArgument,
                     "join_token_secret: send the 32 octets"));
  }
}

TEST(ProtoMappingTest, RefusesARequestIdThatIsNoneOrOld) {
  for (const std::string& id : {std::string(), std::string("1"),
                                ca::RequestId::New(kNow - std::chrono::hours(25)).ToString(),
                                ca::RequestId::New(kNow + std::chrono::minutes(6)).ToString()}) {
    auto enroll = EnrollRequest();
    enroll.set_request_id(id);
    EXPECT_TRUE(
        Says(FromProto(enroll, kNow).status(), StatusCode::kInvalidArgument, "request_id: "));
    agentpki::v1::RenewRequest renew;
    renew.set_request_id(id);
    EXPECT_TRUE(
        Says(FromProto(renew, kNow).status(), StatusCode::kInvalidArgument, "request_id: "));
  }
}

// ---- registration -------------------------------------------------------------------------------

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

TEST(ProtoMappingTest, ReadsARegistration) {
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

TEST(ProtoMappingTest, RefusesWhatIsTheServersToSay) {
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

TEST(ProtoMappingTest, RefusesARegistrationOfNobody) {
  EXPECT_TRUE(Refuses({}, "agent.spiffe_id: "));
  auto request = RegisterRequest();
  request.mutable_agent()->set_spiffe_id("https://example.com");
  EXPECT_TRUE(Refuses(request, "agent.spiffe_id: "));
}

TEST(ProtoMappingTest, RefusesAddressesThatAreNoneOrTooMany) {
  auto request = RegisterRequest();
  request.mutable_agent()->add_ip_addresses("10.0.0.0/8");
  EXPECT_TRUE(Refuses(request, "agent.ip_addresses: '10.0.0.0/8'"));
  auto many = RegisterRequest();
  for (int i = 0; i < 16; ++i) many.mutable_agent()->add_ip_addresses("10.0.0.1");
  EXPECT_TRUE(Refuses(many, "agent.ip_addresses: write at most 16"));
}

// ---- queries ------------------------------------------------------------------------------------

TEST(ProtoMappingTest, BoundsThePageSize) {
  EXPECT_EQ(Must(PageSizeFrom(0, 1000)), 100);
  EXPECT_EQ(Must(PageSizeFrom(1, 1000)), 1);
  EXPECT_EQ(Must(PageSizeFrom(1000, 1000)), 1000);
  for (const int size : {-1, 1001, INT32_MIN, INT32_MAX}) {
    EXPECT_TRUE(
        Says(PageSizeFrom(size, 1000).status(), StatusCode::kInvalidArgument, "page_size: "));
  }
}

TEST(ProtoMappingTest, NamesTheFieldOfASpiffeIdThatIsNone) {
  EXPECT_EQ(Must(SpiffeIdFrom("spiffe_id", "spiffe://a.example/b")).ToString(),
            "spiffe://a.example/b");
  EXPECT_TRUE(Says(SpiffeIdFrom("spiffe_id", "x").status(), StatusCode::kInvalidArgument,
                   "spiffe_id: 'x' is not a SPIFFE ID"));
}

TEST(ProtoMappingTest, ReadsAQueryForRequests) {
  agentpki::v1::ListEnrollmentRequestsRequest message;
  *message.mutable_since() = ToProto(kNow - ca::RequestQuery::kBackMax);
  auto query = Must(FromProto(message, kNow));
  EXPECT_EQ(query.since,
            std::chrono::floor<std::chrono::seconds>(kNow) - ca::RequestQuery::kBackMax);
  EXPECT_EQ(query.page_size, 100);
  EXPECT_EQ(query.after, std::nullopt);
  const ca::RequestPosition position{kNow, 7};
  message.set_page_size(1000);
  message.set_page_token(position.ToString());
  query = Must(FromProto(message, kNow));
  EXPECT_EQ(query.page_size, 1000);
  EXPECT_EQ(query.after, position);
}

TEST(ProtoMappingTest, BoundsAQueryForRequests) {
  const auto refuses = [](const agentpki::v1::ListEnrollmentRequestsRequest& message,
                          std::string_view words) {
    return Says(FromProto(message, kNow).status(), StatusCode::kInvalidArgument, words);
  };
  agentpki::v1::ListEnrollmentRequestsRequest message;
  EXPECT_TRUE(refuses(message, "since: write a time of the last 90d"));
  *message.mutable_since() =
      ToProto(kNow - ca::RequestQuery::kBackMax - std::chrono::hours(24) - std::chrono::seconds(1));
  EXPECT_TRUE(refuses(message, "since: write a time of the last 90d"));
  message.mutable_since()->set_seconds(-1);
  EXPECT_TRUE(refuses(message, "since: "));
  *message.mutable_since() = ToProto(kNow);
  message.set_page_size(1001);
  EXPECT_TRUE(refuses(message, "page_size: "));
  message.set_page_size(1);
  message.set_page_token("x");
  EXPECT_TRUE(refuses(message, "page_token: "));
}

// ---- revocation ---------------------------------------------------------------------------------

agentpki::v1::RevokeRequest RevokeRequest() {
  agentpki::v1::RevokeRequest request;
  request.set_serial("01005134083E4EDAC3EBB1972B3910B9C4C04102");
  return request;
}

TEST(ProtoMappingTest, ReadsARevocation) {
  auto message = RevokeRequest();
  message.set_reason("key-compromise");
  message.mutable_invalidity_date()->set_seconds(1'700'000'000);
  const auto request = Must(FromProto(message));
  EXPECT_EQ(std::get<ca::SerialNumber>(request.target).ToString(),
            "01005134083e4edac3ebb1972b3910b9c4c04102");
  EXPECT_EQ(request.reason, ca::RevocationReason::kKeyCompromise);
  EXPECT_EQ(ca::Rfc3339(*request.invalidity_date), "2023-11-14T22:13:20Z");
}

TEST(ProtoMappingTest, ReadsEachTargetOfARevocation) {
  auto message = RevokeRequest();
  message.set_certificate("der");
  EXPECT_EQ(std::get<ca::Bytes>(Must(FromProto(message)).target), "der");
  message.set_spiffe_id("spiffe://prod.acme.example/bot");
  EXPECT_EQ(std::get<ca::SpiffeId>(Must(FromProto(message)).target).path(), "bot");
  message.set_authority("acme/prod/issuing/1");
  EXPECT_EQ(std::get<ca::AuthorityName>(Must(FromProto(message)).target).text,
            "acme/prod/issuing/1");
}

TEST(ProtoMappingTest, RefusesARevocationOfNothingOrForNoReason) {
  const auto refuses = [](const agentpki::v1::RevokeRequest& request, std::string_view words) {
    return Says(FromProto(request).status(), StatusCode::kInvalidArgument, words);
  };
  EXPECT_TRUE(refuses({}, "target:"));
  auto message = RevokeRequest();
  message.set_serial("12");
  EXPECT_TRUE(refuses(message, "serial:"));
  message = RevokeRequest();
  message.set_reason("boredom");
  EXPECT_TRUE(refuses(message, "reason:"));
  for (const std::int64_t seconds : {std::int64_t{-1}, std::int64_t{253'402'300'800}}) {
    message = RevokeRequest();
    message.mutable_invalidity_date()->set_seconds(seconds);
    EXPECT_TRUE(refuses(message, "invalidity_date:"));
  }
}

// ---- answers ------------------------------------------------------------------------------------

TEST(ProtoMappingTest, WritesTimesToTheMicrosecond) {
  EXPECT_EQ(ToProto(kNow).seconds(), kNow.time_since_epoch().count() / 1'000'000);
  EXPECT_EQ(ToProto(kNow).nanos(), 123'457'000);
  const auto before_1970 = ToProto(ca::TimePoint(std::chrono::microseconds(-1)));
  EXPECT_EQ(before_1970.seconds(), -1);
  EXPECT_EQ(before_1970.nanos(), 999'999'000) << "nanos are never negative";
}

class ProtoAnswersTest : public ::testing::Test {
 protected:
  ca::testing::FakeClock clock_;
  ca::testing::MemoryPorts ports_{clock_};
  ca::testing::Deployment deployment_{ports_, clock_};
  const ca::Agent agent_ = deployment_.Register(deployment_.acme, "billing/bot");
};

TEST_F(ProtoAnswersTest, SayAllOfAnAgent) {
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

TEST_F(ProtoAnswersTest, SayTheStateOfAJoinTokenAndNeverItsHash) {
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

TEST_F(ProtoAnswersTest, GiveOutACertificateWithAllThatItNeeds) {
  const ca::Certificate certificate = deployment_.Issue(agent_);
  const auto message = ToProto(ca::IssuedCertificate{certificate, {"intermediate"}, {"root"}});
  EXPECT_EQ(message.certificate(), certificate.Der());
  ASSERT_EQ(message.intermediates_size(), 1);
  EXPECT_EQ(message.intermediates(0), "intermediate");
  ASSERT_EQ(message.roots_size(), 1);
  EXPECT_EQ(message.roots(0), "root");
  EXPECT_EQ(message.serial(), certificate.record.serial.ToString());
  EXPECT_EQ(message.spiffe_id(), agent_.id.ToString());
  EXPECT_LT(message.not_before().seconds(), message.not_after().seconds());
}

TEST_F(ProtoAnswersTest, SayAllOfACertificateInAListing) {
  const ca::Certificate certificate = deployment_.Issue(agent_);
  const auto entries =
      Must(ports_.ledger.ListCertificates({.hierarchy = deployment_.acme.id, .now = kNow}));
  const auto message = ToProto(entries.at(0), deployment_.acme);
  EXPECT_EQ(message.serial(), certificate.record.serial.ToString());
  EXPECT_EQ(message.hierarchy(), "acme/prod");
  EXPECT_EQ(message.spiffe_id(), agent_.id.ToString());
  EXPECT_EQ(message.profile(), "agent");
  EXPECT_EQ(message.key_fingerprint(), ca::Hex(certificate.record.key_fingerprint));
  EXPECT_EQ(message.recorded_at().nanos(), 123'457'000);
  EXPECT_TRUE(message.signed_());
}

TEST_F(ProtoAnswersTest, SayAllOfARequest) {
  ca::RecordedRequest request{
      .position = {kNow, 7},
      .operation = ca::Operation::kRenew,
      .subject = agent_.id.ToString(),
      .decision = ca::Decision::kDenied,
      .rule = "policy.others",
      .facts = ca::RequestFacts::Of(agent_, ca::KeyType::kP384, ca::Operation::kRenew),
  };
  const auto message = ToProto(request);
  EXPECT_EQ(message.at().nanos(), 123'457'000);
  EXPECT_EQ(message.operation(), "renew");
  EXPECT_EQ(message.spiffe_id(), agent_.id.ToString());
  EXPECT_EQ(message.decision(), "denied");
  EXPECT_EQ(message.rule(), "policy.others");
  EXPECT_EQ(message.facts().owner(), agent_.owner);
  EXPECT_EQ(message.facts().role(), agent_.role);
  EXPECT_EQ(message.facts().version(), agent_.version);
  EXPECT_EQ(message.facts().profile(), "agent");
  EXPECT_EQ(message.facts().key_type(), "p384");
  request.facts.reset();
  EXPECT_FALSE(ToProto(request).has_facts());
}

TEST_F(ProtoAnswersTest, SayAllOfAnAuthority) {
  const auto root = deployment_.catalog->AuthoritiesOf(deployment_.acme.id).front();
  const auto message = ToProto(*root, deployment_.acme);
  EXPECT_EQ(message.kind(), "root");
  EXPECT_EQ(message.name(), "acme/prod/root/1");
  EXPECT_EQ(message.number(), static_cast<std::int64_t>(root->id()));
  EXPECT_EQ(message.generation(), 1);
  EXPECT_EQ(message.key_label(), root->key_label());
  EXPECT_EQ(message.fingerprint(), ca::Hex(ca::Sha256(root->certificate())));
  EXPECT_LT(message.not_before().seconds(), message.not_after().seconds());
}

}  // namespace
}  // namespace server
