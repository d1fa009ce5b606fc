// Enrollment and renewal on the wire.

#include "ca/server/rpc/enrollment_mapping.h"

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

class EnrollmentMappingTest : public ::testing::Test {
 protected:
  ca::testing::FakeClock clock_;
  ca::testing::MemoryPorts ports_{clock_};
  ca::testing::Deployment deployment_{ports_, clock_};
  const ca::Agent agent_ = deployment_.Register(deployment_.acme, "billing/bot");
};

agentpki::v1::EnrollRequest EnrollRequest() {
  agentpki::v1::EnrollRequest request;
  request.set_request_id(ca::RequestId::New(kNow).ToString());
  request.set_csr("csr");
  request.set_join_token_secret(std::string(32, 's'));
  return request;
}

TEST_F(EnrollmentMappingTest, ReadsAnEnrollment) {
  const auto request = Must(FromProto(EnrollRequest(), kNow));
  EXPECT_EQ(request.csr, "csr");
  EXPECT_EQ(request.secret.Reveal(), std::string(32, 's'));
}

TEST_F(EnrollmentMappingTest, RefusesASecretOfAnotherSize) {
  for (const size_t size : {0u, 31u, 33u, 100'000u}) {
    auto message = EnrollRequest();
    message.set_join_token_secret(std::string(size, 's'));
    EXPECT_TRUE(Says(FromProto(message, kNow).status(), StatusCode::kInvalidArgument,
                     "join_token_secret: send the 32 octets"));
  }
}

TEST_F(EnrollmentMappingTest, RefusesAnInvalidOrOldRequestId) {
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

TEST_F(EnrollmentMappingTest, WritesACertificateWithItsChainAndRoots) {
  const ca::Certificate certificate = deployment_.Issue(agent_);
  const auto hierarchy = deployment_.catalog->Find(deployment_.acme.id);
  const auto message = ToProto(ca::IssuedCertificate{certificate, hierarchy});
  EXPECT_EQ(message.certificate(), certificate.Der());
  ASSERT_EQ(message.intermediates_size(), 1);
  EXPECT_EQ(message.intermediates(0),
            hierarchy->Intermediates(certificate.record.authority).front());
  ASSERT_EQ(message.roots_size(), 1);
  EXPECT_EQ(message.roots(0), hierarchy->Roots().front());
  EXPECT_EQ(message.serial(), certificate.record.serial.ToString());
  EXPECT_EQ(message.spiffe_id(), agent_.id.ToString());
  EXPECT_LT(message.not_before().seconds(), message.not_after().seconds());
}

}  // namespace
}  // namespace server
