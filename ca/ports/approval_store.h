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
  std::string reason;  // as CheckNote() allows; "" only of an approval

  // Whether the same operator decided the same, then or at another time.
  bool IsRepeatedBy(const ApprovalDecision& other) const {
    return verdict == other.verdict && by == other.by;
  }

  friend bool operator==(const ApprovalDecision&, const ApprovalDecision&) = default;
};

// What an approval is at one instant.
enum class ApprovalState {
  kPending,   // another admin is to decide
  kApproved,  // whoever asked may do it
  kDenied,
  kDone,       // the change was made by it
  kWithdrawn,  // whoever asked wants it no more
  kExpired,    // nobody decided, or nobody did it, in time
};

std::string_view NameOf(ApprovalState state);  // pending, approved, ...

// One change that somebody asked for, and what became of it.
struct Approval {
  static constexpr size_t kIdSize = 16;    // hex digits, of 64 random bits
  static constexpr int kPendingMax = 100;  // in one hierarchy
  static constexpr size_t kChangesMax = 100;
  static constexpr size_t kChangeSizeMax = 300;

  std::string id;
  HierarchyId hierarchy{};
  ApprovalKind kind{};
  Bytes digest;                      // SHA-256 over the exact change
  std::vector<std::string> changes;  // the same for people, an item a line
  SpiffeId requested_by;
  TimePoint requested_at;
  TimePoint expires_at;  // from then on it is neither decided nor used
  std::optional<ApprovalDecision> decision;
  // It ends in one way at most.
  std::optional<TimePoint> used_at;
  std::optional<TimePoint> withdrawn_at;

  ApprovalState StateAt(TimePoint now) const;

  // Whether it still is to be decided at `now`: kFailedPrecondition by the rules approval.decided,
  // approval.withdrawn and approval.expired.
  Status CheckDecidable(TimePoint now) const;
  // Whether it could still be used, or be decided, at `now`: kFailedPrecondition by the rules
  // approval.used, approval.decided when it was denied, which stands, and approval.expired.
  Status CheckWithdrawable(TimePoint now) const;

  friend bool operator==(const Approval&, const Approval&) = default;
};

struct ApprovalQuery {
  static constexpr int kPageSizeMax = 1000;

  HierarchyId hierarchy{};
  std::optional<TimePoint> pending_at;  // those that are pending then; none: all
  int page_size = 100;
  std::string page_token;  // the last id of the page before; order: newest first
};

// What takes two, in the ledger. Rows are only ever inserted. Thread-safe, blocking. A change and
// its audit event are one transaction. Errors: kUnavailable while the database is away; each call
// may be repeated.
//
// An approval is used by the change that it is for: whichever store makes a change whose event has
// an `approval_use` records in the same transaction that this approval, its subject, was used in
// its hierarchy, as of its time, by the call that its correlation id names. Ok, with nothing of it
// recorded, when it was by that call before. Else nothing is changed at all:
//   kAborted             another call used it
//   kFailedPrecondition  it was not approved, or has expired, or was withdrawn
//   kNotFound
class ApprovalStore : public RecordsDecisions {
 public:
  virtual ~ApprovalStore() = default;

  // The newest approval of exactly the change (hierarchy, kind, digest) that `wanted` is for, asked
  // for by the same operator, that has neither expired nor ended by wanted.requested_at; those that
  // `disregarded` names are none. When there is none, `wanted` itself, recorded with `event`.
  // Of two who ask at once both get the same. kFailedPrecondition, rule approval.too-many, when
  // Approval::kPendingMax are pending in the hierarchy.
  virtual Result<Approval> FindOrRequest(const Approval& wanted,
                                         const std::set<std::string>& disregarded,
                                         const AuditEvent& event) = 0;

  // kNotFound.
  virtual Result<Approval> Find(HierarchyId hierarchy, const std::string& id) = 0;

  // Returns it as it now stands. The first decision stands; the same by the same operator once more
  // is Ok, and leaves its event alone. kNotFound; kFailedPrecondition as Approval::CheckDecidable()
  // says.
  virtual Result<Recorded<Approval>> Decide(HierarchyId hierarchy, const std::string& id,
                                            const ApprovalDecision& decision,
                                            const AuditEvent& event) = 0;

  // By whoever asked, as of the event's time; returns it as it now stands. Once more is Ok, changes
  // nothing, and leaves its event alone. kNotFound; kFailedPrecondition as
  // Approval::CheckWithdrawable() says.
  virtual Result<Recorded<Approval>> Withdraw(HierarchyId hierarchy, const std::string& id,
                                              const AuditEvent& event) = 0;

  virtual Result<std::vector<Approval>> List(const ApprovalQuery& query) = 0;
};

}  // namespace ca
