#include "tests/fakes/memory_ledger.h"

#include <algorithm>

#include "ca/base/rules.h"

namespace ca::testing {

Result<Recorded<std::variant<RecordedIssuance, Certificate>>> MemoryLedger::RecordIntent(
    PreparedCertificate prepared, const Grounds& grounds, const RequestId& request,
    const AuditEvent& event) {
  using Answer = Result<std::variant<RecordedIssuance, Certificate>>;
  const std::lock_guard lock(mutex_);
  const IssuanceRecord& record = prepared.record();
  const auto tell = [&](const SerialNumber& serial, std::string rule) {
    AuditEvent told = event;
    told.decision = Decision::kAllowed;
    told.rule = std::move(rule);
    told.reason.clear();
    told.hierarchy = record.hierarchy;
    told.subject = record.subject.ToString();
    told.serial = serial.ToString();
    told.request_id = request.ToString();
    events_.Add(std::move(told));
  };

  if (const auto first = requests_.find({request, record.agent}); first != requests_.end()) {
    const Issuance& found = issuances_.at(first->second);
    if (found.record.key_fingerprint != record.key_fingerprint) {
      return Refusal<kRequestIdReused>();
    }
    tell(first->second, std::string(kReplay.name));
    if (!found.signature) return OnRecord(Answer(ReadyToSign(found.record)));
    return OnRecord(Answer(Certificate{found.record, *found.signature}));
  }

  const TimePoint now = clock_.Now();
  TRY(Judge(record, grounds, request, now));
  issuances_.emplace(record.serial, Issuance{record, now, std::nullopt});
  requests_.emplace(std::pair(request, record.agent), record.serial);
  tell(record.serial, event.rule);
  return OnRecord(Answer(ReadyToSign(std::move(prepared))));
}

// The use of the token comes last, because nothing takes it back.
Status MemoryLedger::Judge(const IssuanceRecord& record, const Grounds& grounds,
                           const RequestId& request, TimePoint now) {
  TRY(registry_.CheckAgent(record));
  const auto* const invitation = std::get_if<JoinTokenGrounds>(&grounds);
  if (invitation) TRY(registry_.CheckJoinToken(invitation->secret_hash, record, now));
  TRY(JudgeKey(record, grounds, now));
  if (!invitation) return Ok();
  return registry_.UseJoinToken(invitation->secret_hash, record, request, now);
}

Status MemoryLedger::JudgeKey(const IssuanceRecord& record, const Grounds& grounds,
                              TimePoint now) const {
  const auto* const renewal = std::get_if<RenewalGrounds>(&grounds);
  if (renewal && !IsKnown(renewal->presented, record.agent)) {
    return Refusal<kRenewalUnknownCertificate>();
  }
  if (renewal && revocations_.contains(renewal->presented)) {
    return Refusal<kRenewalRevoked>();
  }
  if (blocked_keys_.contains(record.key_fingerprint)) {
    return Refusal<kKeyCompromised>();
  }
  bool is_held = false;
  for (const auto& [serial, other] : issuances_) {
    const bool is_live = other.record.validity.not_after >= now;
    if (!is_live || other.record.key_fingerprint != record.key_fingerprint) continue;
    if (other.record.agent != record.agent) {
      return Refusal<kKeyInUse>("another agent has this key");
    }
    is_held = true;
  }
  if (!renewal || !is_held) return Ok();
  return Refusal<kKeyNotNew>();
}

bool MemoryLedger::IsKnown(const SerialNumber& presented, AgentNumber agent) const {
  const auto found = issuances_.find(presented);
  return found != issuances_.end() && found->second.signature &&
         found->second.record.agent == agent;
}

Result<Certificate> MemoryLedger::RecordCertificate(Certificate certificate) {
  const std::lock_guard lock(mutex_);
  const auto found = issuances_.find(certificate.record.serial);
  if (found == issuances_.end()) {
    return Error(StatusCode::kInternal, "signed but never recorded");
  }
  std::optional<Bytes>& standing = found->second.signature;
  if (!standing) standing = certificate.signature;
  return Certificate{found->second.record, *standing};
}

Result<RecordedDecision> MemoryLedger::RecordEvent(const AuditEvent& event) {
  events_.Add(event);
  return OnRecord(Ok());
}

Result<Certificate> MemoryLedger::FindCertificate(HierarchyId hierarchy,
                                                  const SerialNumber& serial) {
  const std::lock_guard lock(mutex_);
  const auto found = issuances_.find(serial);
  if (found == issuances_.end() || found->second.record.hierarchy != hierarchy ||
      !found->second.signature) {
    return Error(StatusCode::kNotFound, "no certificate has serial {}", serial.ToString());
  }
  return Certificate{found->second.record, *found->second.signature};
}

Result<std::vector<CertificateEntry>> MemoryLedger::ListCertificates(
    const CertificateQuery& query) {
  const std::lock_guard lock(mutex_);
  std::vector<CertificateEntry> page;
  for (auto entry = issuances_.rbegin(); entry != issuances_.rend(); ++entry) {
    if (page.size() >= static_cast<size_t>(query.page_size)) break;
    const auto& [serial, issuance] = *entry;
    const IssuanceRecord& record = issuance.record;
    const bool is_live = issuance.signature && record.validity.not_after >= query.now;
    if (record.hierarchy != query.hierarchy || (query.live_only && !is_live)) continue;
    if (query.page_token && serial >= *query.page_token) continue;
    if (query.subject && record.subject != *query.subject) continue;
    page.push_back({
        .serial = serial,
        .hierarchy = record.hierarchy,
        .subject = record.subject,
        .profile = record.profile,
        .key_fingerprint = record.key_fingerprint,
        .validity = record.validity,
        .recorded_at = issuance.recorded_at,
        .is_signed = issuance.signature.has_value(),
    });
  }
  return page;
}

Result<std::vector<RecordedRequest>> MemoryLedger::ListRequests(const RequestQuery& query) {
  std::vector<RecordedRequest> page;
  std::int64_t sequence = 0;
  for (const AuditEvent& event : events_.All()) {
    const RequestPosition position{event.at, ++sequence};
    const bool is_request = event.action == "Enroll" || event.action == "Renew";
    if (!is_request || event.hierarchy != query.hierarchy || event.rule == kReplay.name) continue;
    if (event.at < query.since || (query.after && position <= *query.after)) continue;
    page.push_back({
        .position = position,
        .operation = event.action == "Enroll" ? Operation::kEnroll : Operation::kRenew,
        .subject = event.subject,
        .decision = event.decision,
        .rule = event.rule,
        .facts = event.request,
    });
  }
  std::ranges::sort(page, {}, &RecordedRequest::position);
  if (page.size() > static_cast<size_t>(query.page_size)) page.resize(query.page_size);
  return page;
}

}  // namespace ca::testing
