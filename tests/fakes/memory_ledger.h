#pragma once

#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "ca/base/clock.h"
#include "ca/ports/ledger.h"
#include "ca/ports/revocation.h"
#include "tests/fakes/event_log.h"
#include "tests/fakes/memory_registry.h"

namespace ca::testing {

// The contract of ca/ports/ledger.h in memory. tests/contract tests both implementations.
class MemoryLedger final : public Ledger {
 public:
  MemoryLedger(MemoryRegistry& registry, EventLog& events, const Clock& clock)
      : registry_(registry), events_(events), clock_(clock) {}

  Result<Recorded<std::variant<RecordedIssuance, Certificate>>> RecordIntent(
      PreparedCertificate prepared, const Grounds& grounds, const RequestId& request,
      const AuditEvent& event) override;
  Result<Certificate> RecordCertificate(Certificate certificate) override;
  Result<RecordedDecision> RecordEvent(const AuditEvent& event) override;
  Result<Certificate> FindCertificate(HierarchyId hierarchy, const SerialNumber& serial) override;
  Result<std::vector<CertificateEntry>> ListCertificates(const CertificateQuery& query) override;
  Result<std::vector<RecordedRequest>> ListRequests(const RequestQuery& query) override;

 private:
  friend class MemoryRevocationStore;  // which share the database
  friend class MemoryCrlStore;
  friend class MemoryAcknowledgementStore;

  struct Issuance {
    IssuanceRecord record;
    TimePoint recorded_at;
    std::optional<Bytes> signature;
  };

  // The caller holds the lock.
  Status Judge(const IssuanceRecord& record, const Grounds& grounds, const RequestId& request,
               TimePoint now);
  Status JudgeKey(const IssuanceRecord& record, const Grounds& grounds, TimePoint now) const;
  bool IsKnown(const SerialNumber& presented, AgentNumber agent) const;

  MemoryRegistry& registry_;
  EventLog& events_;
  const Clock& clock_;
  std::mutex mutex_;
  std::map<SerialNumber, Issuance> issuances_;
  std::map<std::pair<RequestId, AgentNumber>, SerialNumber> requests_;
  std::map<SerialNumber, Revocation> revocations_;
  std::vector<SerialNumber> revocation_order_;
  std::set<Bytes> blocked_keys_;
  // Of revocations, CRLs and shards.
  std::uint64_t news_ = 0;
  std::condition_variable news_came_;
};

}  // namespace ca::testing
