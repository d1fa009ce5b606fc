#include "ca/server/run/backends.h"

#include <fmt/ranges.h>
#include <spdlog/spdlog.h>

#include "db/connection.h"
#include "db/migration.h"
#include "hsm/pin.h"
#include "hsm/token_key_store.h"

namespace server {
namespace {

hsm::TokenOptions OptionsOf(const TokenConfig& token, std::chrono::seconds timeout) {
  return {
      .module_path = token.module,
      .token_label = token.label,
      .read_pin =
          [file = token.pin_file, credential = token.pin_credential] {
            return credential.empty() ? hsm::ReadPinFile(file) : hsm::ReadPinCredential(credential);
          },
      .open_timeout = timeout,
  };
}

// Adds the token and its tenants to the message.
ca::Status NamedAfter(const TokenConfig& token, const ca::Status& status) {
  return ca::Annotate(status, fmt::format("hsm: tokens: '{}' of tenants {}: ", token.label,
                                          fmt::join(token.tenants, ", ")));
}

ca::Result<std::shared_ptr<hsm::TenantKeyStore>> OpenTokens(const Config& config,
                                                            TenantTokens tenant_tokens) {
  std::vector<hsm::TokenOptions> options = {OptionsOf(config.token, config.hsm_timeout)};
  for (const TokenConfig& token : config.tenant_tokens) {
    options.push_back(OptionsOf(token, config.hsm_timeout));
  }
  auto opened = hsm::TokenKeyStore::OpenAll(options);
  if (!opened.front().opened.ok()) return ca::Annotate(opened.front().opened, "hsm: ");

  std::vector<hsm::TenantKeyStore::Token> apart;
  for (size_t i = 0; i < config.tenant_tokens.size(); ++i) {
    const TokenConfig& token = config.tenant_tokens[i];
    auto& [store, status] = opened[i + 1];
    const bool may_come = status.code() == ca::StatusCode::kUnavailable &&
                          tenant_tokens == TenantTokens::kMayBeUnavailable;
    if (!status.ok() && !may_come) return NamedAfter(token, status);
    if (!status.ok()) spdlog::error("{}", ca::MessageOf(NamedAfter(token, status)));
    apart.push_back({token.label, token.tenants, std::move(store)});
  }
  return std::make_shared<hsm::TenantKeyStore>(std::move(opened.front().store), std::move(apart));
}

}  // namespace

ca::Result<Backends> Backends::Open(const Config& config, const ca::Clock& clock,
                                    TenantTokens tenant_tokens) {
  const db::Endpoint database{config.database_server};
  const ca::Status schema = db::CheckSchema(database);
  if (!schema.ok()) return ca::Annotate(schema, "database: ");
  auto keys = TRY(OpenTokens(config, tenant_tokens));

  return Backends{
      .keys = std::move(keys),
      .stores = std::make_unique<db::PostgresHierarchyPorts>(database),
      .registry = std::make_unique<db::PostgresRegistry>(database),
      .ledger = std::make_unique<db::PostgresLedger>(database, clock),
      .revocations = std::make_unique<db::PostgresRevocationStore>(database),
      .crls = std::make_unique<db::PostgresCrlStore>(database),
      .acknowledgements = std::make_unique<db::PostgresAcknowledgementStore>(database),
      .approvals = std::make_unique<db::PostgresApprovalStore>(database),
  };
}

}  // namespace server
