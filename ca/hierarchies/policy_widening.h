#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "ca/model/hierarchy_declaration.h"

namespace ca {

// One part of a hierarchy's file by whose change more is possible than before, or by which it
// cannot be seen that less is.
struct Widening {
  std::string field;       // profiles.agent.lifetime, as a plan names it; "" is the whole file
  bool has_parts = false;  // and whatever is below it: profiles.agent is all of that profile

  // Whether it is about this field of a plan.
  bool Covers(std::string_view plan_field) const;

  friend bool operator==(const Widening&, const Widening&) = default;
};

// What of making `standing` into `wanted` widens, in the order of the file; none when all of it is
// evidently narrower, or makes no difference to what anybody may.
std::vector<Widening> WideningsOf(const HierarchyDeclaration& standing,
                                  const HierarchyDeclaration& wanted);

// Whether that takes another admin's approval by what `standing` says. To make approvals looser
// does for as long as there is one, also where other widening does not: it would end all the
// others.
bool TakesApproval(const HierarchyDeclaration& standing, const HierarchyDeclaration& wanted);

}  // namespace ca
