#pragma once

#include <memory>

#include "ca/base/clock.h"
#include "ca/server/config.h"
#include "db/postgres_acknowledgement_store.h"
#include "db/postgres_approval_store.h"
#include "db/postgres_crl_store.h"
#include "db/postgres_hierarchy_store.h"
#include "db/postgres_ledger.h"
#include "db/postgres_registry.h"
#include "db/postgres_revocation_store.h"
#include "hsm/token_key_store.h"

namespace server {

// The database and the token that the configuration names: what lasts.
struct Backends {
  std::shared_ptr<hsm::TokenKeyStore> keys;
  std::unique_ptr<db::PostgresHierarchyStore> hierarchies;
  std::unique_ptr<db::PostgresRegistry> registry;
  std::unique_ptr<db::PostgresLedger> ledger;
  std::unique_ptr<db::PostgresRevocationStore> revocations;
  std::unique_ptr<db::PostgresCrlStore> crls;
  std::unique_ptr<db::PostgresAcknowledgementStore> acknowledgements;
  std::unique_ptr<db::PostgresApprovalStore> approvals;

  // kFailedPrecondition when the schema or the token is not what this program needs, kUnavailable
  // when either is away; each says what to check. `clock` outlives it.
  static ca::Result<Backends> Open(const Config& config, const ca::Clock& clock);
};

}  // namespace server
