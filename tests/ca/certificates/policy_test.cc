// The decisions of a hierarchy's enrollment rules, and the words of their refusals.

#include "ca/certificates/policy.h"

#include <functional>

#include "ca/authorities/provisioning.h"
#include "ca/certificates/enrollment.h"
#include "tests/fixtures/use_case_test.h"

namespace ca {
namespace {

using testing::IsRefusal;
using testing::Must;
using testing::Says;
using Effect = EnrollmentRule::Effect;

const RequestFacts kFacts{.agent = "billing/eu/invoice-bot",
                          .owner = "billing-team",
                          .role = "invoicing",
                          .version = "1.4.0",
                          .profile = "agent",
                          .key_type = KeyType::kP384,
                          .operation = Operation::kEnroll};

EnrollmentRule Rule(std::string name, Effect effect) {
  return {.name = std::move(name), .effect = effect};
}

TEST(PatternTest, AStarStaysWithinASegmentAndTwoDoNot) {
  const std::string_view text = "billing/eu/bot";
  for (const auto* const pattern : {"billing/eu/bot", "billing/*/bot", "*/*/*", "**", "billing/**",
                                    "**bot", "b*/eu/*t", "billing/eu/bot*", "billing/e*u/**"}) {
    EXPECT_TRUE(MatchesPattern(pattern, text)) << pattern;
  }
  for (const auto* const pattern :
       {"", "*", "billing", "billing/*", "*/bot", "billing/eu/bot/**", "Billing/**", "b**x"}) {
    EXPECT_FALSE(MatchesPattern(pattern, text)) << pattern;
  }
}

TEST(PatternTest, TakesNoLongerForManyStars) {
  std::string pattern;
  for (int i = 0; i < 60; ++i) pattern += "*a";
  EXPECT_FALSE(MatchesPattern(pattern, std::string(2048, 'a') + "b"));
}

TEST(DecideTest, AdmitsWhereNoRuleSpeaks) {
  EXPECT_TRUE(Decide({}, kFacts).is_admitted);
  EnrollmentRule other = Rule("other", Effect::kRefuse);
  other.owners = {"search-team"};
  const std::vector<EnrollmentRule> rules = {other};
  const PolicyDecision decision = Decide(rules, kFacts);
  EXPECT_TRUE(decision.is_admitted);
  EXPECT_EQ(decision.RuleName(), "");
  ASSERT_EQ(decision.trace.size(), 1u);
  EXPECT_EQ(decision.trace[0].unmet, "owners");
}

TEST(DecideTest, TheFirstRuleThatSpeaksDecides) {
  EnrollmentRule billing = Rule("billing", Effect::kAdmit);
  billing.agents = {"search/**", "billing/**"};
  const std::vector<EnrollmentRule> rules = {billing, Rule("nobody-else", Effect::kRefuse)};
  EXPECT_EQ(Decide(rules, kFacts).RuleName(), "policy.billing");
  RequestFacts other = kFacts;
  other.agent = "crm/bot";
  const PolicyDecision decision = Decide(rules, other);
  EXPECT_FALSE(decision.is_admitted);
  EXPECT_EQ(decision.RuleName(), "policy.nobody-else");
}

TEST(DecideTest, EachConditionHasToHold) {
  const std::vector<std::pair<std::string, std::function<void(EnrollmentRule&)>>> conditions = {
      {"agents", [](auto& rule) { rule.agents = {"billing/*"}; }},
      {"owners", [](auto& rule) { rule.owners = {"search-*"}; }},
      {"roles", [](auto& rule) { rule.roles = {"other"}; }},
      {"versions",
       [](auto& rule) {
         rule.versions = {"2.*", "1.3.*"};
       }},
      {"profiles", [](auto& rule) { rule.profiles = {"service"}; }},
      {"key_types", [](auto& rule) { rule.key_types = {KeyType::kP256}; }},
      {"operations", [](auto& rule) { rule.operations = {Operation::kRenew}; }},
  };
  for (const auto& [name, add] : conditions) {
    std::vector<EnrollmentRule> rules = {Rule("one", Effect::kRefuse)};
    rules[0].owners = {"billing-team"};
    EXPECT_FALSE(Decide(rules, kFacts).is_admitted);
    add(rules[0]);
    EXPECT_EQ(Decide(rules, kFacts).trace[0].unmet, name);
  }
}

class PolicyTest : public testing::StoryTest {
 protected:
  Result<std::string> Check(std::vector<EnrollmentRule> rules) {
    Hierarchy hierarchy = deployment_.acme;
    hierarchy.enrollment_rules = std::move(rules);
    Must(hierarchy.Validate());
    return CheckPolicy(hierarchy, hierarchy.profiles.front(), kFacts);
  }
  Status Validate(EnrollmentRule rule) {
    Hierarchy hierarchy = deployment_.acme;
    hierarchy.enrollment_rules = {rule};
    return hierarchy.Validate();
  }
};

TEST_F(PolicyTest, ARefusalSaysItsReasonAndWhichKeyWouldPass) {
  EnrollmentRule rule = Rule("fast-keys", Effect::kRefuse);
  rule.key_types = {KeyType::kP384};
  rule.reason = "P-384 is slow here";
  const Status status = Check({rule}).status();
  EXPECT_TRUE(IsRefusal(status, StatusCode::kPermissionDenied, "policy.fast-keys"));
  EXPECT_TRUE(Says(status, StatusCode::kPermissionDenied,
                   "refuses to enroll billing/eu/invoice-bot with a p384 key: P-384 is slow here; "
                   "the same with a p256 key would pass"));
}

TEST_F(PolicyTest, ARefusalSaysWhatWouldPassBeforeIt) {
  EnrollmentRule known = Rule("known", Effect::kAdmit);
  known.agents = {"search/**"};
  known.operations = {Operation::kEnroll, Operation::kRenew};
  EXPECT_TRUE(Says(Check({known, Rule("others", Effect::kRefuse)}).status(),
                   StatusCode::kPermissionDenied,
                   "what would pass before it: known (agents search/**, operations enroll|renew)"));
}

TEST_F(PolicyTest, ABuiltInCheckComesFirst) {
  Hierarchy hierarchy = deployment_.acme;
  hierarchy.enrollment_rules = {Rule("none", Effect::kRefuse)};
  RequestFacts facts = kFacts;
  facts.key_type = KeyType::kEd25519;
  EXPECT_TRUE(IsRefusal(CheckPolicy(hierarchy, hierarchy.profiles.front(), facts).status(),
                        StatusCode::kInvalidArgument, "profile.key-type"));
}

TEST_F(PolicyTest, RulesAreValidated) {
  EnrollmentRule rule = Rule("Bad Name", Effect::kRefuse);
  EXPECT_TRUE(Says(Validate(rule), StatusCode::kInvalidArgument, "'Bad Name' is not a name"));
  rule = Rule("one", Effect::kRefuse);
  rule.agents = {"a***b"};
  EXPECT_TRUE(Says(Validate(rule), StatusCode::kInvalidArgument,
                   "enrollment: rules: one: agents: 'a***b' is not a pattern"));
  rule = Rule("one", Effect::kRefuse);
  rule.profiles = {"agnet"};
  EXPECT_TRUE(Says(Validate(rule), StatusCode::kInvalidArgument, "there is no 'agnet'"));
}

// ---- at enrollment and renewal ------------------------------------------------------------------

TEST_F(PolicyTest, EnrollmentIsRefusedByItsRuleAndTheEventSaysSo) {
  Hierarchy wanted = testing::GlobexProd();
  wanted.environment = "strict";
  wanted.trust_domain = Must(TrustDomain::Parse("strict.globex.example"));
  EnrollmentRule known = Rule("known", Effect::kAdmit);
  known.agents = {"billing/**"};
  wanted.enrollment_rules = {known, Rule("others", Effect::kRefuse)};
  Provisioning provisioning(ports_.stores(), ports_.keys, testing::Directory(), clock_);
  const Hierarchy strict = Must(provisioning.hierarchies.EnsureHierarchy(wanted, "test"));
  Must(deployment_.catalogs->Reload());
  deployment_.catalog = deployment_.catalogs->Snapshot();
  const Enrollment enrollment(*deployment_.catalogs, ports_.registry, ports_.ledger,
                              testing::Directory(), clock_);
  const auto enroll = [&](std::string_view path) {
    const Agent agent = deployment_.Register(strict, path);
    const JoinToken token = deployment_.Invite(agent);
    const Bytes csr = testing::NewSubjectKey().Csr(std::nullopt);
    return enrollment
        .Enroll(CallBy(Caller(), Action::kEnroll),
                {RequestId::New(clock_.Now()), csr, Secret(std::string(token.secret.Reveal()))})
        .status();
  };
  EXPECT_TRUE(enroll("billing/bot").ok());
  EXPECT_EQ(LastEvent().rule, "policy.known");
  EXPECT_EQ(ports_.events.All().back().rule, "policy.known");
  EXPECT_TRUE(IsRefusal(enroll("crm/bot"), StatusCode::kPermissionDenied, "policy.others"));
}

}  // namespace
}  // namespace ca
