#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "ca/base/revocation_reason.h"
#include "ca/issuance/authority.h"
#include "ca/issuance/external_certificate.h"
#include "ca/model/audit_event.h"

namespace ca {

// From when on an issuing authority is the one of its hierarchy that issues, until the next.
struct Activation {
  HierarchyId hierarchy{};
  int sequence = 0;  // in its hierarchy, from 1 on
  AuthorityId authority{};
  TimePoint at;

  friend bool operator==(const Activation&, const Activation&) = default;
};

// One version of what the relying parties of a hierarchy should hold: its roots, to be trusted, and
// its issuing authorities that stand, to be known.
struct TrustBundleRecord {
  HierarchyId hierarchy{};
  int version = 0;                       // in its hierarchy, from 1 on: it grows with every change
  std::vector<AuthorityId> authorities;  // oldest first
  TimePoint published_at;

  bool Has(AuthorityId authority) const {
    return std::find(authorities.begin(), authorities.end(), authority) != authorities.end();
  }

  friend bool operator==(const TrustBundleRecord&, const TrustBundleRecord&) = default;
};

// The end of a hierarchy: decided once, then carried out key by key, until that is on record.
struct HierarchyDestruction {
  Hierarchy hierarchy;
  std::string reason;      // for people
  std::string decided_by;  // who, as in the audit event
  TimePoint decided_at;
  std::int64_t revoked_count = 0;  // of its agents' certificates, those that stood
  // Since when none of its keys is on the token; with `record`, which says so
  // (ca/issuance/signed_record.h).
  std::optional<TimePoint> finished_at;
  Bytes record;

  friend bool operator==(const HierarchyDestruction&, const HierarchyDestruction&) = default;
};

// Hierarchies and their authorities. Thread-safe, blocking. Changes carry their audit event in the
// same transaction. Errors: kUnavailable while the database is away.
class HierarchyStore {
 public:
  virtual ~HierarchyStore() = default;

  // Returns it with its id. kAlreadyExists when tenant/environment or the trust domain is taken by
  // one that is not destroyed, or when there is a system hierarchy already and this is another.
  virtual Result<Hierarchy> CreateHierarchy(const Hierarchy& hierarchy,
                                            const AuditEvent& event) = 0;
  // Those that are not destroyed, oldest first.
  virtual Result<std::vector<Hierarchy>> LoadHierarchies() = 0;
  // From the next certificate on, `standing` is what `wanted` says. Its id stays, and so do the
  // fields of CheckChange(). kAborted when it is not `standing` any more: somebody
  // else changed it; load it again. kFailedPrecondition, rule `profile.in-use`, when agents have a
  // profile that `wanted` has no more.
  virtual Status ChangeHierarchy(const Hierarchy& standing, const Hierarchy& wanted,
                                 const AuditEvent& event) = 0;

  // From then on it issues nothing, gets no more authorities, and its name and trust domain are
  // free for another. In the same transaction everything that its authorities have issued is
  // revoked, for cessationOfOperation. When it was destroyed before, yields how, and records
  // `event` with the rule `replay`. kFailedPrecondition, rule `hierarchy.system`, for the system
  // hierarchy; kNotFound.
  virtual Result<HierarchyDestruction> DestroyHierarchy(HierarchyId hierarchy,
                                                        const std::string& reason,
                                                        const AuditEvent& event) = 0;
  // Of those that are still to be reckoned with, oldest first: until its last key is destroyed and
  // the last of its agents' certificates has ended.
  virtual Result<std::vector<HierarchyDestruction>> LoadDestructions() = 0;
  // Of all that have that name, or of all there are ("" for name), newest first, at most `limit`.
  virtual Result<std::vector<HierarchyDestruction>> FindDestructions(const std::string& name,
                                                                     int limit) = 0;
  // Its keys are gone, and `record` says so, as of the event's time. Ok, with nothing recorded,
  // when that was recorded before: the first record stands. kFailedPrecondition while a key is
  // left.
  virtual Status RecordHierarchyDestroyed(HierarchyId hierarchy, const Bytes& record,
                                          const AuditEvent& event) = 0;

  // Every authority, oldest first; also those that are planned, or recorded and never signed. Of a
  // hierarchy that is destroyed, for as long as LoadDestructions() has it; so are activations and
  // trust bundles.
  virtual Result<std::vector<AuthorityRecord>> LoadAuthorities() = 0;

  // Reserves an id and a key label, before there is a key: whatever is on the token has its plan
  // here, so a crash leaves no orphan key. `issuer` is 0 for a root. A link has the key label of
  // the root of its generation, which is planned before. kAborted when somebody else planned this
  // generation: load the authorities again. kFailedPrecondition, rule `hierarchy.destroyed`.
  virtual Result<AuthorityRecord> PlanAuthority(const Hierarchy& hierarchy, AuthorityKind kind,
                                                int generation, AuthorityId issuer,
                                                const AuditEvent& event) = 0;

  // Record: what the issuer (itself, for a root) is about to sign. When an earlier attempt recorded
  // it already, yields that one instead.
  virtual Result<RecordedIssuance> RecordAuthority(AuthorityId authority,
                                                   PreparedCertificate prepared,
                                                   const AuditEvent& event) = 0;

  // Release: its certificate, which is published from `now` on. Of two signatures the first stands.
  virtual Result<Certificate> RecordAuthorityCertificate(AuthorityId authority,
                                                         const Certificate& certificate,
                                                         TimePoint now) = 0;

  // An external root (AuthorityRecord::IsExternalRoot), with its certificate, which is published
  // from the event's time on. kAborted when there is a root of this generation: load the
  // authorities again. kFailedPrecondition, rule `hierarchy.destroyed`.
  virtual Result<AuthorityRecord> AdoptRoot(const Hierarchy& hierarchy, int generation,
                                            const Bytes& certificate, const AuditEvent& event) = 0;

  // The certificate of an issuing authority that is planned, which somebody else has signed: it is
  // published from the event's time on, under the external root `root`. kAborted when it has one:
  // load the authorities again.
  virtual Status ImportCertificate(AuthorityId authority, const ExternalCertificate& certificate,
                                   AuthorityId root, const AuditEvent& event) = 0;

  // All, of each hierarchy by sequence: the last one says who issues now.
  virtual Result<std::vector<Activation>> LoadActivations() = 0;

  // When it returns, `activation.authority` issues and nobody else does: Ledger::RecordIntent
  // refuses every other. The authority has to have its certificate. kAborted unless the sequence is
  // the next one, and its key stays: somebody else activated another or decided to destroy the key
  // meanwhile; load activations and authorities again.
  virtual Status Activate(const Activation& activation, const AuditEvent& event) = 0;

  // From then on Activate() refuses the authority for ever. Ok, with nothing recorded, when it was
  // tainted before.
  virtual Status TaintAuthority(AuthorityId authority, const std::string& reason,
                                const AuditEvent& event) = 0;
  // The same, and in the same transaction its certificate is revoked for `reason`, and all that it
  // has issued: for `reason` as well. While it is the active one, Ledger::RecordIntent refuses
  // everything. Yields how many certificates of agents it revoked now; may be repeated.
  virtual Result<std::int64_t> RevokeAuthority(AuthorityId authority, RevocationReason reason,
                                               const std::string& note,
                                               const AuditEvent& event) = 0;

  // When it returns, the key of `authority` is to be destroyed, as of the event's time, and
  // Activate() refuses the authority for ever. Ok, with nothing recorded, when that was decided
  // before. kAborted unless `last_sequence` is that of the hierarchy's last activation: somebody
  // activated another meanwhile, who may be this one; load the activations again.
  // kFailedPrecondition, rule `key.in-use`, for the authority that issues now, and for a root with
  // an issuing authority whose key stays; unless their hierarchy is destroyed.
  virtual Status DecideKeyDestruction(AuthorityId authority, int last_sequence,
                                      std::string_view reason, const AuditEvent& event) = 0;

  // The key is gone from the token, as of the event's time. Ok, with nothing recorded, when that
  // was recorded before. kFailedPrecondition when it was not decided.
  virtual Status RecordKeyDestroyed(AuthorityId authority, const AuditEvent& event) = 0;
  // All, of each hierarchy by version: the last one is what is to be held now.
  virtual Result<std::vector<TrustBundleRecord>> LoadTrustBundles() = 0;

  // kAborted unless the version is the next one: somebody else published meanwhile; load again.
  virtual Status PublishTrustBundle(const TrustBundleRecord& bundle, const AuditEvent& event) = 0;

 protected:
  static RecordedIssuance Recorded(PreparedCertificate prepared) {
    return RecordedIssuance(std::move(prepared.record_));
  }
  static RecordedIssuance Recorded(IssuanceRecord found) {
    return RecordedIssuance(std::move(found));
  }
};

}  // namespace ca
