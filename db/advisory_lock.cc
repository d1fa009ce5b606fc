#include "db/advisory_lock.h"

namespace db {

Result<AdvisoryLock> AdvisoryLock::Take(const Endpoint& endpoint, const std::string& name) {
  try {
    auto connection = Connect(endpoint);
    pqxx::nontransaction(*connection).exec("SET statement_timeout = 0; SET lock_timeout = '30s'");
    pqxx::nontransaction(*connection)
        .exec_params("SELECT pg_advisory_lock(hashtextextended($1, 0))", name);
    return AdvisoryLock(std::move(connection));
  } catch (...) {
    const Status status = StatusOfException();
    if (status.code() != ca::StatusCode::kDeadlineExceeded) return status;
    return ca::Error(ca::StatusCode::kUnavailable,
                     "another process has had the lock '{}' for half a minute; wait for it", name);
  }
}

}  // namespace db
