#include "ca/certificates/policy.h"

#include <algorithm>

namespace ca {
namespace {

using Effect = EnrollmentRule::Effect;

bool AnyMatches(const std::vector<std::string>& patterns, std::string_view text) {
  return patterns.empty() || std::any_of(patterns.begin(), patterns.end(),
                                         [&](const auto& p) { return MatchesPattern(p, text); });
}

std::string_view Unmet(const EnrollmentRule& rule, const RequestFacts& facts) {
  if (!AnyMatches(rule.agents, facts.agent)) return "agents";
  if (!AnyMatches(rule.owners, facts.owner)) return "owners";
  if (!AnyMatches(rule.roles, facts.role)) return "roles";
  if (!AnyMatches(rule.versions, facts.version)) return "versions";
  if (!rule.profiles.empty() &&
      std::ranges::find(rule.profiles, facts.profile) == rule.profiles.end()) {
    return "profiles";
  }
  if (!rule.key_types.empty() && !rule.key_types.contains(facts.key_type)) return "key_types";
  if (!rule.operations.empty() && !rule.operations.contains(facts.operation)) return "operations";
  return "";
}

// ---- what would pass ----------------------------------------------------------------------------

template <typename Items, typename NameOfItem>
void AddCondition(std::string& text, std::string_view field, const Items& items,
                  NameOfItem name_of) {
  if (items.empty()) return;
  text += fmt::format("{}{} ", text.empty() ? "" : ", ", field);
  bool is_first = true;
  for (const auto& item : items) {
    text += fmt::format("{}{}", is_first ? "" : "|", name_of(item));
    is_first = false;
  }
}

// agents billing/**, key_types p256|p384
std::string ConditionsOf(const EnrollmentRule& rule) {
  const auto itself = [](const std::string& text) { return text; };
  std::string text;
  AddCondition(text, "agents", rule.agents, itself);
  AddCondition(text, "owners", rule.owners, itself);
  AddCondition(text, "roles", rule.roles, itself);
  AddCondition(text, "versions", rule.versions, itself);
  AddCondition(text, "profiles", rule.profiles, itself);
  AddCondition(text, "key_types", rule.key_types, [](KeyType type) { return NameOf(type); });
  AddCondition(text, "operations", rule.operations, [](Operation o) { return NameOf(o); });
  return text;
}

// First try the values that the caller itself can change. The rest can be changed only by an
// operator, so for the rest quote the rules.
std::string WhatWouldPass(const std::vector<EnrollmentRule>& rules, const EnrollmentRule& refusing,
                          const CertificateProfile& profile, const RequestFacts& facts) {
  std::string key_types;
  for (const KeyType type : profile.key_types) {
    RequestFacts other = facts;
    other.key_type = type;
    if (!Decide(rules, other).is_admitted) continue;
    key_types += fmt::format("{}{}", key_types.empty() ? "" : " or ", NameOf(type));
  }
  if (!key_types.empty()) return fmt::format("the same with a {} key would pass", key_types);

  std::string text;
  for (const EnrollmentRule& rule : rules) {
    if (&rule == &refusing) break;
    if (rule.effect != Effect::kAdmit) continue;
    text += fmt::format("{}{} ({})", text.empty() ? "" : "; ", rule.name, ConditionsOf(rule));
  }
  const std::string conditions = ConditionsOf(refusing);
  if (text.empty()) {
    return conditions.empty() ? "nothing passes it"
                              : fmt::format("what is not of {} would pass it", conditions);
  }
  return fmt::format("what would pass before it: {}", text);
}

}  // namespace

PolicyDecision Decide(const std::vector<EnrollmentRule>& rules, const RequestFacts& facts) {
  PolicyDecision decision;
  for (const EnrollmentRule& rule : rules) {
    const std::string_view unmet = Unmet(rule, facts);
    decision.trace.push_back({&rule, unmet});
    if (!unmet.empty()) continue;
    decision.is_admitted = rule.effect == Effect::kAdmit;
    decision.rule = &rule;
    break;
  }
  return decision;
}

Result<std::string> CheckPolicy(const Hierarchy& hierarchy, const CertificateProfile& profile,
                                const RequestFacts& facts) {
  TRY(profile.Admit(facts.key_type));
  const auto& rules = hierarchy.enrollment_rules;
  const PolicyDecision decision = Decide(rules, facts);
  if (decision.is_admitted) return decision.RuleName();
  const EnrollmentRule& rule = *decision.rule;
  return Refusal<kPolicyRules>(decision.RuleName(), rule.name, hierarchy.Name(),
                               NameOf(facts.operation), facts.agent, NameOf(facts.key_type),
                               rule.reason.empty() ? "" : ": " + rule.reason,
                               WhatWouldPass(rules, rule, profile, facts));
}

}  // namespace ca
