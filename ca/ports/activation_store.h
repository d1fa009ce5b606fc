#pragma once

#include <algorithm>
#include <vector>

#include "ca/model/audit_event.h"
#include "ca/model/hierarchy.h"
#include "ca/ports/recorded.h"

namespace ca {

// From `at` on, `authority` is the one that issues in its hierarchy, until the next activation.
struct Activation {
  HierarchyId hierarchy{};
  int sequence = 0;  // in its hierarchy, from 1 on
  AuthorityId authority{};
  TimePoint at;

  friend bool operator==(const Activation&, const Activation&) = default;
};

// One version of the trust bundle of a hierarchy: the roots that relying parties trust, and the
// valid issuing authorities that they should know.
struct TrustBundleRecord {
  HierarchyId hierarchy{};
  int version = 0;                       // in its hierarchy, from 1 on; each change adds one
  std::vector<AuthorityId> authorities;  // oldest first
  TimePoint published_at;

  bool Has(AuthorityId authority) const {
    return std::find(authorities.begin(), authorities.end(), authority) != authorities.end();
  }

  friend bool operator==(const TrustBundleRecord&, const TrustBundleRecord&) = default;
};

// Which authority issues in each hierarchy, and which authorities its relying parties hold.
// Thread-safe, blocking. Each change and its audit event are one transaction. Rows of a destroyed
// hierarchy are listed as long as HierarchyStore::LoadDestructions() lists the hierarchy. Errors:
// kUnavailable while the database is unavailable.
class ActivationStore : public RecordsDecisions {
 public:
  virtual ~ActivationStore() = default;

  // All activations; those of one hierarchy in the order of their sequence. The authority of the
  // last one issues now.
  virtual Result<std::vector<Activation>> LoadActivations() = 0;

  // When it returns, `activation.authority` alone issues: Ledger::RecordIntent refuses every other
  // authority. kAborted unless the sequence is the next one, and the authority has its certificate,
  // its key stays, and it is not tainted: another call came first, so load activations and
  // authorities again.
  virtual Result<RecordedDecision> Activate(const Activation& activation,
                                            const AuditEvent& event) = 0;

  // All trust bundles; those of one hierarchy in the order of their version. Relying parties should
  // hold the last one.
  virtual Result<std::vector<TrustBundleRecord>> LoadTrustBundles() = 0;

  // kAborted unless the version is the next one: another call published first, so load again.
  virtual Status PublishTrustBundle(const TrustBundleRecord& bundle, const AuditEvent& event) = 0;
};

}  // namespace ca
