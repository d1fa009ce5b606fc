#include "ca/server/rpc/hierarchy_mapping.h"

#include "ca/base/openssl.h"
#include "ca/files/hierarchy_file.h"
#include "ca/server/rpc/common_mapping.h"

namespace server {
namespace {

const char* StateOf(const HierarchyReadiness& readiness) {
  if (readiness.waiting_for.empty()) return "ready";
  return readiness.pending_authority.empty() ? "provisioning" : "awaiting-certificate";
}

}  // namespace

agentpki::v1::Hierarchy ToProto(const ca::HierarchyDeclaration& declaration,
                                const std::vector<ca::Bytes>& roots,
                                const HierarchyReadiness& readiness) {
  agentpki::v1::Hierarchy message;
  message.set_name(declaration.hierarchy.Name());
  *message.mutable_spec() = files::SpecOf(declaration);
  for (const ca::Bytes& root : roots) {
    message.add_root_fingerprints(ca::Hex(ca::Sha256(root)));
  }
  message.set_state(StateOf(readiness));
  for (const std::string& awaited : readiness.waiting_for) message.add_waiting_for(awaited);
  message.set_active_authority(readiness.active_authority);
  message.set_pending_authority(readiness.pending_authority);
  return message;
}

agentpki::v1::HierarchyPlan ToProto(const ca::HierarchyPlan& plan) {
  agentpki::v1::HierarchyPlan message;
  message.set_hierarchy(plan.hierarchy);
  message.set_creates(plan.creates);
  for (const ca::FieldChange& change : plan.changes) {
    agentpki::v1::FieldChange& field = *message.add_changes();
    field.set_field(change.field);
    field.set_before(change.before);
    field.set_after(change.after);
    field.set_widens(change.widens);
  }
  message.set_digest(ca::Hex(plan.digest));
  message.set_needs_approval(plan.needs_approval);
  return message;
}

agentpki::v1::Destruction ToProto(const ca::DestructionView& view) {
  const ca::HierarchyDestruction& destruction = view.destruction;
  agentpki::v1::Destruction message;
  message.set_hierarchy(destruction.hierarchy.Name());
  message.set_trust_domain(destruction.hierarchy.trust_domain.name());
  message.set_state(destruction.finished_at ? "destroyed" : "destroying");
  message.set_reason(destruction.reason);
  message.set_decided_by(destruction.decided_by);
  *message.mutable_decided_at() = ToProto(destruction.decided_at);
  message.set_revoked_certificates(destruction.revoked_count);
  message.set_keys(view.key_count);
  message.set_destroyed_keys(view.destroyed_key_count);
  if (destruction.finished_at) {
    *message.mutable_recorded_at() = ToProto(*destruction.finished_at);
  }
  message.set_record(destruction.record);
  return message;
}

}  // namespace server
