#pragma once

#include <functional>
#include <string>
#include <vector>

#include "ca/model/hierarchy_declaration.h"

namespace ca::testing {

// A change of one field of a hierarchy's file.
struct HierarchyFieldSample {
  std::string path;  // as HierarchyFieldPaths() names it
  std::function<void(HierarchyDeclaration&)> change;
  bool is_fixed = false;

  // profiles.agent.lifetime is of profiles.*.lifetime.
  bool IsAbout(const std::string& field) const;
};

// acme/prod with a value in every field but token and external roots.
HierarchyDeclaration FullDeclaration();

// One for each field; each makes FullDeclaration() into another valid declaration.
std::vector<HierarchyFieldSample> HierarchyFieldSamples();

// A self-signed CA certificate, DER.
Bytes ExternalRootSample();

}  // namespace ca::testing
