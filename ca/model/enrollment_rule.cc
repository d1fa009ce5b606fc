#include "ca/model/enrollment_rule.h"

#include "ca/model/short_name.h"

namespace ca {
namespace {

// Says whether the pattern has '**' at `at`.
bool IsDeepStar(std::string_view pattern, size_t at) { return pattern.substr(at, 2) == "**"; }

Status CheckPatterns(std::string_view field, const std::vector<std::string>& patterns) {
  if (patterns.size() > EnrollmentRule::kPatternsMax) {
    return Error(StatusCode::kInvalidArgument, "{}: write at most {}", field,
                 EnrollmentRule::kPatternsMax);
  }
  for (const std::string& pattern : patterns) {
    if (!pattern.empty() && pattern.size() <= EnrollmentRule::kPatternSizeMax &&
        IsPrintable(pattern) && pattern.find("***") == std::string::npos) {
      continue;
    }
    return Error(StatusCode::kInvalidArgument,
                 "{}: '{}' is not a pattern: write 1 to {} printable characters; * is any "
                 "characters but '/', ** is any",
                 field, Printable(pattern), EnrollmentRule::kPatternSizeMax);
  }
  return Ok();
}

Status ValidateRule(const EnrollmentRule& rule,
                    const std::set<std::string, std::less<>>& profiles) {
  if (rule.reason.size() > EnrollmentRule::kReasonMax || !IsPrintable(rule.reason)) {
    return Error(StatusCode::kInvalidArgument, "reason: write at most {} printable characters",
                 EnrollmentRule::kReasonMax);
  }
  TRY(CheckPatterns("agents", rule.agents));
  TRY(CheckPatterns("owners", rule.owners));
  TRY(CheckPatterns("roles", rule.roles));
  TRY(CheckPatterns("versions", rule.versions));
  for (const std::string& profile : rule.profiles) {
    if (profiles.contains(profile)) continue;
    return Error(StatusCode::kInvalidArgument, "profiles: there is no '{}', but {}",
                 Printable(profile), fmt::join(profiles, ", "));
  }
  return Ok();
}

}  // namespace

std::string_view NameOf(Operation operation) {
  return operation == Operation::kEnroll ? "enroll" : "renew";
}

Result<Operation> OperationFrom(std::string_view name) {
  if (name == "enroll") return Operation::kEnroll;
  if (name == "renew") return Operation::kRenew;
  return Error(StatusCode::kInvalidArgument, "'{}' is not an operation; use enroll or renew",
               Printable(name));
}

std::string_view NameOf(EnrollmentRule::Effect effect) {
  return effect == EnrollmentRule::Effect::kAdmit ? "admit" : "refuse";
}

Result<EnrollmentRule::Effect> EffectFrom(std::string_view name) {
  if (name == "admit") return EnrollmentRule::Effect::kAdmit;
  if (name == "refuse") return EnrollmentRule::Effect::kRefuse;
  return Error(StatusCode::kInvalidArgument, "effect: '{}' is neither admit nor refuse",
               Printable(name));
}

// reached[i] says whether the pattern so far matches the first i characters.
bool MatchesPattern(std::string_view pattern, std::string_view text) {
  if (pattern.find('*') == std::string_view::npos) return pattern == text;
  std::vector<bool> reached(text.size() + 1, false);
  reached[0] = true;
  for (size_t at = 0; at < pattern.size(); ++at) {
    if (pattern[at] != '*') {
      for (size_t i = text.size(); i > 0; --i) {
        reached[i] = reached[i - 1] && text[i - 1] == pattern[at];
      }
      reached[0] = false;
      continue;
    }
    const bool is_deep = IsDeepStar(pattern, at);
    for (size_t i = 1; i <= text.size(); ++i) {
      if (reached[i - 1] && (is_deep || text[i - 1] != '/')) reached[i] = true;
    }
    if (is_deep) ++at;
  }
  return reached[text.size()];
}

Status ValidateRules(const std::vector<EnrollmentRule>& rules,
                     const std::set<std::string, std::less<>>& profiles) {
  if (rules.size() > EnrollmentRule::kRulesMax) {
    return Error(StatusCode::kInvalidArgument, "enrollment: rules: write at most {}",
                 EnrollmentRule::kRulesMax);
  }
  std::set<std::string_view> names;
  for (const EnrollmentRule& rule : rules) {
    TRY(CheckShortName("enrollment: rules: name", rule.name, EnrollmentRule::kNameMax));
    if (!names.insert(rule.name).second) {
      return Error(StatusCode::kInvalidArgument, "enrollment: rules: '{}' is there twice",
                   rule.name);
    }
    TRY(Annotate(ValidateRule(rule, profiles), fmt::format("enrollment: rules: {}: ", rule.name)));
  }
  return Ok();
}

}  // namespace ca
