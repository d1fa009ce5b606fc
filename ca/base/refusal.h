#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>

#include "ca/base/result.h"

// A refusal is a decision, not an accident: it names the rule that refused. The name reaches the
// audit event and the caller (`agentpki-rule` in the trailing metadata). ca/base/rules.h lists all
// rules.
namespace ca {

struct Rule {
  std::string_view name;
  StatusCode code;
  std::string_view message;  // with a {} for each argument
};

// Rules that share a message and whose names are not known in advance: policy.NAME, lint.*.
struct RuleFamily {
  std::string_view prefix;  // "policy."
  StatusCode code;
  std::string_view message;

  std::string NameOf(std::string_view member) const { return fmt::format("{}{}", prefix, member); }
  bool Has(std::string_view rule) const { return rule.starts_with(prefix); }
};

// The name of a rule that allows. An audit event names it; no refusal does.
struct AllowingRule {
  std::string_view name;
};

namespace internal {

constexpr size_t CountArguments(std::string_view message) {
  size_t count = 0;
  for (size_t at = message.find("{}"); at != message.npos; at = message.find("{}", at + 2)) ++count;
  return count;
}

}  // namespace internal

// The refusal by a rule: Refusal<kJoinTokenExpired>(Rfc3339(expires_at)). The compiler compares the
// arguments with the rule's message.
template <const Rule& rule, typename... Args>
Status Refusal(const Args&... args) {
  static_assert(internal::CountArguments(rule.message) == sizeof...(Args));
  constexpr fmt::format_string<const Args&...> kFormat(rule.message);
  return WithRule(Error(rule.code, kFormat, args...), rule.name);
}

// The refusal by a member of a family: Refusal<kPolicyRules>(kPolicyRules.NameOf("guests"), ...).
template <const RuleFamily& family, typename... Args>
Status Refusal(std::string_view rule, const Args&... args) {
  static_assert(internal::CountArguments(family.message) == sizeof...(Args));
  constexpr fmt::format_string<const Args&...> kFormat(family.message);
  return WithRule(Error(family.code, kFormat, args...), rule);
}

// Whether this rule refused.
bool Is(const Status& status, const Rule& rule);

// The same refusal with another code, for a caller to whom the rule means something else: a join
// token that is used is PERMISSION_DENIED to an agent that enrolls, and FAILED_PRECONDITION to an
// operator that revokes it.
Status WithCode(StatusCode code, const Status& refusal);

}  // namespace ca
