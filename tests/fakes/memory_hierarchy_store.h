#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "ca/ports/hierarchy_store.h"
#include "ca/ports/revocation.h"
#include "tests/fakes/event_log.h"

namespace ca::testing {

// The contract of ca/ports/hierarchy_store.h in memory; what else it promises is in tests/contract.
class MemoryHierarchyStore final : public HierarchyStore {
 public:
  explicit MemoryHierarchyStore(EventLog& events) : events_(events) {}

  Result<Hierarchy> CreateHierarchy(const Hierarchy& hierarchy, const AuditEvent& event) override;
  Result<std::vector<Hierarchy>> LoadHierarchies() override;
  Status ChangeHierarchy(const Hierarchy& standing, const Hierarchy& wanted,
                         const AuditEvent& event) override;
  Result<HierarchyDestruction> DestroyHierarchy(HierarchyId hierarchy, const std::string& reason,
                                                const AuditEvent& event) override;
  Result<std::vector<HierarchyDestruction>> LoadDestructions() override;
  Result<std::vector<HierarchyDestruction>> FindDestructions(const std::string& name,
                                                             int limit) override;
  Status RecordHierarchyDestroyed(HierarchyId hierarchy, const Bytes& record,
                                  const AuditEvent& event) override;
  Result<std::vector<AuthorityRecord>> LoadAuthorities() override;
  Result<AuthorityRecord> PlanAuthority(const Hierarchy& hierarchy, AuthorityKind kind,
                                        int generation, AuthorityId issuer,
                                        const AuditEvent& event) override;
  Result<RecordedIssuance> RecordAuthority(AuthorityId authority, PreparedCertificate prepared,
                                           const AuditEvent& event) override;
  Result<Certificate> RecordAuthorityCertificate(AuthorityId authority,
                                                 const Certificate& certificate,
                                                 TimePoint now) override;
  Result<AuthorityRecord> AdoptRoot(const Hierarchy& hierarchy, int generation,
                                    const Bytes& certificate, const AuditEvent& event) override;
  Status ImportCertificate(AuthorityId authority, const ExternalCertificate& certificate,
                           AuthorityId root, const AuditEvent& event) override;
  Result<std::vector<Activation>> LoadActivations() override;
  Status Activate(const Activation& activation, const AuditEvent& event) override;
  Status TaintAuthority(AuthorityId authority, const std::string& reason,
                        const AuditEvent& event) override;
  Result<std::int64_t> RevokeAuthority(AuthorityId authority, RevocationReason reason,
                                       const std::string& note, const AuditEvent& event) override;
  Status DecideKeyDestruction(AuthorityId authority, int last_sequence, std::string_view reason,
                              const AuditEvent& event) override;
  Status RecordKeyDestroyed(AuthorityId authority, const AuditEvent& event) override;

  // The registry, which shares the database, says which profiles the agents of a hierarchy have.
  using ProfilesInUse = std::function<std::set<std::string>(HierarchyId)>;
  void AskForProfiles(ProfilesInUse profiles) { profiles_in_use_ = std::move(profiles); }
  Result<std::vector<TrustBundleRecord>> LoadTrustBundles() override;
  Status PublishTrustBundle(const TrustBundleRecord& bundle, const AuditEvent& event) override;

  // The first revocation store that shares the database revokes what an authority has issued, or
  // its own certificate, and says how many.
  using RevokeOrder = std::function<Result<RevocationOutcome>(const RevocationOrder&)>;
  void AskToRevoke(RevokeOrder revoke) {
    if (!revoke_) revoke_ = std::move(revoke);
  }

  // For the ledger, which shares the database: kAborted, rule authority.superseded.
  Status CheckActive(HierarchyId hierarchy, AuthorityId authority) const;

  // For the acknowledgement store, which shares the database.
  bool HasTrustBundle(HierarchyId hierarchy, int version) const;

  // For the revocation store, which shares the database: a certificate of a CA or a responder.
  struct Issuance {
    AuthorityRecord of;  // whose certificate it is
    IssuanceRecord record;
    bool is_signed = false;
  };
  std::vector<Issuance> Issuances() const;

 private:
  // The caller holds the lock.
  bool HasCertificate(AuthorityId authority) const;
  std::vector<Activation> ActivationsOf(HierarchyId hierarchy) const;
  AuthorityRecord& Find(AuthorityId authority);
  bool IsInUse(const AuthorityRecord& record) const;
  HierarchyDestruction* FindDestruction(HierarchyId hierarchy);
  bool IsDestroyed(HierarchyId hierarchy) const;
  bool IsRevoked(AuthorityId authority) const;
  // These without the lock, which the revocation store takes.
  std::int64_t RevokeAll(HierarchyId hierarchy, TimePoint now);
  std::int64_t RevokeIssued(const AuthorityRecord& authority, RevocationReason reason,
                            TimePoint now);
  std::vector<AuthorityRecord> Copy() const;

  EventLog& events_;
  mutable std::mutex mutex_;
  std::vector<Hierarchy> hierarchies_;
  std::vector<AuthorityRecord> authorities_;
  std::map<AuthorityId, IssuanceRecord> issuances_;
  struct Signature {
    Bytes signature;
    TimePoint at;
  };
  std::map<AuthorityId, Signature> signatures_;
  std::vector<Activation> activations_;
  ProfilesInUse profiles_in_use_;
  std::vector<TrustBundleRecord> bundles_;
  std::vector<HierarchyDestruction> destructions_;
  RevokeOrder revoke_;
};

}  // namespace ca::testing
