#pragma once

#include <memory>

#include "ca/base/clock.h"
#include "ca/ports/ledger.h"

namespace db {

struct Endpoint;
struct Issuance;

// The ledger in PostgreSQL. Intents, signatures and events that arrive together are written by one
// statement, which is one transaction and one round trip (migrations/0003_ledger.sql).
class PostgresLedger final : public ca::Ledger {
 public:
  // Connects when first used. `clock` outlives it.
  PostgresLedger(const Endpoint& endpoint, const ca::Clock& clock);
  ~PostgresLedger() override;

  ca::Result<ca::Recorded<std::variant<ca::RecordedIssuance, ca::Certificate>>> RecordIntent(
      ca::PreparedCertificate prepared, const ca::Grounds& grounds, const ca::RequestId& request,
      const ca::AuditEvent& event) override;
  ca::Result<ca::Certificate> RecordCertificate(ca::Certificate certificate) override;
  ca::Result<ca::RecordedDecision> RecordEvent(const ca::AuditEvent& event) override;
  ca::Result<ca::Certificate> FindCertificate(ca::HierarchyId hierarchy,
                                              const ca::SerialNumber& serial) override;
  ca::Result<std::vector<ca::CertificateEntry>> ListCertificates(
      const ca::CertificateQuery& query) override;
  ca::Result<std::vector<ca::RecordedRequest>> ListRequests(const ca::RequestQuery& query) override;

  // Creates the partitions of the next days, and drops those past their retention. Call it at
  // start-up and every hour. kUnavailable while the database is unavailable.
  ca::Status MaintainPartitions();

  // One round trip. kUnavailable while the database is unavailable.
  ca::Status CheckHealth();

 private:
  class Writers;
  ca::Result<Issuance> FindIssuance(ca::HierarchyId hierarchy, const ca::SerialNumber& serial);

  std::unique_ptr<Writers> writers_;
};

}  // namespace db
