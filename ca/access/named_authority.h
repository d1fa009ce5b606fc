#pragma once

#include <string>

#include "ca/access/call.h"
#include "ca/catalog/authority_view.h"

namespace ca {

// An issuing authority that was found by its name, acme/prod/issuing/2.
struct NamedAuthority {
  const Hierarchy* hierarchy = nullptr;  // of the catalog that it was found in
  AuthorityView view;
};

// Finds the issuing authority of that name in a hierarchy where the caller may do `action`.
// kNotFound, and as Authorization::Require().
Result<NamedAuthority> FindIssuing(Call& call, const Catalog& catalog,
                                   const Authorization& authorization, Action action,
                                   const std::string& name);

}  // namespace ca
