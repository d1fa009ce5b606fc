#pragma once

#include <string>
#include <string_view>

#include "ca/access/call.h"
#include "ca/catalog/catalog.h"

namespace ca {

// An issuing authority that was found by its name, acme/prod/issuing/2.
struct NamedAuthority {
  HierarchySnapshotPtr hierarchy;
  AuthorityView view;
};

// The hierarchy that the name of an authority begins with. nullptr when there is none.
HierarchySnapshotPtr FindHierarchyNamedIn(const Catalog& catalog, std::string_view authority);

// Finds the issuing authority of that name in a hierarchy where the caller may do `action`.
// kNotFound, and as Authorization::Require().
Result<NamedAuthority> FindIssuing(Call& call, const Catalog& catalog,
                                   const Authorization& authorization, Action action,
                                   const std::string& name);

}  // namespace ca
