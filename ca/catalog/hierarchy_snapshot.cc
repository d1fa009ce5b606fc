#include "ca/catalog/hierarchy_snapshot.h"

#include <algorithm>

#include "ca/base/asn1.h"

namespace ca {
namespace {

Result<CrossCertificate> ParseCrossCertificate(const AuthorityRecord& record, AuthorityId root) {
  const X509Ptr x509 = TRY(ParseX509(record.certificate));
  SerialNumber serial = TRY(SerialNumber::FromBytes(OctetsOf(X509_get0_serialNumber(x509.get()))));
  Validity validity;
  validity.not_before = TRY(TimeOf(X509_get0_notBefore(x509.get())));
  validity.not_after = TRY(TimeOf(X509_get0_notAfter(x509.get())));
  return CrossCertificate{root, record.issuer, record.certificate, std::move(serial), validity};
}

}  // namespace

// ---- opening ------------------------------------------------------------------------------------

Result<std::shared_ptr<const HierarchySnapshot>> HierarchySnapshot::Open(
    HierarchyRecords records, const OpenAuthority& open) {
  std::shared_ptr<HierarchySnapshot> snapshot(new HierarchySnapshot(std::move(records)));
  TRY(snapshot->IndexRecords(open));
  snapshot->IndexActivations();
  snapshot->IndexChains();
  return snapshot;
}

Status HierarchySnapshot::IndexRecords(const OpenAuthority& open) {
  for (size_t i = 0; i < records_.authorities.size(); ++i) {
    const AuthorityRecord& record = records_.authorities[i];
    record_index_.emplace(record.id, i);
    if (record.kind == AuthorityKind::kIssuing) issued_index_[record.issuer].push_back(i);
    if (IsDelegate(record.kind)) newest_delegates_[{record.kind, record.issuer}] = i;
    if (record.certificate.empty() || IsDelegate(record.kind)) continue;
    if (record.kind == AuthorityKind::kLink) {
      TRY(IndexCrossCertificate(record));
      continue;
    }
    auto authority = TRY(open(record));
    authority_index_.emplace(record.id, authorities_.size());
    authorities_.push_back(std::move(authority));
  }
  return Ok();
}

// Its root is planned before it, so it stands among the records; it may have no certificate yet.
Status HierarchySnapshot::IndexCrossCertificate(const AuthorityRecord& record) {
  for (const AuthorityRecord& root : records_.authorities) {
    if (root.kind != AuthorityKind::kRoot || root.generation != record.generation) continue;
    CrossCertificate parsed = TRY(ParseCrossCertificate(record, root.id));
    cross_certificate_index_.emplace(root.id, cross_certificates_.size());
    cross_certificates_.push_back(std::move(parsed));
    break;
  }
  return Ok();
}

void HierarchySnapshot::IndexActivations() {
  AuthorityId active{};
  for (const Activation& activation : records_.activations) {
    if (activation.authority == active) continue;
    if (const auto before = active_times_.find(active); before != active_times_.end()) {
      before->second.until = activation.at;
    }
    active_times_[activation.authority] = {activation.at, std::nullopt};
    active = activation.authority;
  }
}

void HierarchySnapshot::IndexChains() {
  for (const auto& authority : authorities_) {
    if (authority->kind() == AuthorityKind::kRoot) {
      if (IsTrusted(authority->id())) trusted_roots_.push_back(authority->certificate());
      continue;
    }
    intermediates_[authority->id()] = ChainFrom(*authority, [&](const CrossCertificate& cross) {
      return FindAuthority(cross.issuer) && IsTrusted(cross.issuer);
    });
  }
}

// ---- authorities --------------------------------------------------------------------------------

std::shared_ptr<const Authority> HierarchySnapshot::FindAuthority(AuthorityId id) const {
  const auto found = authority_index_.find(id);
  return found == authority_index_.end() ? nullptr : authorities_[found->second];
}

const AuthorityRecord* HierarchySnapshot::FindRecord(AuthorityId id) const {
  const auto found = record_index_.find(id);
  return found == record_index_.end() ? nullptr : &records_.authorities[found->second];
}

const AuthorityRecord* HierarchySnapshot::NewestDelegate(AuthorityKind kind,
                                                         AuthorityId issuer) const {
  const auto found = newest_delegates_.find({kind, issuer});
  return found == newest_delegates_.end() ? nullptr : &records_.authorities[found->second];
}

const Activation* HierarchySnapshot::LastActivation() const {
  return records_.activations.empty() ? nullptr : &records_.activations.back();
}

Result<std::shared_ptr<const Authority>> HierarchySnapshot::ActiveIssuer() const {
  const Activation* const last = LastActivation();
  if (!last) {
    return Error(StatusCode::kFailedPrecondition, "hierarchy {} has no issuing authority", name_);
  }
  if (auto active = FindAuthority(last->authority)) return active;
  return Error(StatusCode::kNotFound, "no authority of {} has the number {}", name_,
               static_cast<std::int64_t>(last->authority));
}

std::optional<TimePoint> HierarchySnapshot::DueAt() const {
  const Activation* const last = LastActivation();
  const AuthorityRecord* const active = last ? FindRecord(last->authority) : nullptr;
  return active ? std::optional(DueAt(*active, last->at)) : std::nullopt;
}

// The schedule may have been lengthened since the authority was made, which still ends when it
// does.
TimePoint HierarchySnapshot::DueAt(const AuthorityRecord& active, TimePoint since) const {
  TimePoint due = since + hierarchy().rotate_every;
  if (const auto authority = FindAuthority(active.id)) {
    due = std::min<TimePoint>(due, authority->validity().not_after - hierarchy().LongestLifetime());
  }
  if (active.taint) due = std::min(due, active.taint->at);
  return due;
}

// ---- chains -------------------------------------------------------------------------------------

const TrustBundleRecord* HierarchySnapshot::NewestTrustBundle() const {
  return records_.trust_bundles.empty() ? nullptr : &records_.trust_bundles.back();
}

bool HierarchySnapshot::IsTrusted(AuthorityId root) const {
  const TrustBundleRecord* const bundle = NewestTrustBundle();
  return !bundle || bundle->Has(root);
}

const std::vector<Bytes>& HierarchySnapshot::Intermediates(AuthorityId issuer) const {
  static const std::vector<Bytes> kNone;
  const auto found = intermediates_.find(issuer);
  return found == intermediates_.end() ? kNone : found->second;
}

// The cross-certificates come before the roots: if two certificates have one name and key, a
// verifier takes the first, and a root that it does not trust would be its chain's end.
std::vector<Bytes> HierarchySnapshot::FirstContactChain(AuthorityId issuer, TimePoint now) const {
  std::vector<Bytes> chain;
  const auto found = FindAuthority(issuer);
  if (!found) return chain;
  if (found->kind() != AuthorityKind::kRoot) {
    chain = ChainFrom(
        *found, [&](const CrossCertificate& cross) { return now < cross.validity.not_after; });
  }
  for (const auto& authority : authorities_) {
    const bool is_root = authority->kind() == AuthorityKind::kRoot;
    if (is_root && now < authority->validity().not_after) {
      chain.push_back(authority->certificate());
    }
  }
  return chain;
}

const CrossCertificate* HierarchySnapshot::FindCrossCertificate(AuthorityId root) const {
  const auto found = cross_certificate_index_.find(root);
  return found == cross_certificate_index_.end() ? nullptr : &cross_certificates_[found->second];
}

// From `issuer` to older and older roots, for as long as `may_go_on`.
std::vector<Bytes> HierarchySnapshot::ChainFrom(
    const Authority& issuer, const std::function<bool(const CrossCertificate&)>& may_go_on) const {
  std::vector<Bytes> chain = {issuer.certificate()};
  chain.insert(chain.end(), issuer.intermediates().begin(), issuer.intermediates().end());
  const CrossCertificate* cross = FindCrossCertificate(issuer.issuer());
  while (cross && may_go_on(*cross)) {
    chain.push_back(cross->certificate);
    cross = FindCrossCertificate(cross->issuer);
  }
  return chain;
}

// ---- views --------------------------------------------------------------------------------------

std::vector<AuthorityView> HierarchySnapshot::ViewsAt(TimePoint now) const {
  std::vector<AuthorityView> views;
  for (const AuthorityRecord& record : records_.authorities) {
    const bool is_ca =
        record.kind == AuthorityKind::kRoot || record.kind == AuthorityKind::kIssuing;
    if (is_ca) views.push_back(ViewOf(record, now));
  }
  return views;
}

Result<AuthorityView> HierarchySnapshot::ViewOf(AuthorityId id, TimePoint now) const {
  const AuthorityRecord* const record = FindRecord(id);
  const bool is_ca =
      record && (record->kind == AuthorityKind::kRoot || record->kind == AuthorityKind::kIssuing);
  if (is_ca) return ViewOf(*record, now);
  return Error(StatusCode::kInternal, "{} has no root or issuing authority with the number {}",
               name_, static_cast<std::int64_t>(id));
}

AuthorityView HierarchySnapshot::ViewOf(const AuthorityRecord& record, TimePoint now) const {
  AuthorityView view;
  static_cast<AuthorityTimes&>(view) = TimesOf(record, now);
  view.record = record;
  view.name = NameOf(hierarchy(), record);
  view.hierarchy = name_;
  return view;
}

AuthorityTimes HierarchySnapshot::TimesOf(const AuthorityRecord& record, TimePoint now) const {
  AuthorityTimes times{.state = AuthorityState::kPending};
  if (const auto found = authority_index_.find(record.id); found != authority_index_.end()) {
    times.state = AuthorityState::kPublished;
    times.validity = authorities_[found->second]->validity();
    if (record.kind == AuthorityKind::kIssuing) AddActiveTime(times, record, now);
    if (record.kind == AuthorityKind::kRoot) AddIssuing(times, record, now);
  }
  if (record.key_destruction) times.state = AuthorityState::kKeyDestroyed;
  return times;
}

void HierarchySnapshot::AddActiveTime(AuthorityTimes& times, const AuthorityRecord& record,
                                      TimePoint now) const {
  const auto active = active_times_.find(record.id);
  if (active == active_times_.end()) return;
  const auto& [since, until] = active->second;
  times.active_since = since;
  times.active_until = until.value_or(DueAt(record, since));
  times.retiring_until = std::min<TimePoint>(*times.active_until + hierarchy().LongestLifetime(),
                                             times.validity->not_after);
  if (!until) {
    times.state = AuthorityState::kActive;
  } else {
    times.state =
        now <= *times.retiring_until ? AuthorityState::kRetiring : AuthorityState::kRetired;
  }
}

// The state of a root follows from the states of the issuing authorities under it.
void HierarchySnapshot::AddIssuing(AuthorityTimes& root, const AuthorityRecord& record,
                                   TimePoint now) const {
  const auto issued = issued_index_.find(record.id);
  if (issued == issued_index_.end()) return;
  bool is_active = false;
  bool all_over = true;
  for (const size_t i : issued->second) {
    const AuthorityTimes issuing = TimesOf(records_.authorities[i], now);
    is_active = is_active || issuing.state == AuthorityState::kActive;
    all_over = all_over && IsOver(issuing.state);
    if (!issuing.active_since) continue;
    root.active_since =
        std::min(root.active_since.value_or(*issuing.active_since), *issuing.active_since);
  }
  if (!root.active_since) return;
  root.state = is_active  ? AuthorityState::kActive
               : all_over ? AuthorityState::kRetired
                          : AuthorityState::kRetiring;
}

}  // namespace ca
