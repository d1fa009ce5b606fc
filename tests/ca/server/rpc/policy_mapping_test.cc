// Recorded enrollment requests on the wire.

#include "ca/server/rpc/policy_mapping.h"

#include <gtest/gtest.h>

#include "ca/server/rpc/common_mapping.h"
#include "tests/fakes/deployment.h"
#include "tests/fakes/must.h"
#include "tests/fakes/refusal.h"

namespace server {
namespace {

using ca::StatusCode;
using ca::testing::Must;
using ca::testing::Says;

const ca::TimePoint kNow = ca::testing::FakeClock().Now();

class PolicyMappingTest : public ::testing::Test {
 protected:
  ca::testing::FakeClock clock_;
  ca::testing::MemoryPorts ports_{clock_};
  ca::testing::Deployment deployment_{ports_, clock_};
  const ca::Agent agent_ = deployment_.Register(deployment_.acme, "billing/bot");
};

TEST_F(PolicyMappingTest, ReadsAQueryForRequests) {
  agentpki::v1::ListEnrollmentRequestsRequest message;
  *message.mutable_since() = ToProto(kNow - ca::RequestQuery::kBackMax);
  auto query = Must(FromProto(message, deployment_.acme, kNow));
  EXPECT_EQ(query.since,
            std::chrono::floor<std::chrono::seconds>(kNow) - ca::RequestQuery::kBackMax);
  EXPECT_EQ(query.hierarchy, deployment_.acme.id);
  EXPECT_EQ(query.page_size, 100);
  EXPECT_EQ(query.after, std::nullopt);
  const ca::RequestPosition position{kNow, 7};
  message.set_page_size(1000);
  message.set_page_token(position.ToString());
  query = Must(FromProto(message, deployment_.acme, kNow));
  EXPECT_EQ(query.page_size, 1000);
  EXPECT_EQ(query.after, position);
}

TEST_F(PolicyMappingTest, BoundsAQueryForRequests) {
  const auto refuses = [this](const agentpki::v1::ListEnrollmentRequestsRequest& message,
                              std::string_view words) {
    return Says(FromProto(message, deployment_.acme, kNow).status(), StatusCode::kInvalidArgument,
                words);
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

TEST_F(PolicyMappingTest, WritesEveryFieldOfARequest) {
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

}  // namespace
}  // namespace server
