#pragma once

#include <memory>

#include "ca/ports/hierarchy_store.h"

namespace db {

struct Endpoint;
class Pool;

class PostgresHierarchyStore final : public ca::HierarchyStore {
 public:
  // Connects when first used.
  explicit PostgresHierarchyStore(const Endpoint& endpoint);
  ~PostgresHierarchyStore() override;

  ca::Result<ca::Hierarchy> CreateHierarchy(const ca::Hierarchy& hierarchy,
                                            const ca::AuditEvent& event) override;
  ca::Result<std::vector<ca::Hierarchy>> LoadHierarchies() override;
  ca::Status ChangeHierarchy(const ca::Hierarchy& standing, const ca::Hierarchy& wanted,
                             const ca::AuditEvent& event) override;
  ca::Result<ca::HierarchyDestruction> DestroyHierarchy(ca::HierarchyId hierarchy,
                                                        const std::string& reason,
                                                        const ca::AuditEvent& event) override;
  ca::Result<std::vector<ca::HierarchyDestruction>> LoadDestructions() override;
  ca::Result<std::vector<ca::HierarchyDestruction>> FindDestructions(const std::string& name,
                                                                     int limit) override;
  ca::Status RecordHierarchyDestroyed(ca::HierarchyId hierarchy, const ca::Bytes& record,
                                      const ca::AuditEvent& event) override;
  ca::Result<std::vector<ca::AuthorityRecord>> LoadAuthorities() override;
  ca::Result<ca::AuthorityRecord> PlanAuthority(const ca::Hierarchy& hierarchy,
                                                ca::AuthorityKind kind, int generation,
                                                ca::AuthorityId issuer,
                                                const ca::AuditEvent& event) override;
  ca::Result<ca::RecordedIssuance> RecordAuthority(ca::AuthorityId authority,
                                                   ca::PreparedCertificate prepared,
                                                   const ca::AuditEvent& event) override;
  ca::Result<ca::Certificate> RecordAuthorityCertificate(ca::AuthorityId authority,
                                                         const ca::Certificate& certificate,
                                                         ca::TimePoint now) override;
  ca::Result<ca::AuthorityRecord> AdoptRoot(const ca::Hierarchy& hierarchy, int generation,
                                            const ca::Bytes& certificate,
                                            const ca::AuditEvent& event) override;
  ca::Status ImportCertificate(ca::AuthorityId authority,
                               const ca::ExternalCertificate& certificate, ca::AuthorityId root,
                               const ca::AuditEvent& event) override;
  ca::Result<std::vector<ca::Activation>> LoadActivations() override;
  ca::Status Activate(const ca::Activation& activation, const ca::AuditEvent& event) override;
  ca::Status TaintAuthority(ca::AuthorityId authority, const std::string& reason,
                            const ca::AuditEvent& event) override;
  ca::Result<std::int64_t> RevokeAuthority(ca::AuthorityId authority, ca::RevocationReason reason,
                                           const std::string& note,
                                           const ca::AuditEvent& event) override;
  ca::Status DecideKeyDestruction(ca::AuthorityId authority, int last_sequence,
                                  std::string_view reason, const ca::AuditEvent& event) override;
  ca::Status RecordKeyDestroyed(ca::AuthorityId authority, const ca::AuditEvent& event) override;
  ca::Result<std::vector<ca::TrustBundleRecord>> LoadTrustBundles() override;
  ca::Status PublishTrustBundle(const ca::TrustBundleRecord& bundle,
                                const ca::AuditEvent& event) override;

 private:
  std::unique_ptr<Pool> pool_;
};

}  // namespace db
