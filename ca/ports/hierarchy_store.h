#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ca/model/audit_event.h"
#include "ca/model/hierarchy.h"
#include "ca/ports/recorded.h"

namespace ca {

// The end of a hierarchy. It is decided once, carried out key by key, and recorded when the last
// key is destroyed.
struct HierarchyDestruction {
  Hierarchy hierarchy;
  std::string reason;      // for people
  std::string decided_by;  // the actor of the audit event
  TimePoint decided_at;
  std::int64_t revoked_count = 0;  // certificates of its agents that were valid until then
  // From then on, none of its keys is on the token. `record` is the signed statement that says so
  // (ca/issuance/signed_record.h).
  std::optional<TimePoint> finished_at;
  Bytes record;

  friend bool operator==(const HierarchyDestruction&, const HierarchyDestruction&) = default;
};

// The hierarchies and their ends. Thread-safe, blocking. Each change and its audit event are one
// transaction. Errors: kUnavailable while the database is unavailable.
class HierarchyStore : public RecordsDecisions {
 public:
  virtual ~HierarchyStore() = default;

  // Returns the hierarchy with its id. kAlreadyExists when a hierarchy that is not destroyed has
  // this tenant/environment or this trust domain, or when `hierarchy` would be a second system
  // hierarchy.
  virtual Result<Hierarchy> CreateHierarchy(const Hierarchy& hierarchy,
                                            const AuditEvent& event) = 0;
  // The hierarchies that are not destroyed, oldest first.
  virtual Result<std::vector<Hierarchy>> LoadHierarchies() = 0;
  // Replaces `standing` by `wanted`, from the next certificate on. Its id stays, and so do the
  // fields that CheckChange() names. kAborted when the stored hierarchy differs from
  // `standing`, because another change came first: load it again. kFailedPrecondition, rule
  // `profile.in-use`, when `wanted` lacks a profile that agents have.
  virtual Status ChangeHierarchy(const Hierarchy& standing, const Hierarchy& wanted,
                                 const AuditEvent& event) = 0;

  // From then on the hierarchy issues nothing and gets no more authorities, and another hierarchy
  // may take its name and trust domain. The same transaction revokes everything that its
  // authorities have issued, for cessationOfOperation. If it was destroyed before, returns that
  // destruction and records `event` with the rule `replay`. kFailedPrecondition, rule
  // `hierarchy.system`, for the system hierarchy; kNotFound.
  virtual Result<Recorded<HierarchyDestruction>> DestroyHierarchy(HierarchyId hierarchy,
                                                                  const std::string& reason,
                                                                  const AuditEvent& event) = 0;
  // The destroyed hierarchies that still need attention, oldest first: each is listed until its
  // last key is destroyed and the last certificate of its agents has expired.
  virtual Result<std::vector<HierarchyDestruction>> LoadDestructions() = 0;
  // Every destruction of a hierarchy with that name, or of any hierarchy if `name` is "". Newest
  // first, at most `limit`.
  virtual Result<std::vector<HierarchyDestruction>> FindDestructions(const std::string& name,
                                                                     int limit) = 0;
  // Records that the hierarchy's keys are gone, as of the event's time; `record` is the signed
  // statement. The first record stands: a repetition is Ok and records nothing.
  // kFailedPrecondition while a key is left.
  virtual Status RecordHierarchyDestroyed(HierarchyId hierarchy, const Bytes& record,
                                          const AuditEvent& event) = 0;
};

}  // namespace ca
