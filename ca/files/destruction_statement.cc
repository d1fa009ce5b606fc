#include "ca/files/destruction_statement.h"

#include "agentpki/v1/hierarchy.pb.h"
#include "ca/files/yaml_message.h"

namespace files {

std::string WriteStatement(const ca::DestructionStatement& statement) {
  const ca::HierarchyDestruction& destruction = statement.destruction;
  agentpki::v1::DestructionStatement message;
  message.set_hierarchy(destruction.hierarchy.Name());
  message.set_trust_domain(destruction.hierarchy.trust_domain.name());
  message.set_reason(destruction.reason);
  message.set_decided_by(destruction.decided_by);
  message.set_decided_at(ca::Rfc3339(destruction.decided_at));
  message.set_recorded_at(ca::Rfc3339(destruction.finished_at.value_or(destruction.decided_at)));
  message.set_revoked_certificates(static_cast<std::int32_t>(destruction.revoked_count));
  for (const ca::DestroyedKey& key : statement.keys) {
    agentpki::v1::DestroyedKey& entry = *message.add_destroyed_keys();
    entry.set_authority(key.authority);
    entry.set_label(key.label);
    entry.set_fingerprint(key.fingerprint);
    entry.set_destroyed_at(ca::Rfc3339(key.destroyed_at));
  }
  return ToYaml(message);
}

}  // namespace files
