#pragma once

#include <compare>
#include <string>

#include "ca/model/enrollment_rule.h"

namespace ca {

struct Agent;

// What is known of a request, whatever its CSR asks for beside: the conditions of enrollment rules
// speak of this and nothing else. The audit event of a request keeps it, as of then, so that other
// rules can be tried on it (ca/certificates/policy_replay.h).
struct RequestFacts {
  std::string agent;  // the path of its SPIFFE ID
  std::string owner;
  std::string role;
  std::string version;
  std::string profile;
  KeyType key_type = KeyType::kP256;
  Operation operation = Operation::kEnroll;

  static RequestFacts Of(const Agent& agent, KeyType key_type, Operation operation);

  friend auto operator<=>(const RequestFacts&, const RequestFacts&) = default;
};

}  // namespace ca
