#pragma once

#include <memory>
#include <string>

#include "db/connection.h"

namespace db {

// A lock that one process of a whole database holds at a time. PostgreSQL releases it when this
// object is destroyed, when the process dies, and when its connection breaks.
class AdvisoryLock {
 public:
  // Waits until the lock is free; kUnavailable after half a minute.
  static Result<AdvisoryLock> Take(const Endpoint& endpoint, const std::string& name);
  // Does not wait: kAborted when another process holds the lock.
  static Result<AdvisoryLock> TryTake(const Endpoint& endpoint, const std::string& name);

  // Whether this process still holds the lock. False after the connection broke or the database
  // restarted.
  bool IsHeld();

 private:
  explicit AdvisoryLock(std::unique_ptr<pqxx::connection> connection)
      : connection_(std::move(connection)) {}

  std::unique_ptr<pqxx::connection> connection_;  // its session holds the lock
};

}  // namespace db
