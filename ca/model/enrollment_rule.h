#pragma once

#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "ca/x509/public_key.h"

namespace ca {

// The credential of a request for a certificate: a join token (kEnroll), or the agent's valid
// certificate (kRenew).
enum class Operation { kEnroll, kRenew };

std::string_view NameOf(Operation operation);  // enroll, renew
Result<Operation> OperationFrom(std::string_view name);

// One rule of a hierarchy's policy. It applies to a request that matches at least one element of
// each list that is not empty. In a pattern, '*' stands for any characters but '/', and '**' for
// any characters.
struct EnrollmentRule {
  static constexpr size_t kRulesMax = 64;  // in a hierarchy
  static constexpr size_t kNameMax = 32;
  static constexpr size_t kReasonMax = 200;
  static constexpr size_t kPatternsMax = 32;  // in each list
  static constexpr size_t kPatternSizeMax = 128;
  enum class Effect { kAdmit, kRefuse };

  std::string name;  // [a-z0-9-]+; a refusal names it policy.NAME
  Effect effect = Effect::kRefuse;
  std::string reason;  // for people; may be empty

  std::vector<std::string> agents;  // patterns of the path of the SPIFFE ID: billing/**
  std::vector<std::string> owners;  // patterns, like roles and versions
  std::vector<std::string> roles;
  std::vector<std::string> versions;
  std::vector<std::string> profiles;  // names
  std::set<KeyType> key_types;
  std::set<Operation> operations;

  friend bool operator==(const EnrollmentRule&, const EnrollmentRule&) = default;
};

std::string_view NameOf(EnrollmentRule::Effect effect);  // admit, refuse
Result<EnrollmentRule::Effect> EffectFrom(std::string_view name);

// Checks the rules of one hierarchy, which has profiles of these names. kInvalidArgument names the
// field that is out of its bounds, or that names a profile that does not exist.
Status ValidateRules(const std::vector<EnrollmentRule>& rules,
                     const std::set<std::string, std::less<>>& profiles);

// Says whether `text` matches `pattern`. Takes time in proportion to the product of both sizes.
bool MatchesPattern(std::string_view pattern, std::string_view text);

}  // namespace ca
