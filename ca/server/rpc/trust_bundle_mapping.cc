#include "ca/server/rpc/trust_bundle_mapping.h"

#include "ca/server/rpc/common_mapping.h"

namespace server {

agentpki::v1::TrustBundle ToProto(const ca::TrustBundle& bundle) {
  agentpki::v1::TrustBundle message;
  message.set_hierarchy(bundle.hierarchy);
  message.set_trust_domain(bundle.trust_domain.name());
  message.set_version(bundle.version);
  *message.mutable_published_at() = ToProto(bundle.published_at);
  for (const ca::Bytes& der : bundle.roots) message.add_roots(der);
  for (const ca::Bytes& der : bundle.issuing) message.add_issuing(der);
  return message;
}

}  // namespace server
