#pragma once

#include "ca/access/approvals.h"
#include "ca/access/authorization.h"
#include "ca/access/operators.h"
#include "ca/authorities/authority_publication.h"
#include "ca/authorities/external_issuing.h"
#include "ca/authorities/key_retirement.h"
#include "ca/authorities/provisioning.h"
#include "ca/authorities/rotation.h"
#include "ca/authorities/trust_bundles.h"
#include "ca/catalog/revocation_index.h"
#include "ca/catalog/status_directory.h"
#include "ca/certificates/enrollment.h"
#include "ca/certificates/own_agents.h"
#include "ca/certificates/registration.h"
#include "ca/certificates/revocations.h"
#include "ca/hierarchies/decommissioning.h"
#include "ca/hierarchies/hierarchies.h"
#include "ca/server/run/backends.h"

namespace server {

// Every use case of ca/, built over one set of stores. The gRPC services call them for callers; the
// upkeep loops call them on schedule.
struct UseCases {
  // Everything outlives it.
  UseCases(const Config& config, const Backends& backends, ca::LiveCatalog& catalogs,
           ca::StatusDirectory& directory, const ca::RevocationIndex& revocation_index,
           const ca::Clock& clock);

  // In the order in which each needs those before it.
  const ca::Authorization authorization;
  const ca::Approvals approvals;
  const ca::Quotas quotas;
  const ca::Enrollment enrollment;
  const ca::Registration registration;
  const ca::Revocations revocations;
  const ca::Operators operators;

  const ca::OwnAgents own_agents;  // records "server" as the actor
  const ca::Provisioning provisioning;
  ca::TrustBundles bundles;
  const ca::AuthorityPublication publication;
  ca::Rotation rotation;
  ca::ExternalIssuing external_issuing;
  ca::KeyRetirement key_retirement;

  ca::Hierarchies hierarchies;
  ca::Decommissioning decommissioning;
};

}  // namespace server
