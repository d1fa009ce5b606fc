#include "ca/enrollment_rule.h"

namespace ca {
namespace {

// In a pattern, from `at` on.
bool IsDeepStar(std::string_view pattern, size_t at) { return pattern.substr(at, 2) == "**"; }

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

// reached[i]: the pattern so far can stand for the first i characters.
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

}  // namespace ca
