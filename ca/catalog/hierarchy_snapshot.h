#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "ca/base/clock.h"
#include "ca/catalog/authority_view.h"
#include "ca/issuance/authority.h"
#include "ca/ports/activation_store.h"
#include "ca/ports/hierarchy_store.h"

namespace ca {

// The records of one hierarchy, as one reading of the store has them.
struct HierarchyRecords {
  Hierarchy hierarchy;
  std::optional<HierarchyDestruction> destruction;  // none while the hierarchy is not destroyed
  std::vector<AuthorityRecord> authorities;         // of every kind, oldest first
  std::vector<Activation> activations;              // by sequence
  std::vector<TrustBundleRecord> trust_bundles;     // by version

  friend bool operator==(const HierarchyRecords&, const HierarchyRecords&) = default;
};

// The name and key of a root, certified by the root before it (newWithOld of RFC 4210 section 4.4).
struct CrossCertificate {
  AuthorityId root{};    // the newer root, which has this name and key
  AuthorityId issuer{};  // the root before
  Bytes certificate;     // DER
  SerialNumber serial;
  Validity validity;
};

// One hierarchy as it was when its catalog was loaded: its authorities, which of them issues, and
// which roots to trust. Everything is found by index. Immutable and thread-safe; a request that
// holds it by shared_ptr sees one state from beginning to end. References and pointers that it
// gives stay valid as long as it does.
class HierarchySnapshot {
 public:
  using OpenAuthority =
      std::function<Result<std::shared_ptr<const Authority>>(const AuthorityRecord&)>;

  // Opens each root and issuing authority that has a certificate by `open`. Errors: those of
  // `open`; kInvalidArgument when a cross-certificate cannot be parsed.
  static Result<std::shared_ptr<const HierarchySnapshot>> Open(HierarchyRecords records,
                                                               const OpenAuthority& open);

  const HierarchyRecords& records() const { return records_; }
  const Hierarchy& hierarchy() const { return records_.hierarchy; }
  HierarchyId id() const { return records_.hierarchy.id; }
  const std::string& name() const { return name_; }  // acme/prod
  bool is_destroyed() const { return records_.destruction.has_value(); }

  // The roots and issuing authorities that have a certificate, oldest first.
  const std::vector<std::shared_ptr<const Authority>>& authorities() const { return authorities_; }
  // nullptr when the hierarchy has none of that number that has a certificate.
  std::shared_ptr<const Authority> FindAuthority(AuthorityId id) const;
  // The record of an authority of any kind, also of one that is planned. nullptr when there is
  // none.
  const AuthorityRecord* FindRecord(AuthorityId id) const;

  // The OCSP responder or record signer that `issuer` certified last, also one that is planned.
  // nullptr when there is none.
  const AuthorityRecord* NewestDelegate(AuthorityKind kind, AuthorityId issuer) const;

  // Oldest first; the last one says which authority issues now.
  const std::vector<Activation>& activations() const { return records_.activations; }
  // nullptr before the first.
  const Activation* LastActivation() const;
  // The authority that issues now. kFailedPrecondition before the first activation.
  Result<std::shared_ptr<const Authority>> ActiveIssuer() const;
  // When the schedule wants another authority in the place of the active one; at once when that is
  // tainted. None before the first activation.
  std::optional<TimePoint> DueAt() const;

  // Oldest first; the last one is what relying parties should hold now.
  const std::vector<TrustBundleRecord>& trust_bundles() const { return records_.trust_bundles; }
  // nullptr before the first.
  const TrustBundleRecord* NewestTrustBundle() const;

  // DER, oldest first: the roots that a relying party of the hierarchy trusts. These are the roots
  // in its newest trust bundle; before the first bundle, every root.
  const std::vector<Bytes>& Roots() const { return trusted_roots_; }
  // DER, in the order of a TLS handshake: the certificates between a leaf of `issuer` and any root
  // that a relying party may hold. These are the issuing authority itself, then the certificates
  // between it and an external root, or the cross-certificates from its root to each older root
  // that is still trusted. Empty when `issuer` is no issuing authority of the hierarchy.
  const std::vector<Bytes>& Intermediates(AuthorityId issuer) const;
  // DER: the certificates that our own server shows behind its leaf. These are the issuing
  // authority, every cross-certificate, then every root that has not ended: a join token names a
  // root by its fingerprint, and may be older than today's trust bundle.
  std::vector<Bytes> FirstContactChain(AuthorityId issuer, TimePoint now) const;

  // Oldest first.
  const std::vector<CrossCertificate>& cross_certificates() const { return cross_certificates_; }

  // The roots and issuing authorities, also those that are planned, oldest first.
  std::vector<AuthorityView> ViewsAt(TimePoint now) const;
  // The same of one root or issuing authority, without a copy of its record.
  AuthorityTimes TimesOf(const AuthorityRecord& record, TimePoint now) const;
  // kInternal when `id` is no root or issuing authority of the hierarchy.
  Result<AuthorityView> ViewOf(AuthorityId id, TimePoint now) const;

 private:
  explicit HierarchySnapshot(HierarchyRecords records)
      : records_(std::move(records)), name_(records_.hierarchy.Name()) {}

  // The last interval in which an authority was active; `until` is none while it still is.
  struct ActiveTime {
    TimePoint since;
    std::optional<TimePoint> until;
  };

  Status IndexRecords(const OpenAuthority& open);
  Status IndexCrossCertificate(const AuthorityRecord& record);
  void IndexActivations();
  void IndexChains();
  bool IsTrusted(AuthorityId root) const;
  const CrossCertificate* FindCrossCertificate(AuthorityId root) const;
  std::vector<Bytes> ChainFrom(const Authority& issuer,
                               const std::function<bool(const CrossCertificate&)>& may_go_on) const;
  TimePoint DueAt(const AuthorityRecord& active, TimePoint since) const;
  AuthorityView ViewOf(const AuthorityRecord& record, TimePoint now) const;
  void AddActiveTime(AuthorityTimes& times, const AuthorityRecord& record, TimePoint now) const;
  void AddIssuing(AuthorityTimes& root, const AuthorityRecord& record, TimePoint now) const;

  HierarchyRecords records_;
  std::string name_;
  std::unordered_map<AuthorityId, size_t> record_index_;
  std::vector<std::shared_ptr<const Authority>> authorities_;
  std::unordered_map<AuthorityId, size_t> authority_index_;
  std::map<std::pair<AuthorityKind, AuthorityId>, size_t> newest_delegates_;
  std::unordered_map<AuthorityId, std::vector<size_t>> issued_index_;  // issuing ones, by root
  std::vector<CrossCertificate> cross_certificates_;
  std::unordered_map<AuthorityId, size_t> cross_certificate_index_;  // by the newer root
  std::unordered_map<AuthorityId, ActiveTime> active_times_;
  std::vector<Bytes> trusted_roots_;
  std::unordered_map<AuthorityId, std::vector<Bytes>> intermediates_;
};

using HierarchySnapshotPtr = std::shared_ptr<const HierarchySnapshot>;

}  // namespace ca
