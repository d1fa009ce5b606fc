#pragma once

#include <functional>
#include <string>

#include "ca/base/clock.h"
#include "ca/catalog/status_directory.h"
#include "ca/ports/hierarchy_ports.h"
#include "ca/ports/registry.h"

namespace ca {

// Whether `keys` has the keys of the hierarchy on the token that it pins. kFailedPrecondition, rule
// `hierarchy.token`, naming both and the fix.
Status CheckToken(const Hierarchy& hierarchy, const KeyStore& keys);

// The story of making a hierarchy: its record, then each authority by plan, key, record, signature.
// Every step may be interrupted and repeated; what stands is kept. Not thread-safe; several
// processes may run it at once. Acts in the name of whoever holds the database and the token. What
// makes a key may fail as CheckToken() does.
class Provisioning {
 public:
  Provisioning(const HierarchyPorts& stores, KeyStore& keys, Registry& registry,
               const StatusDirectory& directory, const Clock& clock, std::string actor)
      : stores_(stores),
        keys_(keys),
        registry_(registry),
        directory_(directory),
        clock_(clock),
        actor_(std::move(actor)) {}

  // Makes what is missing of `wanted` with its first root and issuing authority, and returns it
  // with its id. Under an external root the issuing authority has its key alone, and issues from
  // the first call on in which it has its certificate (ca/authorities/external_issuing.h).
  // kFailedPrecondition when it exists and says something else, naming the field.
  Result<Hierarchy> EnsureHierarchy(const Hierarchy& wanted);

  // The issuing authority that is to follow the active one, ready to issue but not issuing: the
  // newest if it has never been active and is not tainted, or a new one with a key of its own,
  // under the newest root; under an external root with its key, and no certificate until somebody
  // else has signed it. kAborted when somebody else is making it at this moment.
  Result<AuthorityRecord> EnsureSuccessor(const Hierarchy& hierarchy);

  // The generation of the root that EnsureNextRoot() would begin now; none when the newest is that
  // root, planned or published already. kFailedPrecondition, rules authority.roots-overlap and,
  // where it is not ours to make one, authority.root-external.
  Result<std::optional<int>> NextRootToPlan(const Hierarchy& hierarchy);

  // The root that is to follow the newest one, published and linked to it: the newest if no issuing
  // authority of it has ever been active, or a new one with a key of its own. What
  // EnsureSuccessor() then makes is under it. kFailedPrecondition, rule authority.roots-overlap,
  // when there are as many links as a chain may have. kAborted when somebody else is making it at
  // this moment, or NextRootToPlan(), by which it was judged whether this takes an approval, would
  // not say `to_plan` any more. Whoever begins it uses the approval.
  Result<AuthorityRecord> EnsureNextRoot(const Hierarchy& hierarchy, std::optional<int> to_plan,
                                         const std::shared_ptr<const AuditEvent>& approval_use);

  // The OCSP responder of `issuer`: the newest that has not passed half its life, or a new one with
  // a key of its own, also when the key of the newest is lost. The one before goes on until it
  // ends: the two overlap. kAborted when somebody else is making it at this moment.
  Result<std::shared_ptr<const Authority>> EnsureResponder(const Hierarchy& hierarchy,
                                                           const Authority& issuer);

  // The recorder of the system hierarchy, under its newest root; otherwise as a responder.
  Result<std::shared_ptr<const Authority>> EnsureRecorder(const Hierarchy& system);

  // Registers `wanted` if it is not there, and returns it with its number.
  Result<Agent> EnsureAgent(const Agent& wanted);
  Status EnsureGrant(const SpiffeId& operator_id, const Grant& grant, HierarchyId system);

 private:
  Result<Hierarchy> EnsureRecord(const Hierarchy& wanted);
  Result<AuthorityRecord> EnsurePlan(const Hierarchy& hierarchy, AuthorityKind kind,
                                     AuthorityId issuer);
  Status EnsureRoot(const Hierarchy& hierarchy);
  Result<AuthorityRecord> EnsureIssuing(const Hierarchy& hierarchy, AuthorityRecord planned);
  Result<AuthorityRecord> PlanRoot(const Hierarchy& hierarchy, int generation,
                                   const std::shared_ptr<const AuditEvent>& approval_use);
  Result<std::vector<AuthorityRecord>> RootsOf(const Hierarchy& hierarchy);
  Result<std::optional<int>> NextRootToPlan(const Hierarchy& hierarchy,
                                            const std::vector<AuthorityRecord>& roots);
  Status EnsureLink(const Hierarchy& hierarchy, const AuthorityRecord& root,
                    const SigningKey& root_key, const AuthorityRecord& before);
  Result<AuthorityRecord> FindRecord(AuthorityId authority);
  Result<bool> IsActivated(const Hierarchy& hierarchy);
  Status ActivateFirst(const Hierarchy& hierarchy, const AuthorityRecord& issuing);
  Status EnsureOwnFirst(const Hierarchy& hierarchy);
  Status EnsureExternalFirst(const Hierarchy& hierarchy);
  Status EnsureExternalRoots(const Hierarchy& hierarchy);
  using PrepareDelegate =
      std::function<Result<PreparedCertificate>(const AuthorityRecord& planned, const SigningKey&)>;
  Result<std::shared_ptr<const Authority>> EnsureDelegate(const Hierarchy& hierarchy,
                                                          AuthorityKind kind,
                                                          const Authority& issuer,
                                                          const PrepareDelegate& prepare);
  Result<AuthorityRecord> EnsureDelegatePlan(const Hierarchy& hierarchy, AuthorityKind kind,
                                             const Authority& issuer);
  Result<AuthorityRecord> PlanDelegate(const Hierarchy& hierarchy, AuthorityKind kind,
                                       const Authority& issuer);
  Result<std::shared_ptr<const SigningKey>> EnsureKey(const Hierarchy& hierarchy,
                                                      const std::string& label);
  using Sign = std::function<Result<Certificate>(RecordedIssuance)>;
  Result<Certificate> RecordAndSign(const AuthorityRecord& planned, PreparedCertificate prepared,
                                    const Sign& sign);
  AuditEvent Event(std::string_view action, std::string subject) const;

  const HierarchyPorts stores_;
  KeyStore& keys_;
  Registry& registry_;
  const StatusDirectory& directory_;
  const Clock& clock_;
  const std::string actor_;
};

}  // namespace ca
