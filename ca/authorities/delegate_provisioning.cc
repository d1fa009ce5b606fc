#include "ca/authorities/delegate_provisioning.h"

#include <algorithm>

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

Result<std::shared_ptr<const Authority>> DelegateProvisioning::EnsureResponder(
    const HierarchySnapshot& hierarchy, const Authority& issuer, const std::string& actor) const {
  return Ensure(
      hierarchy, AuthorityKind::kResponder, issuer,
      [&](const AuthorityRecord& planned, const SigningKey& key) {
        return issuer.PrepareResponder(hierarchy.hierarchy(), planned, key, maker_.Now());
      },
      actor);
}

Result<std::shared_ptr<const Authority>> DelegateProvisioning::EnsureRecorder(
    const HierarchySnapshot& system, const std::string& actor) const {
  const AuthorityRecord* newest = nullptr;
  for (const AuthorityRecord& record : system.records().authorities) {
    const bool is_root = record.kind == AuthorityKind::kRoot;
    if (is_root && !record.certificate.empty() && !record.key_destruction) newest = &record;
  }
  if (!newest) {
    return Error(StatusCode::kFailedPrecondition, "{} has no root that could have a recorder",
                 system.name());
  }
  const auto root = TRY(maker_.Open(*newest));
  return Ensure(
      system, AuthorityKind::kRecorder, *root,
      [&](const AuthorityRecord& planned, const SigningKey& key) {
        return root->PrepareRecorder(system.hierarchy(), planned, key,
                                     maker_.PointersOf(root->id()), maker_.Now());
      },
      actor);
}

// The newest one that need not be renewed yet, one that was interrupted, or the next generation.
Result<std::shared_ptr<const Authority>> DelegateProvisioning::Ensure(
    const HierarchySnapshot& hierarchy, AuthorityKind kind, const Authority& issuer,
    const Prepare& prepare, const std::string& actor) const {
  const AuthorityRecord* const newest = hierarchy.NewestDelegate(kind, issuer.id());
  const bool is_usable = newest && !newest->key_destruction;
  if (is_usable && newest->certificate.empty()) {
    return Make(hierarchy.hierarchy(), *newest, issuer, prepare, actor);
  }
  if (is_usable && IsFresh(newest->certificate, maker_.Now())) {
    auto key = maker_.FindKey(newest->key_label);
    if (key.ok()) return Authority::Open(*newest, *std::move(key));
    if (key.status().code() != StatusCode::kNotFound) return key.status();
    // Its key is lost: another one takes its place.
  }
  AuthorityRecord planned = TRY(PlanNext(hierarchy, kind, issuer, actor));
  return Make(hierarchy.hierarchy(), std::move(planned), issuer, prepare, actor);
}

Result<AuthorityRecord> DelegateProvisioning::PlanNext(const HierarchySnapshot& hierarchy,
                                                       AuthorityKind kind, const Authority& issuer,
                                                       const std::string& actor) const {
  int generation = 1;
  for (const AuthorityRecord& record : hierarchy.records().authorities) {
    if (record.kind == kind) generation = std::max(generation, record.generation + 1);
  }
  return maker_.Plan(hierarchy.hierarchy(), kind, generation, issuer.id(), actor);
}

Result<std::shared_ptr<const Authority>> DelegateProvisioning::Make(
    const Hierarchy& hierarchy, AuthorityRecord planned, const Authority& issuer,
    const Prepare& prepare, const std::string& actor) const {
  auto key = TRY(maker_.EnsureKey(hierarchy, planned.key_label));
  auto prepared = TRY(prepare(planned, *key));
  const AuthorityRecord made =
      TRY(maker_.Certify(std::move(planned), std::move(prepared), issuer, actor));
  return Authority::Open(made, std::move(key));
}

}  // namespace ca
