// Of ca/authorities/provisioning.h: responders and recorders.

#include <algorithm>

#include "ca/authorities/provisioning.h"

namespace ca {
namespace {

// Whether a certificate has not yet passed half its life.
bool IsFresh(BytesView certificate, TimePoint now) {
  const auto parsed = ParseX509(certificate);
  if (!parsed.ok()) return false;
  const auto half_life = HalfLifeOf(parsed->get());
  return half_life.ok() && now < *half_life;
}

}  // namespace

Result<std::shared_ptr<const Authority>> Provisioning::EnsureResponder(const Hierarchy& hierarchy,
                                                                       const Authority& issuer) {
  return EnsureDelegate(hierarchy, AuthorityKind::kResponder, issuer,
                        [&](const AuthorityRecord& planned, const SigningKey& key) {
                          return issuer.PrepareResponder(hierarchy, planned, key, clock_.Now());
                        });
}

Result<std::shared_ptr<const Authority>> Provisioning::EnsureRecorder(const Hierarchy& system) {
  std::optional<AuthorityRecord> newest;
  const std::vector<AuthorityRecord> records = TRY(stores_.authorities.LoadAuthorities());
  for (const AuthorityRecord& record : records) {
    const bool is_root = record.hierarchy == system.id && record.kind == AuthorityKind::kRoot;
    if (is_root && !record.certificate.empty() && !record.key_destruction) newest = record;
  }
  if (!newest) {
    return Error(StatusCode::kFailedPrecondition, "{} has no root that could have a recorder",
                 system.Name());
  }
  auto root_key = TRY(keys_.Find(newest->key_label));
  const auto root = TRY(Authority::Open(*newest, std::move(root_key)));
  return EnsureDelegate(system, AuthorityKind::kRecorder, *root,
                        [&](const AuthorityRecord& planned, const SigningKey& key) {
                          return root->PrepareRecorder(system, planned, key,
                                                       directory_.For(root->id()), clock_.Now());
                        });
}

Result<std::shared_ptr<const Authority>> Provisioning::EnsureDelegate(
    const Hierarchy& hierarchy, AuthorityKind kind, const Authority& issuer,
    const PrepareDelegate& prepare) {
  AuthorityRecord record = TRY(EnsureDelegatePlan(hierarchy, kind, issuer));
  if (!record.certificate.empty()) {
    auto found = keys_.Find(record.key_label);
    if (found.ok()) return Authority::Open(record, *std::move(found));
    if (found.status().code() != StatusCode::kNotFound) return found.status();
    // Its key is lost. Another one makes good for it.
    record = TRY(PlanDelegate(hierarchy, kind, issuer));
  }
  auto key = TRY(EnsureKey(hierarchy, record.key_label));
  auto prepared = TRY(prepare(record, *key));
  const Certificate certificate =
      TRY(RecordAndSign(record, std::move(prepared), [&](RecordedIssuance recorded) {
        return issuer.Sign(std::move(recorded));
      }));
  record.certificate = certificate.Der();
  return Authority::Open(record, std::move(key));
}

// The newest that need not be renewed yet, one that was interrupted, or the next generation.
Result<AuthorityRecord> Provisioning::EnsureDelegatePlan(const Hierarchy& hierarchy,
                                                         AuthorityKind kind,
                                                         const Authority& issuer) {
  const std::vector<AuthorityRecord> records = TRY(stores_.authorities.LoadAuthorities());
  std::optional<AuthorityRecord> newest;
  for (const AuthorityRecord& record : records) {
    if (record.kind == kind && record.issuer == issuer.id()) newest = record;
  }
  if (newest && !newest->key_destruction &&
      (newest->certificate.empty() || IsFresh(newest->certificate, clock_.Now()))) {
    return *std::move(newest);
  }
  return PlanDelegate(hierarchy, kind, issuer);
}

Result<AuthorityRecord> Provisioning::PlanDelegate(const Hierarchy& hierarchy, AuthorityKind kind,
                                                   const Authority& issuer) {
  const std::vector<AuthorityRecord> records = TRY(stores_.authorities.LoadAuthorities());
  int generation = 1;
  for (const AuthorityRecord& record : records) {
    if (record.hierarchy != hierarchy.id || record.kind != kind) continue;
    generation = std::max(generation, record.generation + 1);
  }
  return stores_.authorities.PlanAuthority(
      hierarchy, kind, generation, issuer.id(),
      Event("PlanAuthority", fmt::format("{}/{}/{}", hierarchy.Name(), NameOf(kind), generation)));
}

}  // namespace ca
