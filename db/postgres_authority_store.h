#pragma once

#include <memory>

#include "ca/ports/authority_store.h"

namespace db {

class Pool;

class PostgresAuthorityStore final : public ca::AuthorityStore {
 public:
  explicit PostgresAuthorityStore(std::shared_ptr<Pool> pool) : pool_(std::move(pool)) {}

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
  ca::Result<ca::RecordedDecision> ImportCertificate(ca::AuthorityId authority,
                                                     const ca::ExternalCertificate& certificate,
                                                     ca::AuthorityId root,
                                                     const ca::AuditEvent& event) override;
  ca::Result<ca::RecordedDecision> TaintAuthority(ca::AuthorityId authority,
                                                  const std::string& reason,
                                                  const ca::AuditEvent& event) override;
  ca::Result<ca::Recorded<std::int64_t>> RevokeAuthority(ca::AuthorityId authority,
                                                         ca::RevocationReason reason,
                                                         const std::string& note,
                                                         const ca::AuditEvent& event) override;
  ca::Status DecideKeyDestruction(ca::AuthorityId authority, int last_sequence,
                                  std::string_view reason, const ca::AuditEvent& event) override;
  ca::Status RecordKeyDestroyed(ca::AuthorityId authority, const ca::AuditEvent& event) override;

 private:
  const std::shared_ptr<Pool> pool_;
};

}  // namespace db
