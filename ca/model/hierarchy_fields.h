#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ca/base/bytes.h"
#include "ca/model/field_table.h"
#include "ca/model/hierarchy_declaration.h"

// The one list of the fields of a hierarchy's file (HierarchySpec in
// proto/agentpki/v1/hierarchy.proto): hierarchy_fields.cc says for each where it is stored, whether
// it can change and when a change of it widens. Plans, approvals and the check of a change follow
// from this list. A member of HierarchyDeclaration that it does not list counts as different, as
// widening and as fixed.
namespace ca {

// The paths of all fields, in the order of the file; `*` stands for the name of a list's element:
// tenant, issuing.lifetime, profiles.*.lifetime, enrollment.rules.*.effect.
std::vector<std::string> HierarchyFieldPaths();

// The changes that make `standing` into `wanted`, in the order of the file; fields that are no
// longer there come last. Without `standing` all fields of a new hierarchy; none of them widens.
std::vector<FieldChange> ChangesOf(const std::optional<HierarchyDeclaration>& standing,
                                   const HierarchyDeclaration& wanted);

// Checks that `standing` can become `wanted`: its name, its trust domain, the names and addresses
// that its certificates may have, and whether it has external roots stay for ever.
// kFailedPrecondition, rule `hierarchy.fixed`, names the first field that would change.
Status CheckChange(const Hierarchy& standing, const Hierarchy& wanted);

// SHA-256 over all fields: two declarations have the same digest only if they are the same.
Bytes DigestOf(const HierarchyDeclaration& declaration);

}  // namespace ca
