#pragma once

#include <string>
#include <vector>

#include "tests/fakes/memory_hierarchy_tables.h"

namespace ca::testing {

// The contract of ca/ports/authority_store.h in memory. tests/contract tests both implementations.
class MemoryAuthorityStore final : public AuthorityStore {
 public:
  MemoryAuthorityStore(MemoryHierarchyTables& tables, EventLog& events)
      : tables_(tables), events_(events) {}

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
  Result<RecordedDecision> ImportCertificate(AuthorityId authority,
                                             const ExternalCertificate& certificate,
                                             AuthorityId root, const AuditEvent& event) override;
  Result<RecordedDecision> TaintAuthority(AuthorityId authority, const std::string& reason,
                                          const AuditEvent& event) override;
  Result<Recorded<std::int64_t>> RevokeAuthority(AuthorityId authority, RevocationReason reason,
                                                 const std::string& note,
                                                 const AuditEvent& event) override;
  Status DecideKeyDestruction(AuthorityId authority, int last_sequence, std::string_view reason,
                              const AuditEvent& event) override;
  Status RecordKeyDestroyed(AuthorityId authority, const AuditEvent& event) override;

 private:
  MemoryHierarchyTables& tables_;
  EventLog& events_;
};

}  // namespace ca::testing
