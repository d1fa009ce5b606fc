// Revocations on the wire.

#include "ca/server/rpc/revocation_mapping.h"

#include <gtest/gtest.h>

#include "tests/fakes/must.h"
#include "tests/fakes/refusal.h"

namespace server {
namespace {

using ca::StatusCode;
using ca::testing::Must;
using ca::testing::Says;

agentpki::v1::RevokeRequest RevokeRequest() {
  agentpki::v1::RevokeRequest request;
  request.set_serial("01005134083E4EDAC3EBB1972B3910B9C4C04102");
  return request;
}

TEST(RevocationMappingTest, ReadsARevocation) {
  auto message = RevokeRequest();
  message.set_reason("key-compromise");
  message.mutable_invalidity_date()->set_seconds(1'700'000'000);
  const auto request = Must(FromProto(message));
  EXPECT_EQ(std::get<ca::SerialNumber>(request.target).ToString(),
            "01005134083e4edac3ebb1972b3910b9c4c04102");
  EXPECT_EQ(request.reason, ca::RevocationReason::kKeyCompromise);
  EXPECT_EQ(ca::Rfc3339(*request.invalidity_date), "2023-11-14T22:13:20Z");
}

TEST(RevocationMappingTest, ReadsEachTargetOfARevocation) {
  auto message = RevokeRequest();
  message.set_certificate("der");
  EXPECT_EQ(std::get<ca::Bytes>(Must(FromProto(message)).target), "der");
  message.set_spiffe_id("spiffe://prod.acme.example/bot");
  EXPECT_EQ(std::get<ca::SpiffeId>(Must(FromProto(message)).target).path(), "bot");
  message.set_authority("acme/prod/issuing/1");
  EXPECT_EQ(std::get<ca::AuthorityName>(Must(FromProto(message)).target).text,
            "acme/prod/issuing/1");
}

TEST(RevocationMappingTest, RefusesAnInvalidTargetReasonOrDate) {
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

}  // namespace
}  // namespace server
