// Certificates on the wire.

#include "ca/server/rpc/certificate_mapping.h"

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

class CertificateMappingTest : public ::testing::Test {
 protected:
  ca::testing::FakeClock clock_;
  ca::testing::MemoryPorts ports_{clock_};
  ca::testing::Deployment deployment_{ports_, clock_};
  const ca::Agent agent_ = deployment_.Register(deployment_.acme, "billing/bot");
};

TEST_F(CertificateMappingTest, WritesEveryFieldOfAListedCertificate) {
  const ca::Certificate certificate = deployment_.Issue(agent_);
  const auto entries =
      Must(ports_.ledger.ListCertificates({.hierarchy = deployment_.acme.id, .now = kNow}));
  const auto message = ToProto(entries.at(0), deployment_.acme, std::nullopt);
  EXPECT_EQ(message.serial(), certificate.record.serial.ToString());
  EXPECT_EQ(message.hierarchy(), "acme/prod");
  EXPECT_EQ(message.spiffe_id(), agent_.id.ToString());
  EXPECT_EQ(message.profile(), "agent");
  EXPECT_EQ(message.key_fingerprint(), ca::Hex(certificate.record.key_fingerprint));
  EXPECT_EQ(message.recorded_at().nanos(), 123'457'000);
  EXPECT_TRUE(message.signed_());
  EXPECT_FALSE(message.has_revoked_at());
}

TEST_F(CertificateMappingTest, WritesTheRevocationOfACertificate) {
  deployment_.Issue(agent_);
  const auto entries =
      Must(ports_.ledger.ListCertificates({.hierarchy = deployment_.acme.id, .now = kNow}));
  const ca::Revocation revocation{.serial = entries.at(0).serial,
                                  .revoked_at = kNow,
                                  .reason = ca::RevocationReason::kKeyCompromise,
                                  .invalidity_date = std::nullopt};
  const auto message = ToProto(entries.at(0), deployment_.acme, revocation);
  EXPECT_EQ(message.revoked_at().nanos(), 123'457'000);
  EXPECT_EQ(message.revocation_reason(), NameOf(ca::RevocationReason::kKeyCompromise));
}

TEST_F(CertificateMappingTest, WritesACertificateWithItsChainAndRoots) {
  const ca::Certificate certificate = deployment_.Issue(agent_);
  const auto message = ToProto(certificate, {"intermediate"}, {"root"});
  EXPECT_EQ(message.certificate(), certificate.Der());
  ASSERT_EQ(message.intermediates_size(), 1);
  EXPECT_EQ(message.intermediates(0), "intermediate");
  ASSERT_EQ(message.roots_size(), 1);
  EXPECT_EQ(message.roots(0), "root");
}

TEST_F(CertificateMappingTest, ReadsAQuery) {
  agentpki::v1::ListCertificatesRequest message;
  message.set_live_only(true);
  message.set_spiffe_id(agent_.id.ToString());
  message.set_page_token("01005134083E4EDAC3EBB1972B3910B9C4C04102");
  const auto query = Must(FromProto(message, deployment_.acme, kNow));
  EXPECT_EQ(query.hierarchy, deployment_.acme.id);
  EXPECT_TRUE(query.live_only);
  EXPECT_EQ(query.now, kNow);
  EXPECT_EQ(query.subject, agent_.id);
  EXPECT_EQ(query.page_size, 100);
  EXPECT_EQ(query.page_token->ToString(), "01005134083e4edac3ebb1972b3910b9c4c04102");
}

TEST_F(CertificateMappingTest, RefusesAnInvalidQuery) {
  const auto refuses = [this](const agentpki::v1::ListCertificatesRequest& message,
                              std::string_view words) {
    return Says(FromProto(message, deployment_.acme, kNow).status(), StatusCode::kInvalidArgument,
                words);
  };
  agentpki::v1::ListCertificatesRequest message;
  message.set_page_size(-1);
  EXPECT_TRUE(refuses(message, "page_size: "));
  message.set_page_size(1);
  message.set_spiffe_id("x");
  EXPECT_TRUE(refuses(message, "spiffe_id: "));
  message.clear_spiffe_id();
  message.set_page_token("x");
  EXPECT_TRUE(refuses(message, "serial"));
}

}  // namespace
}  // namespace server
