#pragma once

#include <memory>
#include <string>

#include "db/connection.h"

namespace db {

// What one process at a time may do, over a whole database. PostgreSQL gives it back when this
// goes, and also when the process dies or its connection breaks.
class AdvisoryLock {
 public:
  // Waits for whoever has it; kUnavailable when that takes more than half a minute.
  static Result<AdvisoryLock> Take(const Endpoint& endpoint, const std::string& name);
  // Does not wait: kAborted when somebody else has it.
  static Result<AdvisoryLock> TryTake(const Endpoint& endpoint, const std::string& name);

  // Whether it is still ours. Not when the connection broke, or the database was started anew.
  bool IsHeld();

 private:
  explicit AdvisoryLock(std::unique_ptr<pqxx::connection> connection)
      : connection_(std::move(connection)) {}

  std::unique_ptr<pqxx::connection> connection_;  // its session holds the lock
};

}  // namespace db
