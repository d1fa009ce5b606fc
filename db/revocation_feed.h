#pragma once

#include <chrono>
#include <memory>
#include <vector>

#include "ca/ports/revocation.h"
#include "db/connection.h"

// What every replica reads of revocations: that there are some, and which.
namespace db {

// Listens from when it is made. Throws like libpqxx.
class RevocationListener {
 public:
  explicit RevocationListener(const Endpoint& endpoint);
  ~RevocationListener();

  // Until something is told, or the patience is over.
  void Await(std::chrono::milliseconds patience);

 private:
  class Ear;

  std::unique_ptr<pqxx::connection> connection_;
  std::unique_ptr<Ear> ear_;
};

void PrepareToReadRevocations(pqxx::connection& connection);

struct RevocationsRead {
  std::vector<ca::Revocation> revocations;
  ca::RevocationCursor reached;
};

// What came since `since`, if this session gave it; else all that are live after `live_after`.
RevocationsRead ReadRevocations(pqxx::connection& connection, const ca::RevocationCursor& since,
                                ca::TimePoint live_after);

}  // namespace db
