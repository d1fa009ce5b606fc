#pragma once

#include <compare>
#include <string>

#include "ca/model/enrollment_rule.h"

namespace ca {

struct Agent;

// The facts about a request that enrollment rules can test; a rule sees nothing else of the CSR.
// The audit event of the request records them, so that other rules can be tried on them later
// (ca/certificates/policy_replay.h).
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
