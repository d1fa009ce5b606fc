#include "db/migration.h"

#include "ca/base/bytes.h"
#include "db/connection.h"

namespace db {
namespace {

using ca::Error;
using ca::StatusCode;

// In the public schema, because the first migration creates the schema agentpki.
constexpr char kCreateTable[] =
    "CREATE TABLE IF NOT EXISTS agentpki_migrations ("
    "  name       text PRIMARY KEY,"
    "  sha256     text NOT NULL,"
    "  applied_at timestamptz NOT NULL DEFAULT now());"
    "GRANT SELECT ON agentpki_migrations TO agentpki_server";

struct Applied {
  std::string name;
  std::string sha256;
};

std::vector<Applied> LoadApplied(pqxx::transaction_base& transaction) {
  std::vector<Applied> applied;
  for (const pqxx::row& row :
       transaction.exec("SELECT name, sha256 FROM agentpki_migrations ORDER BY name")) {
    applied.push_back({row[0].as<std::string>(), row[1].as<std::string>()});
  }
  return applied;
}

Status CheckApplied(const std::vector<Applied>& applied, const std::vector<Migration>& ours) {
  for (size_t i = 0; i < applied.size(); ++i) {
    if (i >= ours.size()) {
      return Error(StatusCode::kFailedPrecondition,
                   "the database's schema is newer than this program: it has {}; run a newer "
                   "agentpki-server",
                   applied[i].name);
    }
    if (applied[i].name != ours[i].name || applied[i].sha256 != ca::Hex(ca::Sha256(ours[i].sql))) {
      return Error(
          StatusCode::kFailedPrecondition,
          "the database's schema is not this program's: it applied {}, which is not our {}",
          applied[i].name, ours[i].name);
    }
  }
  return ca::Ok();
}

Status CheckRole(pqxx::transaction_base& transaction) {
  if (!transaction.exec("SELECT FROM pg_roles WHERE rolname = 'agentpki_server'").empty()) {
    return ca::Ok();
  }
  return Error(
      StatusCode::kFailedPrecondition,
      "the role agentpki_server, which the server runs as, does not exist; as a superuser: "
      "CREATE ROLE agentpki_server LOGIN");
}

// The session holds the lock over all transactions below.
void LockMigrations(pqxx::connection& connection) {
  pqxx::nontransaction(connection)
      .exec(
          "SET statement_timeout = 0; SET lock_timeout = 0;"
          "SELECT pg_advisory_lock(hashtextextended('agentpki.migrate', 0))");
}

Result<std::vector<std::string>> MigrateOn(pqxx::connection& connection) {
  const std::vector<Migration> ours = EmbeddedMigrations();
  LockMigrations(connection);
  std::vector<Applied> applied;
  {
    pqxx::work transaction(connection);
    TRY(CheckRole(transaction));
    transaction.exec(kCreateTable);
    applied = LoadApplied(transaction);
    TRY(CheckApplied(applied, ours));
    transaction.commit();
  }
  std::vector<std::string> names;
  for (size_t i = applied.size(); i < ours.size(); ++i) {
    pqxx::work transaction(connection);
    transaction.exec(ours[i].sql);
    transaction.exec_params("INSERT INTO agentpki_migrations (name, sha256) VALUES ($1, $2)",
                            ours[i].name, ca::Hex(ca::Sha256(ours[i].sql)));
    transaction.commit();
    names.push_back(ours[i].name);
  }
  return names;
}

}  // namespace

Result<std::vector<std::string>> Migrate(const Endpoint& owner) {
  try {
    return MigrateOn(*Connect(owner));
  } catch (...) {
    return ca::Annotate(StatusOfException(), "migrate: ");
  }
}

Status CheckSchema(const Endpoint& endpoint) {
  constexpr char kHint[] = "run: agentpki-server migrate --config FILE";
  try {
    const auto connection = Connect(endpoint);
    pqxx::read_transaction transaction(*connection);
    if (transaction.exec("SELECT to_regclass('agentpki_migrations')")[0][0].is_null()) {
      return Error(StatusCode::kFailedPrecondition, "the database has no schema yet; {}", kHint);
    }
    const std::vector<Applied> applied = LoadApplied(transaction);
    const std::vector<Migration> ours = EmbeddedMigrations();
    TRY(CheckApplied(applied, ours));
    if (applied.size() < ours.size()) {
      return Error(StatusCode::kFailedPrecondition,
                   "the database's schema is older than this program: "
                   "it lacks {}; {}",
                   ours[applied.size()].name, kHint);
    }
    return ca::Ok();
  } catch (...) {
    return StatusOfException();
  }
}

}  // namespace db
