#pragma once

#include <string>

#include "ca/access/call.h"
#include "ca/catalog/authority_view.h"

namespace ca {

// An issuing authority, as people name it: acme/prod/issuing/2.
struct NamedAuthority {
  const Hierarchy* hierarchy = nullptr;  // of the catalog that it was found in
  AuthorityView view;
};

// The one of that name, if the caller may do `action` there; what is learnt is left in `event`.
// kNotFound, and as Authorization::Require().
Result<NamedAuthority> FindIssuing(Call& call, const Catalog& catalog,
                                   const Authorization& authorization, Action action,
                                   const std::string& name);

}  // namespace ca
