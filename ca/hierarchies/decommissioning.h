#pragma once

#include <functional>
#include <string>
#include <vector>

#include "ca/access/approvals.h"
#include "ca/access/authorization.h"
#include "ca/access/call.h"
#include "ca/authorities/key_retirement.h"
#include "ca/authorities/provisioning.h"
#include "ca/base/clock.h"
#include "ca/catalog/live_catalog.h"

namespace ca {

// A key that was destroyed, as the record of the destruction lists it.
struct DestroyedKey {
  std::string authority;  // acme/pr-1234/issuing/1
  std::string label;      // on the token
  // SHA-256 of its SubjectPublicKeyInfo, lower-case hex; "" if it was never certified.
  std::string fingerprint;
  TimePoint destroyed_at;
};

// The content of the signed record of a destruction.
struct DestructionStatement {
  HierarchyDestruction destruction;
  std::vector<DestroyedKey> keys;  // oldest first
};

// The progress of a destruction.
struct DestructionView {
  HierarchyDestruction destruction;
  int key_count = 0;
  int destroyed_key_count = 0;
};

// The use case that ends a hierarchy. Destroy() revokes every certificate that the hierarchy has
// issued and stops it from issuing. Then the conductor publishes its last CRLs, destroys its keys
// on the token, and records that with the signature of a record signer of the system hierarchy.
// Each step may be interrupted and repeated, on any replica and concurrently. Thread-safe; calls
// block.
//
// Each method may also fail as Authorization::Require does.
class Decommissioning {
 public:
  static constexpr int kListedMax = 1000;
  static constexpr int kListedOfNameMax = 100;

  // Writes a statement for people and programs. The record signs the returned octets as they are.
  using Write = std::function<std::string(const DestructionStatement&)>;

  // All outlive it.
  Decommissioning(LiveCatalog& catalogs, const Authorization& authorization,
                  const HierarchyPorts& stores, KeyRetirement& key_retirement,
                  const Provisioning& provisioning, const Approvals& approvals, const Clock& clock,
                  Write write)
      : catalogs_(catalogs),
        authorization_(authorization),
        stores_(stores),
        key_retirement_(key_retirement),
        provisioning_(provisioning),
        approvals_(approvals),
        clock_(clock),
        write_(std::move(write)) {}

  // Destroys the hierarchy of that name. If none is live, returns the newest destroyed one of that
  // name, and changes nothing. The caller has to be an admin of it; a second operator may have to
  // approve: Approvals::Require().
  //   kInvalidArgument     `reason` is empty, too long, or not printable
  //   kNotFound
  //   kFailedPrecondition  rule `hierarchy.system`
  Result<Recorded<DestructionView>> Destroy(Call& call, const std::string& hierarchy,
                                            const std::string& reason);

  // Lists the destroyed hierarchies over which the caller has a role, newest first: those of one
  // name with their records, at most kListedOfNameMax; or all ("") without records, at most
  // kListedMax.
  Result<std::vector<DestructionView>> List(Call& call, const std::string& hierarchy) const;

  // Does the next step that is due: decides to destroy each key, destroys it, and signs the record
  // when all are destroyed. Call it only after the last CRLs are published. kUnavailable while a
  // token is unavailable.
  Status Advance(const HierarchySnapshot& hierarchy);

 private:
  struct Found {
    Hierarchy hierarchy;
    bool is_destroyed = false;
  };
  Result<Found> Find(const std::string& name) const;
  Status RequireApproval(Call& call, const Hierarchy& hierarchy, const std::string& reason);
  static Status CheckKeysAtHand(const HierarchySnapshot& hierarchy);
  Status Finish(const HierarchyDestruction& destruction,
                const std::vector<AuthorityRecord>& records);

  LiveCatalog& catalogs_;
  const Authorization& authorization_;
  const HierarchyPorts stores_;
  KeyRetirement& key_retirement_;
  const Provisioning& provisioning_;
  const Approvals& approvals_;
  const Clock& clock_;
  const Write write_;
};

}  // namespace ca
