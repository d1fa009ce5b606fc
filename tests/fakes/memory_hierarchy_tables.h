#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "ca/ports/hierarchy_ports.h"
#include "ca/ports/revocation.h"
#include "tests/fakes/event_log.h"

namespace ca::testing {

// The tables that the memory stores of hierarchies, authorities and activations share, and the
// questions that other memory stores ask of them.
class MemoryHierarchyTables {
 public:
  // The registry says which profiles the agents of a hierarchy have.
  using ProfilesInUse = std::function<std::set<std::string>(HierarchyId)>;
  void AskForProfiles(ProfilesInUse profiles) { profiles_in_use = std::move(profiles); }

  // The first revocation store that shares the tables revokes what an authority has issued, or its
  // own certificate, and says how many.
  using RevokeOrder = std::function<Result<RevocationOutcome>(const RevocationOrder&)>;
  void AskToRevoke(RevokeOrder order) {
    if (!revoke) revoke = std::move(order);
  }

  // Each of these takes the lock.
  std::vector<Hierarchy> Standing() const;           // the hierarchies that are not destroyed
  std::vector<AuthorityRecord> Authorities() const;  // with the certificates that are signed
  // For the ledger: kAborted, rule authority.superseded.
  Status CheckActive(HierarchyId hierarchy, AuthorityId authority) const;
  // For the acknowledgement store.
  bool HasTrustBundle(HierarchyId hierarchy, int version) const;
  // For the revocation store: a certificate of a CA or a responder.
  struct Issuance {
    AuthorityRecord of;  // whose certificate it is
    IssuanceRecord record;
    bool is_signed = false;
  };
  std::vector<Issuance> Issuances() const;
  std::int64_t RevokeAll(HierarchyId hierarchy, TimePoint now);
  std::int64_t RevokeIssued(const AuthorityRecord& authority, RevocationReason reason,
                            TimePoint now);

  // For these, the caller holds the lock.
  bool HasCertificate(AuthorityId authority) const;
  std::vector<Activation> ActivationsOf(HierarchyId hierarchy) const;
  AuthorityRecord& Find(AuthorityId authority);
  bool IsInUse(const AuthorityRecord& record) const;
  HierarchyDestruction* FindDestruction(HierarchyId hierarchy);
  bool IsDestroyed(HierarchyId hierarchy) const;
  bool IsRevoked(AuthorityId authority) const;

  mutable std::mutex mutex;
  std::vector<Hierarchy> hierarchies;
  std::vector<AuthorityRecord> authorities;
  std::map<AuthorityId, IssuanceRecord> issuances;
  struct Signature {
    Bytes signature;
    TimePoint at;
  };
  std::map<AuthorityId, Signature> signatures;
  std::vector<Activation> activations;
  std::vector<TrustBundleRecord> bundles;
  std::vector<HierarchyDestruction> destructions;
  ProfilesInUse profiles_in_use;
  RevokeOrder revoke;
};

}  // namespace ca::testing
