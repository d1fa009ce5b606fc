#include "ca/server/rpc/status_mapping.h"

#include "ca/server/rpc/common_mapping.h"

namespace server {

agentpki::v1::Component ToProto(const Component& component) {
  agentpki::v1::Component message;
  message.set_name(component.name);
  message.set_healthy(component.healthy);
  message.set_detail(component.detail);
  return message;
}

agentpki::v1::AuthorityStatus ToProto(const ca::Authority& authority,
                                      const ca::Hierarchy& hierarchy) {
  agentpki::v1::AuthorityStatus message;
  message.set_kind(std::string(NameOf(authority.kind())));
  message.set_generation(authority.generation());
  message.set_key_label(authority.key_label());
  message.set_name(NameOf(hierarchy, authority));
  message.set_number(static_cast<std::int64_t>(authority.id()));
  message.set_fingerprint(ca::Hex(ca::Sha256(authority.certificate())));
  *message.mutable_not_before() = ToProto(authority.validity().not_before);
  *message.mutable_not_after() = ToProto(authority.validity().not_after);
  return message;
}

agentpki::v1::HierarchyStatus ToProto(const ca::HierarchySnapshot& snapshot) {
  const ca::Hierarchy& hierarchy = snapshot.hierarchy();
  agentpki::v1::HierarchyStatus message;
  message.set_name(hierarchy.Name());
  message.set_trust_domain(hierarchy.trust_domain.name());
  for (const auto& profile : hierarchy.profiles) message.add_profiles(profile.name);
  for (const auto& authority : snapshot.authorities()) {
    *message.add_authorities() = ToProto(*authority, hierarchy);
  }
  return message;
}

agentpki::v1::CheckStatusResponse ToProto(const ConsistencyReport& report) {
  agentpki::v1::CheckStatusResponse message;
  message.set_live_count(report.live_count);
  message.set_revoked_count(report.revoked_count);
  message.set_ocsp_asked_count(report.ocsp_asked_count);
  message.set_crl_count(report.crl_count);
  message.set_crl_entry_count(report.crl_entry_count);
  for (const Discrepancy& discrepancy : report.discrepancies) {
    agentpki::v1::Discrepancy& told = *message.add_discrepancies();
    told.set_serial(discrepancy.serial);
    told.set_where(discrepancy.where);
    told.set_what(discrepancy.what);
  }
  message.set_discrepancy_count(report.discrepancy_count);
  return message;
}

}  // namespace server
