#include "tests/fakes/memory_revocation_store.h"

#include <algorithm>
#include <thread>

#include "ca/base/rules.h"

namespace ca::testing {

Status MemoryRevocationStore::CheckThere() const {
  if (!is_away_) return Ok();
  return Error(StatusCode::kUnavailable, "the database is away; retry");
}

Result<Recorded<RevocationOutcome>> MemoryRevocationStore::Revoke(const RevocationOrder& order,
                                                                  const AuditEvent& event) {
  TRY(CheckThere());
  const std::lock_guard lock(ledger_.mutex_);
  TRY(Carry(order, /*is_preview=*/true).status());
  TRY(events_.UseApproval(event));
  auto outcome = TRY(Carry(order, /*is_preview=*/false));
  AuditEvent told = event;
  told.decision = Decision::kAllowed;
  told.hierarchy = order.hierarchy;
  events_.Add(std::move(told));
  ++ledger_.news_;
  ledger_.news_came_.notify_all();
  return OnRecord(Result<RevocationOutcome>(outcome));
}

Result<RevocationOutcome> MemoryRevocationStore::RevokeSilently(const RevocationOrder& order) {
  const std::lock_guard lock(ledger_.mutex_);
  auto outcome = Carry(order, /*is_preview=*/false);
  ++ledger_.news_;
  ledger_.news_came_.notify_all();
  return outcome;
}

Result<RevocationOutcome> MemoryRevocationStore::Preview(const RevocationOrder& order) {
  TRY(CheckThere());
  const std::lock_guard lock(ledger_.mutex_);
  return Carry(order, /*is_preview=*/true);
}

Result<RevocationOutcome> MemoryRevocationStore::Carry(const RevocationOrder& order,
                                                       bool is_preview) {
  const std::vector<Named> named = NamedBy(order);
  TRY(CheckSingle(order, named));
  RevocationOutcome outcome;
  for (const Named& one : named) {
    const IssuanceRecord& record = one.record;
    if (!is_preview && order.reason == RevocationReason::kKeyCompromise) {
      ledger_.blocked_keys_.insert(record.key_fingerprint);
    }
    if (ledger_.revocations_.contains(record.serial)) {
      ++outcome.already_revoked_count;
      continue;
    }
    ++outcome.revoked_count;
    if (outcome.revoked.size() < RevocationOutcome::kListedMax) {
      outcome.revoked.push_back({record.serial, record.subject, record.validity.not_after});
    }
    if (is_preview) continue;
    ledger_.revocations_.emplace(record.serial, Revocation{
                                                    .serial = record.serial,
                                                    .hierarchy = record.hierarchy,
                                                    .authority = record.authority,
                                                    .shard = record.shard,
                                                    .not_after = record.validity.not_after,
                                                    .revoked_at = order.now,
                                                    .reason = order.reason,
                                                    .invalidity_date = order.invalidity_date,
                                                });
    ledger_.revocation_order_.push_back(record.serial);
  }
  if (const auto* serial = std::get_if<SerialNumber>(&order.target)) {
    const auto standing = ledger_.revocations_.find(*serial);
    if (standing != ledger_.revocations_.end()) outcome.standing = standing->second;
  }
  return outcome;
}

std::vector<MemoryRevocationStore::Named> MemoryRevocationStore::NamedBy(
    const RevocationOrder& order) const {
  if (const auto* serial = std::get_if<SerialNumber>(&order.target)) {
    const auto found = FindBySerial(order.hierarchy, *serial);
    return found ? std::vector<Named>{*found} : std::vector<Named>{};
  }
  const auto* agent = std::get_if<AllOfAgent>(&order.target);
  const auto* authority = std::get_if<AllOfAuthority>(&order.target);
  std::vector<Named> named;
  for (const auto& [serial, issuance] : ledger_.issuances_) {
    const IssuanceRecord& record = issuance.record;
    const bool is_meant =
        agent ? record.subject == agent->agent : record.authority == authority->authority;
    if (is_meant && record.hierarchy == order.hierarchy && record.validity.not_after >= order.now) {
      named.push_back({record, false, issuance.signature.has_value()});
    }
  }
  return named;
}

std::optional<MemoryRevocationStore::Named> MemoryRevocationStore::FindBySerial(
    HierarchyId hierarchy, const SerialNumber& serial) const {
  const auto found = ledger_.issuances_.find(serial);
  if (found != ledger_.issuances_.end() && found->second.record.hierarchy == hierarchy) {
    return Named{found->second.record, false, found->second.signature.has_value()};
  }
  for (const auto& issuance : tables_.Issuances()) {
    if (issuance.record.serial == serial && issuance.record.hierarchy == hierarchy) {
      return Named{issuance.record, issuance.of.kind == AuthorityKind::kRoot, issuance.is_signed};
    }
  }
  return std::nullopt;
}

Status MemoryRevocationStore::CheckSingle(const RevocationOrder& order,
                                          const std::vector<Named>& named) const {
  const auto* serial = std::get_if<SerialNumber>(&order.target);
  if (!serial) return Ok();
  if (named.empty()) {
    return Refusal<kCertificateUnknown>(serial->ToString());
  }
  if (named.front().is_root) {
    return Refusal<kCertificateRoot>(serial->ToString());
  }
  const bool has_expired = named.front().record.validity.not_after < order.now;
  if (!has_expired || ledger_.revocations_.contains(*serial)) return Ok();
  return Refusal<kCertificateExpired>(serial->ToString());
}

// The cursor is how many revocations were read.
Result<std::vector<Revocation>> MemoryRevocationStore::ReadSince(RevocationCursor& cursor,
                                                                 TimePoint live_after) {
  TRY(CheckThere());
  const std::lock_guard lock(ledger_.mutex_);
  const size_t read = cursor.position.empty() ? 0 : std::stoul(cursor.position);
  std::vector<Revocation> revocations;
  for (size_t i = read; i < ledger_.revocation_order_.size(); ++i) {
    const Revocation& revocation = ledger_.revocations_.at(ledger_.revocation_order_[i]);
    if (revocation.not_after >= live_after) revocations.push_back(revocation);
  }
  cursor.position = std::to_string(ledger_.revocation_order_.size());
  return revocations;
}

Status MemoryRevocationStore::AwaitNews(std::chrono::milliseconds patience) {
  if (is_away_) std::this_thread::sleep_for(patience);
  TRY(CheckThere());
  std::unique_lock lock(ledger_.mutex_);
  ledger_.news_came_.wait_for(lock, patience, [this] { return ledger_.news_ != news_seen_; });
  news_seen_ = ledger_.news_;
  return Ok();
}

Result<CertificateStatus> MemoryRevocationStore::FindStatus(HierarchyId hierarchy,
                                                            AuthorityId authority,
                                                            const SerialNumber& serial) {
  ++find_count_;
  TRY(CheckThere());
  const std::lock_guard lock(ledger_.mutex_);
  const auto found = FindBySerial(hierarchy, serial);
  if (!found || found->record.authority != authority) {
    return CertificateStatus(UnknownCertificate{});
  }
  const auto revocation = ledger_.revocations_.find(serial);
  if (revocation != ledger_.revocations_.end()) return CertificateStatus(revocation->second);
  if (found->is_signed) return CertificateStatus(GoodCertificate{});
  return CertificateStatus(UnknownCertificate{});
}

}  // namespace ca::testing
