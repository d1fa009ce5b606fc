#include "ca/server/rpc/approval_mapping.h"

#include "ca/model/hierarchy_declaration.h"
#include "ca/server/rpc/common_mapping.h"

namespace server {

agentpki::v1::Approval ToProto(const ca::Approval& approval, const ca::Catalog& catalog,
                               ca::TimePoint now) {
  const auto system = catalog.System();
  const auto name_of = [&](const ca::SpiffeId& id) {
    return system.ok() ? OperatorNameOf((*system)->hierarchy(), id) : id.ToString();
  };
  agentpki::v1::Approval message;
  message.set_id(approval.id);
  const auto hierarchy = catalog.Find(approval.hierarchy);
  if (hierarchy) message.set_hierarchy(hierarchy->name());
  message.set_kind(std::string(NameOf(approval.kind)));
  message.set_state(std::string(NameOf(approval.StateAt(now))));
  for (const std::string& change : approval.changes) message.add_changes(change);
  message.set_digest(ca::Hex(approval.digest));
  message.set_requested_by(name_of(approval.requested_by));
  *message.mutable_requested_at() = ToProto(approval.requested_at);
  *message.mutable_expires_at() = ToProto(approval.expires_at);
  if (approval.decision) {
    message.set_decided_by(name_of(approval.decision->by));
    *message.mutable_decided_at() = ToProto(approval.decision->at);
    message.set_reason(approval.decision->reason);
  }
  if (approval.used_at) *message.mutable_used_at() = ToProto(*approval.used_at);
  if (approval.withdrawn_at) *message.mutable_withdrawn_at() = ToProto(*approval.withdrawn_at);
  return message;
}

}  // namespace server
