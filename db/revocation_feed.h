#pragma once

#include <chrono>
#include <memory>
#include <vector>

#include "ca/ports/revocation.h"
#include "db/connection.h"

// The revocations that each replica reads, and the notifications of them.
namespace db {

// Listens from its construction on. Throws like libpqxx.
class RevocationListener {
 public:
  explicit RevocationListener(const Endpoint& endpoint);
  ~RevocationListener();

  // Returns after a notification, or after the patience.
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

// The revocations since the cursor `since`, if this session made it; else all revocations of
// certificates that are live after `live_after`.
RevocationsRead ReadRevocations(pqxx::connection& connection, const ca::RevocationCursor& since,
                                ca::TimePoint live_after);

}  // namespace db
