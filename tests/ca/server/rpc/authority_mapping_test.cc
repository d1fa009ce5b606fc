// Authorities, their certification requests and stragglers on the wire.

#include "ca/server/rpc/authority_mapping.h"

#include <gtest/gtest.h>

#include "tests/fakes/deployment.h"
#include "tests/fakes/must.h"
#include "tests/fakes/refusal.h"

namespace server {
namespace {

using ca::StatusCode;
using ca::testing::Must;
using ca::testing::Says;

class AuthorityMappingTest : public ::testing::Test {
 protected:
  // The only issuing authority of acme/prod.
  ca::AuthorityView Issuing() const {
    return deployment_.catalog->Find(deployment_.acme.id)->ViewsAt(clock_.Now()).back();
  }

  ca::testing::FakeClock clock_;
  ca::testing::MemoryPorts ports_{clock_};
  ca::testing::Deployment deployment_{ports_, clock_};
};

TEST_F(AuthorityMappingTest, WritesEveryFieldOfAnActiveAuthority) {
  const ca::AuthorityView view = Issuing();
  const auto message = ToProto(view);
  EXPECT_EQ(message.name(), "acme/prod/issuing/1");
  EXPECT_EQ(message.hierarchy(), "acme/prod");
  EXPECT_EQ(message.kind(), "issuing");
  EXPECT_EQ(message.generation(), 1);
  EXPECT_EQ(message.state(), "active");
  EXPECT_EQ(message.key_label(), view.record.key_label);
  EXPECT_EQ(message.fingerprint(), ca::Hex(ca::Sha256(view.record.certificate)));
  EXPECT_TRUE(message.has_active_since());
  EXPECT_TRUE(message.has_not_after());
  EXPECT_FALSE(message.has_tainted_at());
  EXPECT_FALSE(message.has_key_destruction_decided_at());
}

TEST_F(AuthorityMappingTest, WritesNoCertificateOfAPendingAuthority) {
  ca::AuthorityView view = Issuing();
  view.state = ca::AuthorityState::kPending;
  view.validity.reset();
  const auto message = ToProto(view);
  EXPECT_EQ(message.state(), "pending");
  EXPECT_EQ(message.fingerprint(), "");
  EXPECT_FALSE(message.has_published_at());
  EXPECT_FALSE(message.has_not_after());
}

TEST_F(AuthorityMappingTest, RefusesACertificationRequestThatCannotBeParsed) {
  EXPECT_FALSE(ToProto(ca::AuthorityRequest{Issuing(), "no CSR"}).ok());
}

TEST_F(AuthorityMappingTest, NamesTheNextPageOnlyAfterAFullOne) {
  const ca::SpiffeId bot = ca::testing::IdOf(deployment_.acme, "bot");
  ca::Stragglers stragglers{.progress = {.version = 2,
                                         .published_at = clock_.Now(),
                                         .count = {.live = 3, .acknowledged = 1}},
                            .agents = {{.id = bot, .owner = "ops", .acknowledged_version = 1}}};
  const auto full = ToProto(stragglers, 1);
  EXPECT_EQ(full.version(), 2);
  EXPECT_EQ(full.live_count(), 3);
  EXPECT_EQ(full.acknowledged_count(), 1);
  ASSERT_EQ(full.stragglers_size(), 1);
  EXPECT_EQ(full.stragglers(0).spiffe_id(), bot.ToString());
  EXPECT_EQ(full.stragglers(0).owner(), "ops");
  EXPECT_EQ(full.stragglers(0).acknowledged_version(), 1);
  EXPECT_EQ(full.next_page_token(), bot.ToString());
  EXPECT_EQ(ToProto(stragglers, 2).next_page_token(), "");
}

TEST_F(AuthorityMappingTest, TakesCaCompromiseForARevocationWithoutAReason) {
  agentpki::v1::RevokeAuthorityRequest request;
  EXPECT_EQ(Must(ReasonFrom(request)), ca::RevocationReason::kCaCompromise);
  request.set_reason("superseded");
  EXPECT_EQ(Must(ReasonFrom(request)), ca::RevocationReason::kSuperseded);
  request.set_reason("boredom");
  EXPECT_TRUE(Says(ReasonFrom(request).status(), StatusCode::kInvalidArgument, "reason:"));
}

TEST_F(AuthorityMappingTest, WaitsForStragglersUnlessToldOtherwise) {
  agentpki::v1::ActivateAuthorityRequest request;
  EXPECT_EQ(StragglerPolicyFrom(request), ca::StragglerPolicy::kWait);
  request.set_despite_stragglers(true);
  EXPECT_EQ(StragglerPolicyFrom(request), ca::StragglerPolicy::kLeaveBehind);
}

}  // namespace
}  // namespace server
