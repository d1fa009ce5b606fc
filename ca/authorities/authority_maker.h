#pragma once

#include <functional>
#include <memory>
#include <string>

#include "ca/base/clock.h"
#include "ca/catalog/status_directory.h"
#include "ca/issuance/key_store.h"
#include "ca/ports/hierarchy_ports.h"

namespace ca {

// Whether `keys` has the keys of the hierarchy on the token that its file pins.
// kFailedPrecondition, rule `hierarchy.token`, with both tokens and the fix.
Status CheckToken(const Hierarchy& hierarchy, const KeyStore& keys);

// The four steps by which every authority comes to be, of whatever kind: plan, key, record,
// signature. Each step may be interrupted and repeated, by several processes at once: a step that
// is done is found done. The plan comes before the key, so a crash leaves no key that no record
// knows. Thread-safe; calls block. `actor` is in the audit events.
class AuthorityMaker {
 public:
  // Everything outlives it.
  AuthorityMaker(const HierarchyPorts& stores, KeyStore& keys, const StatusDirectory& directory,
                 const Clock& clock)
      : stores_(stores), keys_(keys), directory_(directory), clock_(clock) {}

  const HierarchyPorts& stores() const { return stores_; }
  TimePoint Now() const { return clock_.Now(); }
  StatusPointers PointersOf(AuthorityId issuer) const { return directory_.For(issuer); }

  // Reserves an id and a key label. Errors: those of AuthorityStore::PlanAuthority; kAborted means
  // that another process has planned this generation. `approval_use` is recorded with the plan.
  Result<AuthorityRecord> Plan(
      const Hierarchy& hierarchy, AuthorityKind kind, int generation, AuthorityId issuer,
      const std::string& actor,
      const std::shared_ptr<const AuditEvent>& approval_use = nullptr) const;

  // The key of a plan, generated now or by an attempt that was interrupted. Errors: those of
  // CheckToken() and of KeyStore::Generate().
  Result<std::shared_ptr<const SigningKey>> EnsureKey(const Hierarchy& hierarchy,
                                                      const std::string& label) const;
  // kNotFound when the key is lost; kUnavailable while the token is unavailable.
  Result<std::shared_ptr<const SigningKey>> FindKey(const std::string& label) const {
    return keys_.Find(label);
  }
  Status CheckToken(const Hierarchy& hierarchy) const { return ca::CheckToken(hierarchy, keys_); }

  // An authority that has its certificate, with its key.
  Result<std::shared_ptr<const Authority>> Open(const AuthorityRecord& record) const;

  // Records the intent, signs it by `sign`, and records the certificate. Yields `planned` with its
  // certificate: of two signatures the first one that is recorded.
  using Sign = std::function<Result<Certificate>(RecordedIssuance)>;
  Result<AuthorityRecord> Certify(AuthorityRecord planned, PreparedCertificate prepared,
                                  const Sign& sign, const std::string& actor) const;
  Result<AuthorityRecord> Certify(AuthorityRecord planned, PreparedCertificate prepared,
                                  const Authority& issuer, const std::string& actor) const;
  // A root, which `key` signs itself.
  Result<AuthorityRecord> CertifyRoot(const Hierarchy& hierarchy, AuthorityRecord planned,
                                      const SigningKey& key, const std::string& actor) const;

  AuditEvent Event(std::string_view action, std::string subject, const std::string& actor) const;

 private:
  const HierarchyPorts stores_;
  KeyStore& keys_;
  const StatusDirectory& directory_;
  const Clock& clock_;
};

}  // namespace ca
