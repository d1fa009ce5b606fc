// A wanted policy is replayed over recorded requests.

#include "ca/certificates/policy_replay.h"

#include <gtest/gtest.h>

#include <functional>

#include "tests/fakes/fake_clock.h"
#include "tests/fakes/must.h"
#include "tests/fakes/samples.h"

namespace ca {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using testing::Must;
using Effect = EnrollmentRule::Effect;

const TimePoint kStart = testing::FakeClock().Now();

const RequestFacts kFacts{.agent = "billing/invoice-bot",
                          .owner = "billing-team",
                          .role = "invoicing",
                          .version = "1.4.0",
                          .profile = "agent",
                          .key_type = KeyType::kP256,
                          .operation = Operation::kRenew};

RecordedRequest Made(Decision decision, std::string rule, std::optional<RequestFacts> facts) {
  return {
      .position = {kStart, 1},
      .operation = Operation::kRenew,
      .subject = "spiffe://prod.acme.example/billing/invoice-bot",
      .decision = decision,
      .rule = std::move(rule),
      .facts = std::move(facts),
  };
}
RecordedRequest Admitted(RequestFacts facts = kFacts) {
  return Made(Decision::kAllowed, "", std::move(facts));
}

EnrollmentRule Refusing(std::string name) {
  EnrollmentRule rule;
  rule.name = std::move(name);
  rule.effect = Effect::kRefuse;
  return rule;
}
EnrollmentRule Admitting(std::string name, std::string agents) {
  EnrollmentRule rule;
  rule.name = std::move(name);
  rule.effect = Effect::kAdmit;
  rule.agents = {std::move(agents)};
  return rule;
}

// The sample hierarchy, changed.
using Change = std::function<void(Hierarchy&)>;
Hierarchy With(const Change& change) {
  Hierarchy hierarchy = testing::AcmeProd();
  change(hierarchy);
  Must(hierarchy.Validate());
  return hierarchy;
}
void AsItIs(Hierarchy&) {}
void RefusesAll(Hierarchy& hierarchy) { hierarchy.enrollment_rules = {Refusing("all")}; }
void AdmitsBilling(Hierarchy& hierarchy) {
  hierarchy.enrollment_rules = {Admitting("billing", "billing/**"), Refusing("all")};
}
void RefusesP256(Hierarchy& hierarchy) { hierarchy.profiles.front().key_types = {KeyType::kP384}; }
void RenamesTheProfile(Hierarchy& hierarchy) { hierarchy.profiles.front().name = "bot"; }

PolicyReplayReport Replayed(const Change& standing, const Change& wanted,
                            const std::vector<RecordedRequest>& requests) {
  const Hierarchy before = With(standing);
  const Hierarchy after = With(wanted);
  PolicyReplay replay(before, after);
  for (const RecordedRequest& request : requests) replay.Add(request);
  return replay.Report();
}

// One request, as a line: which list it is in, and by which rules.
std::string Outcome(const PolicyReplayReport& report) {
  std::string text;
  for (const PolicyChange& change : report.newly_refused) {
    text += fmt::format("newly refused by '{}', not '{}'; ", change.rule, change.standing_rule);
  }
  for (const PolicyChange& change : report.newly_admitted) {
    text += fmt::format("newly admitted by '{}', not '{}'; ", change.rule, change.standing_rule);
  }
  if (report.still_admitted > 0) text += "still admitted; ";
  if (report.still_refused > 0) text += "still refused; ";
  if (report.refused_otherwise > 0) text += "refused otherwise; ";
  if (report.failed > 0) text += "failed; ";
  if (report.without_facts > 0) text += "without facts; ";
  return text;
}

TEST(PolicyReplayTest, JudgesARequestByWhatStandsAndByWhatIsWanted) {
  const struct {
    const char* what;
    Change standing;
    Change wanted;
    RecordedRequest request;
    std::string outcome;
  } kCases[] = {
      {"nothing changes", AsItIs, AsItIs, Admitted(), "still admitted; "},
      {"a rule that refuses", AsItIs, RefusesAll, Admitted(),
       "newly refused by 'policy.all', not ''; "},
      {"a rule that refused, and goes", RefusesAll, AsItIs,
       Made(Decision::kDenied, "policy.all", kFacts), "newly admitted by '', not 'policy.all'; "},
      {"a rule that admits before it", RefusesAll, AdmitsBilling,
       Made(Decision::kDenied, "policy.all", kFacts),
       "newly admitted by 'policy.billing', not 'policy.all'; "},
      {"a rule that admitted, and goes", AdmitsBilling, RefusesAll,
       Made(Decision::kAllowed, "policy.billing", kFacts),
       "newly refused by 'policy.all', not 'policy.billing'; "},
      {"another rule, but no other outcome", AsItIs, AdmitsBilling, Admitted(), "still admitted; "},
      {"refused by both", RefusesAll, RefusesAll, Made(Decision::kDenied, "policy.all", kFacts),
       "still refused; "},
      {"the profile no longer admits the key", AsItIs, RefusesP256, Admitted(),
       "newly refused by 'profile.key-type', not ''; "},
      {"the profile admits the key from now on", RefusesP256, AsItIs,
       Made(Decision::kDenied, "profile.key-type", kFacts),
       "newly admitted by '', not 'profile.key-type'; "},
      {"the profile is gone", AsItIs, RenamesTheProfile, Admitted(),
       "newly refused by 'profile.unknown', not ''; "},
      {"the policy was changed after the request", RefusesAll, RefusesAll, Admitted(),
       "still refused; "},
      {"it was widened after the request", AsItIs, AsItIs,
       Made(Decision::kDenied, "policy.all", kFacts), "still admitted; "},
      // Requests that no policy decided are not judged.
      {"a bad credential", RefusesAll, AsItIs,
       Made(Decision::kDenied, "join-token.used", std::nullopt), "refused otherwise; "},
      {"a revoked certificate", AsItIs, RefusesAll,
       Made(Decision::kDenied, "renewal.revoked", kFacts), "refused otherwise; "},
      {"a malformed request", RefusesAll, AsItIs,
       Made(Decision::kDenied, "csr.signature", std::nullopt), "refused otherwise; "},
      {"a token that was away", AsItIs, RefusesAll, Made(Decision::kFailed, "", kFacts),
       "failed; "},
      {"nothing on record of what was decided by", AsItIs, RefusesAll,
       Made(Decision::kAllowed, "", std::nullopt), "without facts; "},
  };
  for (const auto& test : kCases) {
    const auto report = Replayed(test.standing, test.wanted, {test.request});
    EXPECT_EQ(Outcome(report), test.outcome) << test.what;
    EXPECT_EQ(report.Total(), 1) << test.what;
    EXPECT_EQ(report.ChangesNothing(), test.outcome.find("newly") == std::string::npos)
        << test.what;
  }
}

TEST(PolicyReplayTest, EveryFactIsPutToTheRules) {
  const std::vector<std::pair<std::string, std::function<void(EnrollmentRule&)>>> kConditions = {
      {"agents", [](auto& rule) { rule.agents = {"billing/*"}; }},
      {"owners", [](auto& rule) { rule.owners = {"billing-team"}; }},
      {"roles", [](auto& rule) { rule.roles = {"invoicing"}; }},
      {"versions", [](auto& rule) { rule.versions = {"1.*"}; }},
      {"profiles", [](auto& rule) { rule.profiles = {"agent"}; }},
      {"key_types", [](auto& rule) { rule.key_types = {KeyType::kP256}; }},
      {"operations", [](auto& rule) { rule.operations = {Operation::kRenew}; }},
  };
  const RequestFacts other{.agent = "crm/bot",
                           .owner = "crm-team",
                           .role = "",
                           .version = "2.0",
                           .profile = "service",
                           .key_type = KeyType::kP384,
                           .operation = Operation::kEnroll};
  for (const auto& [name, add] : kConditions) {
    const auto narrower = [&add = add](Hierarchy& hierarchy) {
      hierarchy.enrollment_rules = {Refusing("one")};
      add(hierarchy.enrollment_rules.front());
    };
    const auto report = Replayed(AsItIs, narrower, {Admitted(), Admitted(other)});
    ASSERT_EQ(report.newly_refused.size(), 1u) << name;
    EXPECT_EQ(report.newly_refused[0].agent, kFacts.agent) << name;
    EXPECT_EQ(report.still_admitted, 1) << name;
  }
}

TEST(PolicyReplayTest, GroupsByAgentAndRuleAndSaysHowOftenAndWhenLast) {
  std::vector<RecordedRequest> requests;
  const auto add = [&](std::string agent, KeyType key_type, minutes at) {
    RequestFacts facts = kFacts;
    facts.agent = std::move(agent);
    facts.key_type = key_type;
    requests.push_back(Admitted(facts));
    requests.back().position.at = kStart + at;
  };
  add("crm/bot", KeyType::kP256, minutes(1));
  add("billing/b", KeyType::kP384, minutes(5));
  add("billing/b", KeyType::kP256, minutes(2));
  add("billing/b", KeyType::kP256, minutes(3));
  add("billing/a", KeyType::kP384, minutes(4));

  const auto narrower = [](Hierarchy& hierarchy) {
    EnrollmentRule billing = Refusing("billing");
    billing.agents = {"billing/**"};
    billing.reason = "paused";
    EnrollmentRule fast = Refusing("fast-keys");
    fast.key_types = {KeyType::kP384};
    hierarchy.enrollment_rules = {fast, billing};
  };
  const auto report = Replayed(AsItIs, narrower, requests);

  ASSERT_EQ(report.newly_refused.size(), 3u);
  const auto& [a, b_billing, b_fast] =
      std::tie(report.newly_refused[0], report.newly_refused[1], report.newly_refused[2]);
  EXPECT_EQ(a.agent, "billing/a");
  EXPECT_EQ(a.rule, "policy.fast-keys");
  EXPECT_EQ(b_billing.agent, "billing/b");
  EXPECT_EQ(b_billing.rule, "policy.billing");
  EXPECT_EQ(b_billing.count, 2);
  EXPECT_EQ(b_billing.last_seen, kStart + minutes(3));
  EXPECT_EQ(b_fast.rule, "policy.fast-keys");
  EXPECT_EQ(b_fast.count, 1);
  EXPECT_EQ(report.still_admitted, 1);
  EXPECT_EQ(report.Total(), 5);
}

TEST(PolicyReplayTest, SaysWhatTheLastOneWouldBeTold) {
  RequestFacts enrolled = kFacts;
  enrolled.operation = Operation::kEnroll;
  RecordedRequest last = Admitted(kFacts);
  last.position.at = kStart + hours(1);
  for (const auto& requests :
       {std::vector{Admitted(enrolled), last}, std::vector{last, Admitted(enrolled)}}) {
    const auto report = Replayed(
        AsItIs,
        [](Hierarchy& hierarchy) {
          hierarchy.enrollment_rules = {Refusing("old-keys")};
          hierarchy.enrollment_rules[0].key_types = {KeyType::kP256};
          hierarchy.enrollment_rules[0].reason = "P-384 from now on";
        },
        requests);
    ASSERT_EQ(report.newly_refused.size(), 1u);
    EXPECT_EQ(report.newly_refused[0].reason,
              "rule 'old-keys' of acme/prod refuses to renew billing/invoice-bot with a p256 key: "
              "P-384 from now on; the same with a p384 key would pass");
    EXPECT_EQ(report.newly_refused[0].count, 2);
  }
}

// ---- where a page goes on -----------------------------------------------------------------------

TEST(RequestPositionTest, IsReadBackAsItIsWritten) {
  const RequestPosition position{kStart, 42};
  EXPECT_EQ(Must(RequestPosition::Parse(position.ToString())), position);
}

TEST(RequestPositionTest, NothingElseIsOne) {
  for (const auto* const text :
       {"", ".", "1", "1.", ".1", "1.2.3", "-1.2", "1.-2", "+1.2", " 1.2", "1.2 ", "x.1", "1.x",
        "253402300799000001.1", "9223372036854775808.1", "1.9223372036854775808"}) {
    const auto parsed = RequestPosition::Parse(text);
    EXPECT_EQ(parsed.status().code(), StatusCode::kInvalidArgument) << text;
  }
}

}  // namespace
}  // namespace ca
