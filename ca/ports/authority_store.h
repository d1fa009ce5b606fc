#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "ca/base/revocation_reason.h"
#include "ca/issuance/authority.h"
#include "ca/issuance/external_certificate.h"
#include "ca/model/audit_event.h"
#include "ca/ports/recorded.h"

namespace ca {

// Authorities, their certificates, and the ends of their keys. Thread-safe, blocking. Each change
// and its audit event are one transaction. Errors: kUnavailable while the database is unavailable.
class AuthorityStore : public RecordsDecisions {
 public:
  virtual ~AuthorityStore() = default;

  // Every authority, oldest first, also if it is only planned, or recorded and never signed. The
  // authorities of a destroyed hierarchy are listed as long as HierarchyStore::LoadDestructions()
  // lists the hierarchy.
  virtual Result<std::vector<AuthorityRecord>> LoadAuthorities() = 0;

  // Reserves an id and a key label before the key is generated: each key on the token has its plan
  // here, so a crash leaves no orphan key. `issuer` is 0 for a root. A cross-certificate (kLink)
  // has the key label of the root of its generation, which must be planned before it. kAborted
  // when another call planned this generation: load the authorities again. kFailedPrecondition,
  // rule `hierarchy.destroyed`.
  virtual Result<AuthorityRecord> PlanAuthority(const Hierarchy& hierarchy, AuthorityKind kind,
                                                int generation, AuthorityId issuer,
                                                const AuditEvent& event) = 0;

  // Record: the certificate that the issuer (for a root, the root itself) is about to sign. If an
  // earlier attempt recorded one, returns that one and records nothing.
  virtual Result<RecordedIssuance> RecordAuthority(AuthorityId authority,
                                                   PreparedCertificate prepared,
                                                   const AuditEvent& event) = 0;

  // Release: the signed certificate, which is published from `now` on. The first of two signatures
  // stands, and is returned.
  virtual Result<Certificate> RecordAuthorityCertificate(AuthorityId authority,
                                                         const Certificate& certificate,
                                                         TimePoint now) = 0;

  // Adds an external root (AuthorityRecord::IsExternalRoot) with its certificate, which is
  // published from the event's time on. kAborted when there is a root of this generation: load the
  // authorities again. kFailedPrecondition, rule `hierarchy.destroyed`.
  virtual Result<AuthorityRecord> AdoptRoot(const Hierarchy& hierarchy, int generation,
                                            const Bytes& certificate, const AuditEvent& event) = 0;

  // Gives a planned issuing authority the certificate that an external CA signed. It is published
  // from the event's time on, under the external root `root`. kAborted when the authority has a
  // certificate: load the authorities again.
  virtual Result<RecordedDecision> ImportCertificate(AuthorityId authority,
                                                     const ExternalCertificate& certificate,
                                                     AuthorityId root, const AuditEvent& event) = 0;

  // From then on ActivationStore::Activate() refuses the authority for ever. A repetition is Ok and
  // records nothing.
  virtual Result<RecordedDecision> TaintAuthority(AuthorityId authority, const std::string& reason,
                                                  const AuditEvent& event) = 0;
  // Taints the authority; the same transaction revokes its certificate and everything that it has
  // issued, for `reason`. While it is the active authority, Ledger::RecordIntent refuses
  // everything. Returns how many certificates of agents this call revoked; may be repeated.
  virtual Result<Recorded<std::int64_t>> RevokeAuthority(AuthorityId authority,
                                                         RevocationReason reason,
                                                         const std::string& note,
                                                         const AuditEvent& event) = 0;

  // Decides that the authority's key is to be destroyed, as of the event's time. From then on
  // ActivationStore::Activate() refuses the authority for ever. A repetition is Ok and records
  // nothing. kAborted unless `last_sequence` is that of the hierarchy's last activation: another
  // call activated an authority, perhaps this one; load the activations again.
  // kFailedPrecondition, rule `key.in-use`, for the active authority, and for a root that has
  // certified an issuing authority whose key stays; neither holds in a destroyed hierarchy.
  virtual Status DecideKeyDestruction(AuthorityId authority, int last_sequence,
                                      std::string_view reason, const AuditEvent& event) = 0;

  // Records that the key is gone from the token, as of the event's time. A repetition is Ok and
  // records nothing. kFailedPrecondition unless the destruction was decided.
  virtual Status RecordKeyDestroyed(AuthorityId authority, const AuditEvent& event) = 0;

 protected:
  // For implementations, once the intent is durable (or was found to be).
  static RecordedIssuance ReadyToSign(PreparedCertificate prepared) {
    return RecordedIssuance(std::move(prepared.record_));
  }
  static RecordedIssuance ReadyToSign(IssuanceRecord found) {
    return RecordedIssuance(std::move(found));
  }
};

}  // namespace ca
