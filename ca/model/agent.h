#pragma once

#include <string>
#include <vector>

#include "ca/base/clock.h"
#include "ca/model/hierarchy.h"

namespace ca {

// A registered workload identity. Operators and servers are agents of the system hierarchy.
struct Agent {
  static constexpr size_t kTextMax = 128;  // owner, role, version: octets of printable UTF-8
  static constexpr size_t kHostNamesMax = 16;

  AgentNumber number{};  // the ledger assigns it
  HierarchyId hierarchy{};
  SpiffeId id;
  std::string owner;    // a person or team; never empty
  std::string role;     // its purpose; may be empty
  std::string version;  // of the agent's software or model; may be empty
  std::string profile;  // the name of a CertificateProfile
  std::vector<std::string> dns_names;
  std::vector<IpAddress> ip_addresses;
  bool disabled = false;
  TimePoint registered_at;

  // kInvalidArgument names the field that is out of its bounds, or that `in` does not allow.
  Status Validate(const Hierarchy& in) const;
};

}  // namespace ca
