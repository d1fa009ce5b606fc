#pragma once

#include <atomic>
#include <optional>
#include <vector>

#include "ca/ports/revocation.h"
#include "tests/fakes/event_log.h"
#include "tests/fakes/memory_hierarchy_tables.h"
#include "tests/fakes/memory_ledger.h"

namespace ca::testing {

// The contract of ca/ports/revocation.h in memory. tests/contract tests both implementations. Each
// replica of a test has one of its own, over one ledger.
class MemoryRevocationStore final : public RevocationStore {
 public:
  MemoryRevocationStore(MemoryLedger& ledger, MemoryHierarchyTables& tables, EventLog& events)
      : ledger_(ledger), tables_(tables), events_(events) {
    tables.AskToRevoke([this](const RevocationOrder& order) { return RevokeSilently(order); });
  }

  Result<Recorded<RevocationOutcome>> Revoke(const RevocationOrder& order,
                                             const AuditEvent& event) override;
  Result<RevocationOutcome> Preview(const RevocationOrder& order) override;
  Result<std::vector<Revocation>> ReadSince(RevocationCursor& cursor,
                                            TimePoint live_after) override;
  Status AwaitNews(std::chrono::milliseconds patience) override;
  Result<CertificateStatus> FindStatus(HierarchyId hierarchy, AuthorityId authority,
                                       const SerialNumber& serial) override;

  // From now on every call fails, as while the database is unavailable, until it is undone.
  void TakeAway() { is_away_ = true; }
  void BringBack() { is_away_ = false; }

  // How many statuses were asked for, failures included.
  int find_count() const { return find_count_; }

 private:
  // One certificate that an order names.
  struct Named {
    IssuanceRecord record;
    bool is_root = false;
    bool is_signed = false;
  };

  Status CheckThere() const;
  // As a part of something else, whose event says so.
  Result<RevocationOutcome> RevokeSilently(const RevocationOrder& order);

  // The caller holds the ledger's lock.
  std::vector<Named> NamedBy(const RevocationOrder& order) const;
  std::optional<Named> FindBySerial(HierarchyId hierarchy, const SerialNumber& serial) const;
  Status CheckSingle(const RevocationOrder& order, const std::vector<Named>& named) const;
  Result<RevocationOutcome> Carry(const RevocationOrder& order, bool is_preview);

  MemoryLedger& ledger_;
  const MemoryHierarchyTables& tables_;
  EventLog& events_;
  std::atomic<bool> is_away_ = false;
  std::atomic<int> find_count_ = 0;
  std::uint64_t news_seen_ = 0;  // under the ledger's lock
};

}  // namespace ca::testing
