#pragma once

#include <memory>

#include "ca/base/clock.h"
#include "ca/server/run/config.h"
#include "db/postgres_acknowledgement_store.h"
#include "db/postgres_approval_store.h"
#include "db/postgres_crl_store.h"
#include "db/postgres_hierarchy_ports.h"
#include "db/postgres_ledger.h"
#include "db/postgres_registry.h"
#include "db/postgres_revocation_store.h"
#include "hsm/tenant_key_store.h"

namespace server {

// Whether a tenant's token may be unavailable at start-up.
enum class TenantTokens { kMayBeUnavailable, kMustBeAvailable };

// The stores over the database and the tokens that the configuration names. Everything that the
// server keeps for longer than it runs is in them.
struct Backends {
  std::shared_ptr<hsm::TenantKeyStore> keys;
  std::unique_ptr<db::PostgresHierarchyPorts> stores;
  std::unique_ptr<db::PostgresRegistry> registry;
  std::unique_ptr<db::PostgresLedger> ledger;
  std::unique_ptr<db::PostgresRevocationStore> revocations;
  std::unique_ptr<db::PostgresCrlStore> crls;
  std::unique_ptr<db::PostgresAcknowledgementStore> acknowledgements;
  std::unique_ptr<db::PostgresApprovalStore> approvals;

  // kFailedPrecondition if the schema or a token does not fit this program, kUnavailable if the
  // database or a token is unavailable. The message says what to check, and names the tenants of a
  // dedicated token. `clock` outlives it.
  static ca::Result<Backends> Open(const Config& config, const ca::Clock& clock,
                                   TenantTokens tenant_tokens);
};

}  // namespace server
