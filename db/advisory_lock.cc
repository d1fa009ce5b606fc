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

Result<AdvisoryLock> AdvisoryLock::TryTake(const Endpoint& endpoint, const std::string& name) {
  try {
    auto connection = Connect(endpoint);
    const pqxx::result taken =
        pqxx::nontransaction(*connection)
            .exec_params("SELECT pg_try_advisory_lock(hashtextextended($1, 0))", name);
    if (taken[0][0].as<bool>()) return AdvisoryLock(std::move(connection));
    return ca::Error(ca::StatusCode::kAborted, "another process has the lock '{}'", name);
  } catch (...) {
    return StatusOfException();
  }
}

// The session holds the lock. So check only that the session is still the same: libpqxx may have
// opened the connection anew.
bool AdvisoryLock::IsHeld() {
  try {
    const pqxx::result held = pqxx::nontransaction(*connection_)
                                  .exec(
                                      "SELECT count(*) > 0 FROM pg_locks WHERE locktype = "
                                      "'advisory' AND pid = pg_backend_pid()");
    return held[0][0].as<bool>();
  } catch (...) {
    static_cast<void>(StatusOfException());
    return false;
  }
}

}  // namespace db
