#pragma once

#include <functional>
#include <string>
#include <vector>

#include "ca/catalog/hierarchy_snapshot.h"

namespace server {

// Whether a hierarchy issues and this server answers for its authorities, and what is still
// missing.
struct HierarchyReadiness {
  std::string active_authority;  // acme/prod/issuing/1, or ""
  // The authority that awaits its certificate from an external root, or "".
  std::string pending_authority;
  std::vector<std::string> waiting_for;  // phrases for people; none when the hierarchy is ready
};

// Names what this server still needs before it can answer for an authority: "the first CRL", "the
// OCSP responder".
using MissingStatus = std::function<std::vector<std::string>(const ca::Authority&)>;

HierarchyReadiness ReadinessOf(const ca::HierarchySnapshot& hierarchy,
                               const MissingStatus& missing);

}  // namespace server
