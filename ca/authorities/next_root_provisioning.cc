#include "ca/authorities/next_root_provisioning.h"

#include <algorithm>

#include "ca/base/rules.h"

namespace ca {
namespace {

const AuthorityRecord* NewestRoot(const HierarchyRecords& hierarchy) {
  const AuthorityRecord* newest = nullptr;
  for (const AuthorityRecord& record : hierarchy.authorities) {
    if (record.kind == AuthorityKind::kRoot) newest = &record;
  }
  return newest;
}

const AuthorityRecord* Find(const HierarchyRecords& hierarchy, AuthorityKind kind, int generation) {
  const auto& all = hierarchy.authorities;
  const auto found = std::find_if(all.begin(), all.end(), [&](const AuthorityRecord& record) {
    return record.kind == kind && record.generation == generation;
  });
  return found == all.end() ? nullptr : &*found;
}

// Whether an issuing authority under the root was ever active.
bool HasIssued(const HierarchyRecords& hierarchy, const AuthorityRecord& root) {
  const auto& activations = hierarchy.activations;
  const auto& all = hierarchy.authorities;
  return std::any_of(all.begin(), all.end(), [&](const AuthorityRecord& record) {
    if (record.kind != AuthorityKind::kIssuing || record.issuer != root.id) return false;
    return std::any_of(activations.begin(), activations.end(),
                       [&](const Activation& a) { return a.authority == record.id; });
  });
}

bool IsValidRoot(const AuthorityRecord& record, TimePoint now) {
  if (record.kind != AuthorityKind::kRoot) return false;
  const auto parsed = ParseX509(record.certificate);
  if (!parsed.ok()) return false;
  const auto until = TimeOf(X509_get0_notAfter(parsed->get()));
  return until.ok() && now < *until;
}

}  // namespace

Result<std::optional<int>> NextRootProvisioning::GenerationToPlan(
    const HierarchyRecords& hierarchy) const {
  const std::string name = hierarchy.hierarchy.Name();
  if (hierarchy.hierarchy.HasExternalRoot()) {
    return Refusal<kAuthorityRootExternal>(name);
  }
  const AuthorityRecord* const newest = NewestRoot(hierarchy);
  if (newest && !HasIssued(hierarchy, *newest)) return std::optional<int>();
  const auto& all = hierarchy.authorities;
  const TimePoint now = maker_.Now();
  const auto valid = std::count_if(all.begin(), all.end(), [&](const AuthorityRecord& record) {
    return IsValidRoot(record, now);
  });
  if (valid > kLinksMax) {
    return Refusal<kAuthorityRootsOverlap>(name, valid);
  }
  return std::optional(newest ? newest->generation + 1 : 1);
}

Result<AuthorityRecord> NextRootProvisioning::EnsureNextRoot(
    const HierarchyRecords& hierarchy, const std::string& actor,
    const std::shared_ptr<const AuditEvent>& approval_use) const {
  const std::optional<int> generation = TRY(GenerationToPlan(hierarchy));
  auto planned = generation ? maker_.Plan(hierarchy.hierarchy, AuthorityKind::kRoot, *generation,
                                          AuthorityId{}, actor, approval_use)
                            : Result<AuthorityRecord>(*NewestRoot(hierarchy));
  AuthorityRecord root = TRY(std::move(planned));
  if (!root.certificate.empty()) return root;
  const auto key = TRY(maker_.EnsureKey(hierarchy.hierarchy, root.key_label));
  // The cross-certificate comes first, so that each published root has one.
  TRY(EnsureCrossCertificate(hierarchy, root, *key, actor));
  return maker_.CertifyRoot(hierarchy.hierarchy, std::move(root), *key, actor);
}

Status NextRootProvisioning::EnsureCrossCertificate(const HierarchyRecords& hierarchy,
                                                    const AuthorityRecord& root,
                                                    const SigningKey& root_key,
                                                    const std::string& actor) const {
  const AuthorityRecord* const before = Find(hierarchy, AuthorityKind::kRoot, root.generation - 1);
  if (!before) return Ok();
  const AuthorityRecord* const found = Find(hierarchy, AuthorityKind::kLink, root.generation);
  auto planned = found ? Result<AuthorityRecord>(*found)
                       : maker_.Plan(hierarchy.hierarchy, AuthorityKind::kLink, root.generation,
                                     before->id, actor);
  AuthorityRecord cross = TRY(std::move(planned));
  if (!cross.certificate.empty()) return Ok();
  const auto signer = TRY(maker_.Open(*before));
  auto prepared = TRY(signer->PrepareLink(hierarchy.hierarchy, root, root_key,
                                          maker_.PointersOf(before->id), maker_.Now()));
  return maker_.Certify(std::move(cross), std::move(prepared), *signer, actor).status();
}

}  // namespace ca
