#include "ca/access/named_authority.h"

namespace ca {

HierarchySnapshotPtr FindHierarchyNamedIn(const Catalog& catalog, std::string_view authority) {
  // A tenant or an environment has no slash.
  const size_t tenant_end = authority.find('/');
  if (tenant_end == std::string_view::npos) return nullptr;
  const auto found = catalog.FindByName(authority.substr(0, authority.find('/', tenant_end + 1)));
  return found.ok() ? *found : nullptr;
}

Result<NamedAuthority> FindIssuing(Call& call, const Catalog& catalog,
                                   const Authorization& authorization, Action action,
                                   const std::string& name) {
  call.event().subject = Printable(name);
  if (const auto hierarchy = FindHierarchyNamedIn(catalog, name)) {
    call.event().hierarchy = hierarchy->id();
    TRY(authorization.Require(call.caller(), action, hierarchy->id()));
    for (const AuthorityRecord& record : hierarchy->records().authorities) {
      if (record.kind != AuthorityKind::kIssuing) continue;
      if (NameOf(hierarchy->hierarchy(), record) != name) continue;
      auto view = TRY(hierarchy->ViewOf(record.id, call.now()));
      return NamedAuthority{hierarchy, std::move(view)};
    }
  }
  return Error(StatusCode::kNotFound,
               "authority: there is no issuing authority '{}'; see: agentpki authority list",
               Printable(name));
}

}  // namespace ca
