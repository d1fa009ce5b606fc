#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ca/access/authorization.h"
#include "ca/access/call.h"
#include "ca/base/clock.h"
#include "ca/catalog/live_catalog.h"
#include "ca/catalog/revocation_index.h"
#include "ca/ports/acknowledgement_store.h"

namespace ca {

// The certificates that the relying parties of a hierarchy should hold, and their version.
struct TrustBundle {
  std::string hierarchy;  // acme/prod
  TrustDomain trust_domain;
  int version = 0;
  TimePoint published_at;
  std::vector<Bytes> roots;    // DER, oldest first: to be trusted
  std::vector<Bytes> issuing;  // DER, oldest first: to be known; nobody has to trust them
};

// How far the live agents of a hierarchy have come with an authority.
struct BundleProgress {
  int version = 0;  // of the first trust bundle that has it
  TimePoint published_at;
  AcknowledgedCount count;

  std::int64_t stragglers() const { return count.live - count.acknowledged; }
  // Rounded down, so that 100 means all; 100 when no agent is live.
  int Percent() const;
  // "97% of 812 live agents have acknowledged trust bundle 4; 21 have not"
  std::string ToString() const;
};

struct Stragglers {
  BundleProgress progress;
  std::vector<LiveAgent> agents;  // a page of them, by SPIFFE ID
};

// Trust bundles: published in versions, read, and acknowledged by the agents that hold them.
// Thread-safe; calls block, but for Newest().
class TrustBundles {
 public:
  // All outlive it.
  TrustBundles(LiveCatalog& catalogs, const Authorization& authorization, ActivationStore& store,
               AcknowledgementStore& acknowledgements, Registry& registry,
               const RevocationIndex& revocations, const Clock& clock)
      : catalogs_(catalogs),
        authorization_(authorization),
        store_(store),
        acknowledgements_(acknowledgements),
        registry_(registry),
        revocations_(revocations),
        clock_(clock) {}

  // Whose trust bundle it is that the caller asks for, if it may: that of the named hierarchy or,
  // by
  // "", of its own. Its own takes no role, but to be registered and not disabled:
  // kPermissionDenied, rules agent.unknown and agent.disabled. kNotFound.
  Result<HierarchyId> Permit(Call& call, Action action, const std::string& hierarchy) const;

  // As this replica knows it, which is a few seconds old; nullopt before the first.
  std::optional<TrustBundle> Newest(HierarchyId hierarchy) const;

  // Permit() and Newest(). kUnavailable before the first is published, which takes seconds.
  Result<TrustBundle> Get(Call& call, const std::string& hierarchy) const;

  // That the caller holds this version of its own hierarchy's. Idempotent. kNotFound when there is
  // no such version; rules as for Permit().
  Result<RecordedDecision> Acknowledge(Call& call, int version) const;

  // How far the live agents have come with `authority`; nullopt when no trust bundle has had it.
  Result<std::optional<BundleProgress>> ProgressOf(const HierarchySnapshot& hierarchy,
                                                   AuthorityId authority) const;

  // Those whom the next issuing authority waits for; when there is none, who has not acknowledged
  // the newest trust bundle. For readers of the hierarchy.
  Result<Stragglers> ListStragglers(Call& call, const std::string& hierarchy, int page_size,
                                    const std::string& page_token) const;
  // The first of those who have not acknowledged `version`.
  Result<std::vector<LiveAgent>> FirstStragglers(HierarchyId hierarchy, int version,
                                                 int count) const;

  // Publishes another version if what should be held has changed: an authority got its certificate,
  // was revoked, ended, or retired. Safe to repeat, on any replica, by several at once.
  Status Publish(const HierarchySnapshot& hierarchy, const std::string& actor);

 private:
  bool IsRevoked(const Authority& authority, const AuthorityRecord& record) const;
  std::vector<AuthorityId> WantedNow(const HierarchySnapshot& hierarchy) const;
  bool IsPublished(const HierarchySnapshot& hierarchy) const;
  Result<Agent> FindOwn(const Call& call) const;

  LiveCatalog& catalogs_;
  const Authorization& authorization_;
  ActivationStore& store_;
  AcknowledgementStore& acknowledgements_;
  Registry& registry_;
  const RevocationIndex& revocations_;
  const Clock& clock_;
};

}  // namespace ca
