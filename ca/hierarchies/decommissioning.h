#pragma once

#include <functional>
#include <string>
#include <vector>

#include "ca/access/approvals.h"
#include "ca/access/authorization.h"
#include "ca/authorities/key_retirement.h"
#include "ca/authorities/provisioning.h"
#include "ca/base/clock.h"
#include "ca/catalog/live_catalog.h"

namespace ca {

// A key that is no more, as the record of a destruction lists it.
struct DestroyedKey {
  std::string authority;  // acme/pr-1234/issuing/1
  std::string label;      // on the token
  std::string
      fingerprint;  // SHA-256 of its SubjectPublicKeyInfo, hex; "" if it was never certified
  TimePoint destroyed_at;
};

// What a record of destruction says.
struct DestructionStatement {
  HierarchyDestruction destruction;
  std::vector<DestroyedKey> keys;  // oldest first
};

// How far a destruction has come.
struct DestructionView {
  HierarchyDestruction destruction;
  int key_count = 0;
  int destroyed_key_count = 0;
};

// The story of how a hierarchy ends. Decommissioning it revokes all that it has issued and lets
// nobody issue any more; the conductor then publishes its last CRLs, destroys its keys on the
// token, and leaves a record that a recorder of the system hierarchy has signed. Every step may be
// interrupted and repeated, on any replica, by several at once. Thread-safe; calls block.
//
// As in Registration, each call leaves what it learns in `event`, and may also fail as
// Authorization::Require does.
class Decommissioning {
 public:
  static constexpr int kListedMax = 1000;
  static constexpr int kListedOfNameMax = 100;

  // Writes a statement for people and programs; what it returns is signed octet for octet.
  using Write = std::function<std::string(const DestructionStatement&)>;

  // All outlive it.
  Decommissioning(LiveCatalog& catalogs, const Authorization& authorization, HierarchyStore& store,
                  KeyRetirement& key_retirement, Provisioning& provisioning,
                  const Approvals& approvals, const Clock& clock, Write write)
      : catalogs_(catalogs),
        authorization_(authorization),
        store_(store),
        key_retirement_(key_retirement),
        provisioning_(provisioning),
        approvals_(approvals),
        clock_(clock),
        write_(std::move(write)) {}

  // The hierarchy of that name, or the last that had it and is destroyed: then nothing changes.
  // Takes an admin of it, and may take two: Approvals::Require().
  //   kInvalidArgument     `reason` is empty, too long, or not printable
  //   kNotFound
  //   kFailedPrecondition  rule `hierarchy.system`
  Result<DestructionView> Destroy(const Caller& caller, const std::string& hierarchy,
                                  const std::string& reason, AuditEvent& event);

  // Those that were destroyed and over which the caller has a role, newest first: with their
  // records at most kListedOfNameMax that had that name, or ("") without them at most kListedMax.
  Result<std::vector<DestructionView>> List(const Caller& caller, const std::string& hierarchy,
                                            AuditEvent& event) const;

  // Whatever step is due: keys are decided upon, destroyed, and when all are, that is signed. The
  // last CRLs have to be out. kUnavailable while a token is away.
  Status Advance(const HierarchyDestruction& destruction);

 private:
  struct Found {
    Hierarchy hierarchy;
    bool is_destroyed = false;
  };
  Result<Found> Find(const std::string& name) const;
  Status RequireApproval(const Caller& caller, const Hierarchy& hierarchy,
                         const std::string& reason, AuditEvent& event);
  Status CheckKeysAtHand(const Hierarchy& hierarchy) const;
  Status Finish(const HierarchyDestruction& destruction,
                const std::vector<AuthorityRecord>& records);

  LiveCatalog& catalogs_;
  const Authorization& authorization_;
  HierarchyStore& store_;
  KeyRetirement& key_retirement_;
  Provisioning& provisioning_;
  const Approvals& approvals_;
  const Clock& clock_;
  const Write write_;
};

}  // namespace ca
