#pragma once

#include <string>
#include <vector>

#include "ca/base/rules.h"
#include "ca/model/agent.h"
#include "ca/model/hierarchy.h"
#include "ca/model/request_facts.h"

namespace ca {

// How one rule matched a request.
struct PolicyStep {
  const EnrollmentRule* rule;
  std::string_view unmet;  // the first condition that did not hold, "owners"; "" when all did
};

// The decision of a hierarchy's rules. It points to the rules, which outlive it.
struct PolicyDecision {
  bool is_admitted = true;
  const EnrollmentRule* rule = nullptr;  // the rule that decided; null: admitted by default
  std::vector<PolicyStep> trace;         // in the order of the rules, up to the one that decided

  std::string RuleName() const { return rule ? kPolicyRules.NameOf(rule->name) : ""; }
};

// The first rule, from the top, whose conditions all hold decides. Pure.
PolicyDecision Decide(const std::vector<EnrollmentRule>& rules, const RequestFacts& facts);

// Makes the built-in checks that need no CSR, then applies the rules. kInvalidArgument, rule
// profile.key-type; kPermissionDenied, rule policy.NAME, with a message that says what would pass.
// Returns the rule that admitted ("policy.NAME", or "" for none). Pure.
Result<std::string> CheckPolicy(const Hierarchy& hierarchy, const CertificateProfile& profile,
                                const RequestFacts& facts);

}  // namespace ca
