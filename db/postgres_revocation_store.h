#pragma once

#include <memory>

#include "ca/ports/revocation.h"

namespace db {

using ca::Result;
using ca::Status;

struct Endpoint;

// Revocations in PostgreSQL (migrations/0004_revocation.sql).
//
// A cursor of ReadSince() is valid for one session with the database. After the session is lost,
// the next reading starts anew: a database that recovers from a crash may reuse transaction
// numbers.
class PostgresRevocationStore final : public ca::RevocationStore {
 public:
  // Connects when first used.
  explicit PostgresRevocationStore(const Endpoint& endpoint);
  ~PostgresRevocationStore() override;

  // An order for everything of an authority makes the intents of its hierarchy wait meanwhile, some
  // microseconds for each certificate.
  Result<ca::Recorded<ca::RevocationOutcome>> Revoke(const ca::RevocationOrder& order,
                                                     const ca::AuditEvent& event) override;
  Result<ca::RevocationOutcome> Preview(const ca::RevocationOrder& order) override;
  Result<std::vector<ca::Revocation>> ReadSince(ca::RevocationCursor& cursor,
                                                ca::TimePoint live_after) override;
  // Returns at once also when it has just begun to listen. Returns an error only after the
  // patience, so that a caller that repeats it does not spin.
  Status AwaitNews(std::chrono::milliseconds patience) override;
  Result<ca::CertificateStatus> FindStatus(ca::HierarchyId hierarchy, ca::AuthorityId authority,
                                           const ca::SerialNumber& serial) override;

 private:
  class Connections;

  std::unique_ptr<Connections> connections_;
};

}  // namespace db
