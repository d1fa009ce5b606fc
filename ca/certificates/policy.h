#pragma once

#include <string>
#include <vector>

#include "ca/base/rules.h"
#include "ca/model/agent.h"
#include "ca/model/hierarchy.h"
#include "ca/model/request_facts.h"

namespace ca {

// What a rule had to say of a request, in the order of the rules.
struct PolicyStep {
  const EnrollmentRule* rule;
  std::string_view unmet;  // the first condition that did not hold, "owners"; "" when all did
};

// What a hierarchy's rules decide. It refers to the rules that it was made of.
struct PolicyDecision {
  bool is_admitted = true;
  const EnrollmentRule* rule = nullptr;  // the one that decided; null for none: admitted by default
  std::vector<PolicyStep> trace;         // up to and with it

  std::string RuleName() const { return rule ? kPolicyRules.NameOf(rule->name) : ""; }
};

// From top to bottom, the first rule whose conditions all hold decides. Pure.
PolicyDecision Decide(const std::vector<EnrollmentRule>& rules, const RequestFacts& facts);

// The built-in checks that need no CSR, and then the rules: kInvalidArgument by profile.key-type,
// kPermissionDenied by policy.NAME, which says what would pass. Returns the rule that admitted
// ("policy.NAME", or "" for none). Pure.
Result<std::string> CheckPolicy(const Hierarchy& hierarchy, const CertificateProfile& profile,
                                const RequestFacts& facts);

}  // namespace ca
