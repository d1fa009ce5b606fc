#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "ca/access/approvals.h"
#include "ca/access/named_authority.h"
#include "ca/authorities/provisioning.h"
#include "ca/authorities/trust_bundles.h"
#include "ca/base/clock.h"
#include "ca/catalog/live_catalog.h"
#include "ca/catalog/revocation_index.h"
#include "ca/ports/ledger.h"

namespace ca {

// Whether an operator waits for those who have not acknowledged the next authority.
enum class StragglerPolicy { kWait, kLeaveBehind };

// The story of how one issuing authority follows another: prepared and published, activated, rolled
// back. By hand, or on schedule by the conductor. Every step may be interrupted and repeated, on
// any replica, by several at once. Thread-safe; calls block.
//
// Each method may also fail as Authorization::Require does.
class Rotation {
 public:
  // All outlive it.
  Rotation(LiveCatalog& catalogs, const Authorization& authorization, const HierarchyPorts& stores,
           KeyStore& keys, Registry& registry, Ledger& ledger, const RevocationIndex& revocations,
           const StatusDirectory& directory, TrustBundles& bundles, const Approvals& approvals,
           const Clock& clock)
      : catalogs_(catalogs),
        authorization_(authorization),
        stores_(stores),
        keys_(keys),
        registry_(registry),
        ledger_(ledger),
        revocations_(revocations),
        directory_(directory),
        bundles_(bundles),
        approvals_(approvals),
        clock_(clock) {}

  // The successor of the active issuing authority, published: made now, or found. Under an external
  // root it is pending, with its key, until its certificate is imported
  // (ca/authorities/external_issuing.h). kNotFound.
  Result<Recorded<AuthorityView>> Prepare(Call& call, const std::string& hierarchy);

  // The root that is to follow the newest one, published with a link from that to it: made now, or
  // found. To make it may take two: Approvals::Require(). The next issuing authority to be prepared
  // is its. kNotFound; Provisioning's own.
  Result<Recorded<AuthorityView>> PrepareRoot(Call& call, const std::string& hierarchy);

  // From now on `authority`, such as acme/prod/issuing/2, issues. Ok when it does already.
  // kNotFound; kFailedPrecondition by the rules
  //   authority.key-destroyed
  //   authority.tainted
  //   authority.just-published   not every replica has heard of it; retry when the message says so
  //   authority.ending           it would not outlive the certificates that it is to issue
  //   authority.revoked
  //   authority.root-not-trusted  its root is not, or no more, in the trust bundle
  //   authority.not-acknowledged  too few agents hold a trust bundle with it; unless they are to be
  //                               left behind, which the event then says
  // kAborted when somebody else activated another at this moment.
  Result<Recorded<AuthorityView>> Activate(Call& call, const std::string& authority,
                                           StragglerPolicy policy);

  // Back to the one that issued before; the rules are those of Activate(). kFailedPrecondition,
  // rule authority.none-before, when there was none.
  Result<Recorded<AuthorityView>> RollBack(Call& call, const std::string& hierarchy);

  // From now on `authority` is never activated again, and when it is the active one its successor,
  // published by then, takes over by itself within seconds, whoever has acknowledged it. What it
  // has issued stands. `reason` is for people. kInvalidArgument, kNotFound.
  Result<Recorded<AuthorityView>> Taint(Call& call, const std::string& authority,
                                        const std::string& reason);

  // The same, and it is revoked with all that it has issued. While it is the active one nothing is
  // issued in the hierarchy, for some seconds at most. Not for keyCompromise, which is about the
  // agents' keys: write cACompromise. It may take two: Approvals::Require(). May be repeated.
  struct RevokedAuthority {
    AuthorityView view;
    std::int64_t revoked_count = 0;  // of its agents' certificates, by this call
  };
  Result<Recorded<RevokedAuthority>> Revoke(Call& call, const std::string& authority,
                                            RevocationReason reason, const std::string& note);

  // What the schedule of the hierarchy wants by now: a successor, its activation, or nothing, also
  // while it waits for acknowledgements.
  Status Advance(const HierarchySnapshot& hierarchy);

 private:
  // The active one's taint, if it has one.
  static std::optional<ca::Taint> TaintOfActive(const HierarchySnapshot& hierarchy);
  // The hierarchy of that name, if the caller may do `action` there.
  Result<HierarchySnapshotPtr> FindPermitted(Call& call, Action action,
                                             const std::string& name) const;
  Status RequireApproval(Call& call, const HierarchySnapshot& hierarchy, int generation);
  // The hierarchy as it is when its successor is published, and the successor.
  struct Published {
    HierarchySnapshotPtr hierarchy;
    AuthorityRecord successor;
  };
  Result<Published> EnsurePublished(const HierarchySnapshot& hierarchy, const std::string& actor);
  // Whether enough agents hold a trust bundle with an authority that has never issued.
  struct Gate {
    bool is_open = true;
    std::string rule;  // by which it is open; "" when there is none
    std::optional<BundleProgress> progress;
  };
  Result<Gate> GateOf(const HierarchySnapshot& hierarchy, const AuthorityView& view) const;
  // For an operator. The event names the rule that opens the gate.
  Status PassGate(Call& call, const HierarchySnapshot& hierarchy, const AuthorityView& view,
                  StragglerPolicy policy) const;
  bool MayLookAtGate(HierarchyId hierarchy);
  void LookAtGateLater(HierarchyId hierarchy);
  // With an OCSP responder of its own, and in the trust bundle.
  // Yields the hierarchy as it is then.
  Result<HierarchySnapshotPtr> EnsureKnown(Provisioning& provisioning, HierarchyId hierarchy,
                                           AuthorityId authority, const std::string& actor);
  Status CheckActivation(const HierarchySnapshot& hierarchy, const AuthorityView& view) const;
  Status CheckNotRevoked(const HierarchySnapshot& hierarchy, const AuthorityView& view) const;
  // `view` is of `hierarchy`; kAborted when another authority was activated since.
  Result<Recorded<AuthorityView>> ActivateFound(Call& call, const HierarchySnapshot& hierarchy,
                                                const AuthorityView& view);

  LiveCatalog& catalogs_;
  const Authorization& authorization_;
  const HierarchyPorts stores_;
  KeyStore& keys_;
  Registry& registry_;
  Ledger& ledger_;
  const RevocationIndex& revocations_;
  const StatusDirectory& directory_;
  TrustBundles& bundles_;
  const Approvals& approvals_;
  const Clock& clock_;

  // Of a hierarchy whose schedule waits for acknowledgements: when they are counted again.
  std::mutex mutex_;
  std::map<HierarchyId, TimePoint> gate_due_;
};

}  // namespace ca
