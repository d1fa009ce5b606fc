#include "tests/fakes/memory_authority_store.h"

#include <algorithm>

#include "ca/base/random.h"
#include "ca/base/rules.h"

namespace ca::testing {

Result<std::vector<AuthorityRecord>> MemoryAuthorityStore::LoadAuthorities() {
  return tables_.Authorities();
}

Result<AuthorityRecord> MemoryAuthorityStore::PlanAuthority(const Hierarchy& hierarchy,
                                                            AuthorityKind kind, int generation,
                                                            AuthorityId issuer,
                                                            const AuditEvent& event) {
  const std::lock_guard lock(tables_.mutex);
  if (tables_.IsDestroyed(hierarchy.id)) {
    return Refusal<kHierarchyDestroyed>(hierarchy.Name());
  }
  std::string key_label;
  if (kind != AuthorityKind::kLink) {
    key_label =
        fmt::format("{}/{}/{}-{}", hierarchy.Name(), NameOf(kind), generation, Hex(RandomBytes(4)));
  }
  for (const AuthorityRecord& other : tables_.authorities) {
    if (other.hierarchy != hierarchy.id || other.generation != generation) continue;
    if (other.kind == kind) return Error(StatusCode::kAborted, "planned by somebody else");
    if (kind == AuthorityKind::kLink && other.kind == AuthorityKind::kRoot) {
      key_label = other.key_label;
    }
  }
  if (key_label.empty()) return Error(StatusCode::kInternal, "a link to no root");
  TRY(events_.UseApproval(event));
  const auto id = static_cast<AuthorityId>(tables_.authorities.size() + 1);
  AuthorityRecord record{
      .id = id,
      .hierarchy = hierarchy.id,
      .kind = kind,
      .generation = generation,
      .issuer = issuer == AuthorityId{} ? id : issuer,
      .key_label = std::move(key_label),
  };
  tables_.authorities.push_back(record);
  events_.AddIn(hierarchy.id, event);
  return record;
}

Result<RecordedIssuance> MemoryAuthorityStore::RecordAuthority(AuthorityId authority,
                                                               PreparedCertificate prepared,
                                                               const AuditEvent& event) {
  const std::lock_guard lock(tables_.mutex);
  const auto [standing, is_new] = tables_.issuances.try_emplace(authority, prepared.record());
  if (!is_new) return ReadyToSign(standing->second);
  events_.AddIn(prepared.record().hierarchy, event);
  return ReadyToSign(std::move(prepared));
}

Result<Certificate> MemoryAuthorityStore::RecordAuthorityCertificate(AuthorityId authority,
                                                                     const Certificate& certificate,
                                                                     TimePoint now) {
  const std::lock_guard lock(tables_.mutex);
  const auto issuance = tables_.issuances.find(authority);
  if (issuance == tables_.issuances.end()) {
    return Error(StatusCode::kInternal, "signed but never recorded");
  }
  const auto [standing, is_new] = tables_.signatures.try_emplace(
      authority, MemoryHierarchyTables::Signature{certificate.signature, now});
  return Certificate{issuance->second, standing->second.signature};
}

Result<AuthorityRecord> MemoryAuthorityStore::AdoptRoot(const Hierarchy& hierarchy, int generation,
                                                        const Bytes& certificate,
                                                        const AuditEvent& event) {
  const std::lock_guard lock(tables_.mutex);
  if (tables_.IsDestroyed(hierarchy.id)) {
    return Refusal<kHierarchyDestroyed>(hierarchy.Name());
  }
  for (const AuthorityRecord& other : tables_.authorities) {
    if (other.hierarchy != hierarchy.id || other.generation != generation) continue;
    if (other.kind == AuthorityKind::kRoot) return Error(StatusCode::kAborted, "adopted just now");
  }
  const auto id = static_cast<AuthorityId>(tables_.authorities.size() + 1);
  tables_.authorities.push_back({
      .id = id,
      .hierarchy = hierarchy.id,
      .kind = AuthorityKind::kRoot,
      .generation = generation,
      .issuer = id,
      .key_label = "",
      .certificate = certificate,
      .is_imported = true,
      .intermediates = {},
      .published_at = event.at,
  });
  events_.AddIn(hierarchy.id, event);
  return tables_.authorities.back();
}

Result<RecordedDecision> MemoryAuthorityStore::ImportCertificate(
    AuthorityId authority, const ExternalCertificate& certificate, AuthorityId root,
    const AuditEvent& event) {
  const std::lock_guard lock(tables_.mutex);
  AuthorityRecord& record = tables_.Find(authority);
  if (record.is_imported) return Error(StatusCode::kAborted, "imported just now");
  record.certificate = certificate.certificate;
  record.is_imported = true;
  record.intermediates = certificate.intermediates;
  record.issuer = root;
  record.published_at = event.at;
  events_.AddIn(record.hierarchy, event);
  return OnRecord(Ok());
}

Result<RecordedDecision> MemoryAuthorityStore::TaintAuthority(AuthorityId authority,
                                                              const std::string& reason,
                                                              const AuditEvent& event) {
  const std::lock_guard lock(tables_.mutex);
  AuthorityRecord& record = tables_.Find(authority);
  if (record.taint) return OnRecord(Ok());
  record.taint = {reason, event.at, false};
  events_.AddIn(record.hierarchy, event);
  return OnRecord(Ok());
}

Result<Recorded<std::int64_t>> MemoryAuthorityStore::RevokeAuthority(AuthorityId authority,
                                                                     RevocationReason reason,
                                                                     const std::string& note,
                                                                     const AuditEvent& event) {
  AuditEvent told = event;
  AuthorityRecord revoked;
  {
    const std::lock_guard lock(tables_.mutex);
    AuthorityRecord& record = tables_.Find(authority);
    TRY(events_.UseApproval(event));
    if (!record.taint || !record.taint->is_revoked) {
      record.taint = {note, record.taint ? record.taint->at : event.at, true};
    }
    told.hierarchy = record.hierarchy;
    events_.Add(std::move(told));
    revoked = record;
  }
  return OnRecord(Result<std::int64_t>(tables_.RevokeIssued(revoked, reason, event.at)));
}

Status MemoryAuthorityStore::DecideKeyDestruction(AuthorityId authority, int last_sequence,
                                                  std::string_view reason,
                                                  const AuditEvent& event) {
  const std::lock_guard lock(tables_.mutex);
  AuthorityRecord& record = tables_.Find(authority);
  if (record.key_destruction) return Ok();
  if (tables_.IsInUse(record)) {
    return WithCode(StatusCode::kFailedPrecondition, Refusal<kKeyInUse>(record.key_label));
  }
  if (static_cast<int>(tables_.ActivationsOf(record.hierarchy).size()) != last_sequence) {
    return Error(StatusCode::kAborted, "activated by somebody else");
  }
  record.key_destruction = {std::string(reason), event.at, std::nullopt};
  events_.AddIn(record.hierarchy, event);
  return Ok();
}

Status MemoryAuthorityStore::RecordKeyDestroyed(AuthorityId authority, const AuditEvent& event) {
  const std::lock_guard lock(tables_.mutex);
  AuthorityRecord& record = tables_.Find(authority);
  if (!record.key_destruction) return Error(StatusCode::kFailedPrecondition, "not decided");
  if (record.key_destruction->destroyed_at) return Ok();
  record.key_destruction->destroyed_at = event.at;
  events_.AddIn(record.hierarchy, event);
  return Ok();
}

}  // namespace ca::testing
