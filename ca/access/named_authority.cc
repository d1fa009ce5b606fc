#include "ca/access/named_authority.h"

namespace ca {

Result<NamedAuthority> FindIssuing(Call& call, const Catalog& catalog,
                                   const Authorization& authorization, Action action,
                                   const std::string& name) {
  call.event().subject = Printable(name);
  for (const Hierarchy& hierarchy : catalog.hierarchies()) {
    if (!name.starts_with(hierarchy.Name() + "/")) continue;
    call.event().hierarchy = hierarchy.id;
    TRY(authorization.Require(call.caller(), action, hierarchy.id));
    for (AuthorityView& view : AuthoritiesAt(catalog, hierarchy, call.now())) {
      if (view.name != name || view.record.kind != AuthorityKind::kIssuing) continue;
      return NamedAuthority{&hierarchy, std::move(view)};
    }
  }
  return Error(StatusCode::kNotFound,
               "authority: there is no issuing authority '{}'; see: agentpki authority list",
               Printable(name));
}

}  // namespace ca
