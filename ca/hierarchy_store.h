#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ca/audit_event.h"
#include "ca/issuance.h"

namespace ca {

enum class AuthorityKind { kRoot, kIssuing };

// An authority as the ledger knows it. Without `certificate_der` its signing never happened.
struct AuthorityRecord {
  AuthorityId id{};
  HierarchyId hierarchy{};
  AuthorityKind kind{};
  std::string key_label;  // on the token: acme/prod/root/1
  Bytes certificate_der;
};

// Hierarchies and their authorities. Thread-safe, blocking. Changes carry their audit event in the
// same transaction. Errors: kUnavailable while the database is away.
class HierarchyStore {
 public:
  virtual ~HierarchyStore() = default;

  // Returns it with its id. kAlreadyExists when tenant/environment or the trust domain is taken.
  virtual Result<Hierarchy> CreateHierarchy(const Hierarchy& hierarchy,
                                            const AuditEvent& event) = 0;
  virtual Result<std::vector<Hierarchy>> LoadHierarchies() = 0;

  // Every authority, oldest first.
  virtual Result<std::vector<AuthorityRecord>> LoadAuthorities() = 0;
  // The id that the next authority will have; a gap is harmless.
  virtual Result<AuthorityId> NextAuthorityId() = 0;
  // Record: the authority with what its issuer (itself, for a root) is about to sign.
  virtual Result<RecordedIssuance> RecordAuthority(PreparedCertificate prepared, AuthorityKind kind,
                                                   const std::string& key_label,
                                                   const AuditEvent& event) = 0;
  // Release: its certificate. kAlreadyExists when it has one.
  virtual Status RecordAuthorityCertificate(const Certificate& certificate) = 0;

 protected:
  static RecordedIssuance Recorded(PreparedCertificate prepared) {
    return RecordedIssuance(std::move(prepared.record_));
  }
};

}  // namespace ca
