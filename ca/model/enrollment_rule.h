#pragma once

#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "ca/x509/public_key.h"

namespace ca {

// What an agent asks a certificate by: a join token, or the certificate that still stands.
enum class Operation { kEnroll, kRenew };

std::string_view NameOf(Operation operation);  // enroll, renew
Result<Operation> OperationFrom(std::string_view name);

// One line of a hierarchy's policy. It speaks of a request that meets all of its conditions: of
// each list that is not empty, one element. In a pattern, '*' stands for any characters but '/',
// '**' for any characters.
struct EnrollmentRule {
  static constexpr size_t kRulesMax = 64;  // of a hierarchy
  static constexpr size_t kNameMax = 32;
  static constexpr size_t kReasonMax = 200;
  static constexpr size_t kPatternsMax = 32;  // in each list
  static constexpr size_t kPatternSizeMax = 128;
  enum class Effect { kAdmit, kRefuse };

  std::string name;  // [a-z0-9-]+; known to callers as policy.NAME
  Effect effect = Effect::kRefuse;
  std::string reason;  // for people; may be empty

  std::vector<std::string> agents;  // patterns of the path of the SPIFFE ID: billing/**
  std::vector<std::string> owners;  // patterns, as the next two
  std::vector<std::string> roles;
  std::vector<std::string> versions;
  std::vector<std::string> profiles;  // names
  std::set<KeyType> key_types;
  std::set<Operation> operations;

  friend bool operator==(const EnrollmentRule&, const EnrollmentRule&) = default;
};

std::string_view NameOf(EnrollmentRule::Effect effect);  // admit, refuse
Result<EnrollmentRule::Effect> EffectFrom(std::string_view name);

// Checks the rules of one hierarchy, which has profiles of these names. kInvalidArgument with the
// field that is out of its bounds, or that names a profile which is not there.
Status ValidateRules(const std::vector<EnrollmentRule>& rules,
                     const std::set<std::string, std::less<>>& profiles);

// Whether `text` is of `pattern`. Takes time in proportion to both sizes, whatever they say.
bool MatchesPattern(std::string_view pattern, std::string_view text);

}  // namespace ca
