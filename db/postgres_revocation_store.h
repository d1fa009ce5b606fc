#pragma once

#include <memory>

#include "ca/ports/revocation.h"

namespace db {

using ca::Result;
using ca::Status;

struct Endpoint;

// Revocations in PostgreSQL (migrations/0004_revocation.sql).
//
// A cursor of ReadSince() is good for one session with the database: when that was lost, the next
// reading begins anew, because a database that comes back from a crash may have forgotten numbers
// of transactions, and give them again.
class PostgresRevocationStore final : public ca::RevocationStore {
 public:
  // Connects when first used.
  explicit PostgresRevocationStore(const Endpoint& endpoint);
  ~PostgresRevocationStore() override;

  // An order for all of an authority keeps the intents of its hierarchy waiting while it is carried
  // out, some microseconds for each certificate.
  Result<ca::RevocationOutcome> Revoke(const ca::RevocationOrder& order,
                                       const ca::AuditEvent& event) override;
  Result<ca::RevocationOutcome> Preview(const ca::RevocationOrder& order) override;
  Result<std::vector<ca::Revocation>> ReadSince(ca::RevocationCursor& cursor,
                                                ca::TimePoint live_after) override;
  // Also returns at once when it has just begun to listen. Does not return an error before the
  // patience is over, so that a caller that only repeats it does not spin.
  Status AwaitNews(std::chrono::milliseconds patience) override;
  Result<ca::CertificateStatus> FindStatus(ca::HierarchyId hierarchy, ca::AuthorityId authority,
                                           const ca::SerialNumber& serial) override;

 private:
  class Connections;

  std::unique_ptr<Connections> connections_;
};

}  // namespace db
