#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "ca/base/bytes.h"
#include "ca/base/spiffe_id.h"
#include "ca/model/audit_event.h"
#include "ca/ports/recorded.h"

namespace ca {

enum class Verdict { kApprove, kDeny };

struct ApprovalDecision {
  Verdict verdict{};
  SpiffeId by;
  TimePoint at;
  std::string reason;  // as CheckNote() allows; "" only for an approval

  // Whether the same operator gave the same verdict, at any time.
  bool IsRepeatedBy(const ApprovalDecision& other) const {
    return verdict == other.verdict && by == other.by;
  }

  friend bool operator==(const ApprovalDecision&, const ApprovalDecision&) = default;
};

// The state of an approval at one instant.
enum class ApprovalState {
  kPending,   // another admin is to decide
  kApproved,  // the operator that asked may make the change
  kDenied,
  kDone,       // it was used: the change is made
  kWithdrawn,  // the operator that asked took it back
  kExpired,    // it was not decided, or not used, in time
};

std::string_view NameOf(ApprovalState state);  // pending, approved, ...

// One change that an operator asked for, with its decision and its end.
struct Approval {
  static constexpr size_t kIdSize = 16;    // hex digits, of 64 random bits
  static constexpr int kPendingMax = 100;  // in one hierarchy
  static constexpr size_t kChangesMax = 100;
  static constexpr size_t kChangeSizeMax = 300;

  std::string id;
  HierarchyId hierarchy{};
  ApprovalKind kind{};
  Bytes digest;                      // SHA-256 over the exact change
  std::vector<std::string> changes;  // the change in words for people, an item a line
  SpiffeId requested_by;
  TimePoint requested_at;
  TimePoint expires_at;  // from then on it can be neither decided nor used
  std::optional<ApprovalDecision> decision;
  // At most one of these is set.
  std::optional<TimePoint> used_at;
  std::optional<TimePoint> withdrawn_at;

  ApprovalState StateAt(TimePoint now) const;

  // Ok if it waits for a decision at `now`. Else kFailedPrecondition, rules approval.decided,
  // approval.withdrawn and approval.expired.
  Status CheckDecidable(TimePoint now) const;
  // Ok if it can still be used or decided at `now`. Else kFailedPrecondition, rules approval.used,
  // approval.decided (it was denied, which is final) and approval.expired.
  Status CheckWithdrawable(TimePoint now) const;

  friend bool operator==(const Approval&, const Approval&) = default;
};

struct ApprovalQuery {
  static constexpr int kPageSizeMax = 1000;

  HierarchyId hierarchy{};
  std::optional<TimePoint> pending_at;  // lists approvals that are pending then; none: all
  int page_size = 100;
  std::string page_token;  // the last id of the page before; order: newest first
};

// Approvals of changes that take two operators. Rows are only ever inserted. Thread-safe, blocking.
// Each change and its audit event are one transaction. Errors: kUnavailable while the database is
// unavailable; each call may be repeated.
//
// A change uses its approval: each store that makes a change whose event has an `approval_use`
// records, in the same transaction, that this approval (its subject, in its hierarchy, as of its
// time) was used by the call with its correlation id. If the same call used it before, that is Ok
// and records nothing. Otherwise nothing is changed at all:
//   kAborted             another call used it
//   kFailedPrecondition  it is not approved, or has expired, or was withdrawn
//   kNotFound
class ApprovalStore : public RecordsDecisions {
 public:
  virtual ~ApprovalStore() = default;

  // Finds the newest approval of exactly this change (hierarchy, kind, digest) by the same operator
  // that has neither expired nor ended at wanted.requested_at, and that `disregarded` does not
  // name. If there is none, records `wanted` with `event` and returns it. Concurrent identical
  // requests return the same approval. kFailedPrecondition, rule approval.too-many, when
  // Approval::kPendingMax approvals are pending in the hierarchy.
  virtual Result<Approval> FindOrRequest(const Approval& wanted,
                                         const std::set<std::string>& disregarded,
                                         const AuditEvent& event) = 0;

  // kNotFound.
  virtual Result<Approval> Find(HierarchyId hierarchy, const std::string& id) = 0;

  // Returns the approval as it is now. The first decision is final. A repetition by the same
  // operator is Ok: it records its event and changes nothing else. kNotFound; kFailedPrecondition
  // as Approval::CheckDecidable().
  virtual Result<Recorded<Approval>> Decide(HierarchyId hierarchy, const std::string& id,
                                            const ApprovalDecision& decision,
                                            const AuditEvent& event) = 0;

  // Withdraws the approval as of the event's time, for the operator that asked for it. Returns the
  // approval as it is now. A repetition is Ok: it records its event and changes nothing else.
  // kNotFound; kFailedPrecondition as Approval::CheckWithdrawable().
  virtual Result<Recorded<Approval>> Withdraw(HierarchyId hierarchy, const std::string& id,
                                              const AuditEvent& event) = 0;

  virtual Result<std::vector<Approval>> List(const ApprovalQuery& query) = 0;
};

}  // namespace ca
