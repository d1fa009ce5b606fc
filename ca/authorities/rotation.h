#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "ca/access/approvals.h"
#include "ca/access/named_authority.h"
#include "ca/authorities/authority_publication.h"
#include "ca/authorities/provisioning.h"
#include "ca/authorities/trust_bundles.h"
#include "ca/base/clock.h"
#include "ca/catalog/live_catalog.h"
#include "ca/catalog/revocation_index.h"
#include "ca/ports/ledger.h"

namespace ca {

// Whether an operator waits for the agents that have not acknowledged the next authority.
enum class StragglerPolicy { kWait, kLeaveBehind };

// Lets one issuing authority follow another: prepares and publishes it, activates it, rolls back.
// An operator calls it, or the conductor on schedule. Every step may be interrupted and repeated,
// on any replica, by several at once. Thread-safe; calls block.
//
// Each method may also fail as Authorization::Require does.
class Rotation {
 public:
  // All outlive it.
  Rotation(LiveCatalog& catalogs, const Authorization& authorization, const HierarchyPorts& stores,
           const Provisioning& provisioning, const AuthorityPublication& publication,
           Ledger& ledger, const RevocationIndex& revocations, const TrustBundles& bundles,
           const Approvals& approvals, const Clock& clock)
      : catalogs_(catalogs),
        authorization_(authorization),
        stores_(stores),
        provisioning_(provisioning),
        publication_(publication),
        ledger_(ledger),
        revocations_(revocations),
        bundles_(bundles),
        approvals_(approvals),
        clock_(clock) {}

  // The successor of the active issuing authority, published: made now, or found. Under an external
  // root it is pending, with its key, until its certificate is imported
  // (ca/authorities/external_issuing.h). kNotFound.
  Result<Recorded<AuthorityView>> Prepare(Call& call, const std::string& hierarchy);

  // The root that is to follow the newest one, published with its cross-certificate: made now, or
  // found. Making it may take two operators: Approvals::Require(). The next issuing authority that
  // is prepared is under it. kNotFound; the errors of NextRootProvisioning.
  Result<Recorded<AuthorityView>> PrepareRoot(Call& call, const std::string& hierarchy);

  // From now on `authority`, such as acme/prod/issuing/2, issues. Ok when it does already.
  // kNotFound; kFailedPrecondition by the rules
  //   authority.key-destroyed
  //   authority.tainted
  //   authority.just-published   not every replica has heard of it; retry when the message says so
  //   authority.ending           it would not outlive the certificates that it is to issue
  //   authority.revoked
  //   authority.root-not-trusted  its root is not, or no more, in the trust bundle
  //   authority.not-acknowledged  too few agents hold a trust bundle with it; with kLeaveBehind it
  //                               is activated all the same, and the event says so
  // kAborted when another operator activated another authority at this moment.
  Result<Recorded<AuthorityView>> Activate(Call& call, const std::string& authority,
                                           StragglerPolicy policy);

  // Back to the one that issued before; the rules are those of Activate(). kFailedPrecondition,
  // rule authority.none-before, when there was none.
  Result<Recorded<AuthorityView>> RollBack(Call& call, const std::string& hierarchy);

  // From now on `authority` is never activated again. If it is the active one, its successor is
  // published now and takes over by itself within seconds, also if agents have not acknowledged it.
  // Certificates that it has issued stay valid. `reason` is for people. kInvalidArgument,
  // kNotFound.
  Result<Recorded<AuthorityView>> Taint(Call& call, const std::string& authority,
                                        const std::string& reason);

  // The same, and it is revoked with all that it has issued. While it is the active one, nothing is
  // issued in the hierarchy, for some seconds at most. Refuses keyCompromise, which is about the
  // agents' keys: write cACompromise. It may take two operators: Approvals::Require(). May be
  // repeated.
  struct RevokedAuthority {
    AuthorityView view;
    std::int64_t revoked_count = 0;  // of its agents' certificates, by this call
  };
  Result<Recorded<RevokedAuthority>> Revoke(Call& call, const std::string& authority,
                                            RevocationReason reason, const std::string& note);

  // Does the step that the schedule of the hierarchy wants by now: a successor, its activation, or
  // nothing, also while it waits for acknowledgements. `hierarchy` may be some seconds old.
  Status Advance(const HierarchySnapshot& hierarchy);

 private:
  // The active one's taint, if it has one.
  static std::optional<ca::Taint> TaintOfActive(const HierarchySnapshot& hierarchy);
  // The hierarchy of that name, if the caller may do `action` there.
  Result<HierarchySnapshotPtr> FindPermitted(Call& call, Action action,
                                             const std::string& name) const;
  Status RequireApproval(Call& call, const HierarchySnapshot& hierarchy, int generation);
  // The hierarchy as it is when its successor is published, and the successor. `hierarchy` has just
  // been loaded.
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
  Status CheckActivation(const HierarchySnapshot& hierarchy, const AuthorityView& view) const;
  Status CheckNotRevoked(const HierarchySnapshot& hierarchy, const AuthorityView& view) const;
  // `view` is of `hierarchy`; kAborted when another authority was activated since.
  Result<Recorded<AuthorityView>> ActivateFound(Call& call, const HierarchySnapshot& hierarchy,
                                                const AuthorityView& view);

  LiveCatalog& catalogs_;
  const Authorization& authorization_;
  const HierarchyPorts stores_;
  const Provisioning& provisioning_;
  const AuthorityPublication& publication_;
  Ledger& ledger_;
  const RevocationIndex& revocations_;
  const TrustBundles& bundles_;
  const Approvals& approvals_;
  const Clock& clock_;

  // When the acknowledgements of a hierarchy whose schedule waits for them are counted again.
  std::mutex mutex_;
  std::map<HierarchyId, TimePoint> gate_due_;
};

}  // namespace ca
