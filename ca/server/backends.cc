#include "ca/server/backends.h"

#include "db/connection.h"
#include "db/migration.h"
#include "hsm/pin.h"

namespace server {

ca::Result<Backends> Backends::Open(const Config& config, const ca::Clock& clock) {
  const db::Endpoint database{config.database_server};
  const ca::Status schema = db::CheckSchema(database);
  if (!schema.ok()) return ca::Annotate(schema, "database: ");

  auto keys = hsm::TokenKeyStore::Open({
      .module_path = config.hsm_module,
      .token_label = config.hsm_token_label,
      .read_pin =
          [file = config.hsm_pin_file, credential = config.hsm_pin_credential] {
            return credential.empty() ? hsm::ReadPinFile(file) : hsm::ReadPinCredential(credential);
          },
      .open_timeout = config.hsm_timeout,
  });
  if (!keys.ok()) return ca::Annotate(keys.status(), "hsm: ");

  return Backends{
      .keys = *std::move(keys),
      .hierarchies = std::make_unique<db::PostgresHierarchyStore>(database),
      .registry = std::make_unique<db::PostgresRegistry>(database),
      .ledger = std::make_unique<db::PostgresLedger>(database, clock),
      .revocations = std::make_unique<db::PostgresRevocationStore>(database),
      .crls = std::make_unique<db::PostgresCrlStore>(database),
      .acknowledgements = std::make_unique<db::PostgresAcknowledgementStore>(database),
      .approvals = std::make_unique<db::PostgresApprovalStore>(database),
  };
}

}  // namespace server
