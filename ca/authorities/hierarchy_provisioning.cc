#include "ca/authorities/hierarchy_provisioning.h"

#include <algorithm>

#include "ca/catalog/catalog.h"
#include "ca/model/hierarchy_fields.h"

namespace ca {
namespace {

// It would end before the certificates that it is to issue, so it never issues. That is asked of
// imported authorities only: under a root of ours, another authority would end with the root too.
bool EndsTooEarly(const AuthorityRecord& record, const Hierarchy& hierarchy, TimePoint now) {
  if (!record.is_imported) return false;
  const auto parsed = ParseX509(record.certificate);
  if (!parsed.ok()) return false;
  const auto end = TimeOf(X509_get0_notAfter(parsed->get()));
  return end.ok() && *end < now + hierarchy.LongestLifetime();
}

// The path of the first field in which the two differ; "" if there is none.
std::string Difference(const Hierarchy& standing, const Hierarchy& wanted) {
  if (standing.is_system != wanted.is_system) return "is_system";
  for (const FieldChange& change : ChangesOf(HierarchyDeclaration{standing, {}}, {wanted, {}})) {
    // The approvals of the system hierarchy are the configuration's, and `init` applies them.
    if (wanted.is_system && change.field.starts_with("approvals.")) continue;
    return change.field;
  }
  return "";
}

std::optional<HierarchyRecords> FindNamed(std::vector<HierarchyRecords> all,
                                          const std::string& name) {
  for (HierarchyRecords& each : all) {
    if (!each.destruction && each.hierarchy.Name() == name) return std::move(each);
  }
  return std::nullopt;
}

const AuthorityRecord* FindOfKind(const HierarchyRecords& hierarchy, AuthorityKind kind) {
  const auto& all = hierarchy.authorities;
  const auto found = std::find_if(
      all.begin(), all.end(), [&](const AuthorityRecord& record) { return record.kind == kind; });
  return found == all.end() ? nullptr : &*found;
}

const AuthorityRecord* FindExternalRoot(const HierarchyRecords& hierarchy,
                                        const Bytes& certificate) {
  const auto& all = hierarchy.authorities;
  const auto found = std::find_if(all.begin(), all.end(), [&](const AuthorityRecord& record) {
    return record.kind == AuthorityKind::kRoot && record.certificate == certificate;
  });
  return found == all.end() ? nullptr : &*found;
}

int NextGeneration(const HierarchyRecords& hierarchy, AuthorityKind kind) {
  int next = 1;
  for (const AuthorityRecord& record : hierarchy.authorities) {
    if (record.kind == kind) next = std::max(next, record.generation + 1);
  }
  return next;
}

}  // namespace

Result<Hierarchy> HierarchyProvisioning::EnsureHierarchy(const Hierarchy& wanted,
                                                         const std::string& actor) const {
  TRY(wanted.Validate());
  TRY(maker_.CheckToken(wanted));
  HierarchyRecords hierarchy = TRY(EnsureRecord(wanted, actor));
  TRY(EnsureExternalRoots(hierarchy, actor));
  // After the first activation Rotation decides which authorities it has; the first one may be gone
  // with its key.
  if (!hierarchy.activations.empty()) return std::move(hierarchy.hierarchy);
  TRY(hierarchy.hierarchy.HasExternalRoot() ? EnsureExternalFirst(hierarchy, actor)
                                            : EnsureOwnFirst(hierarchy, actor));
  return std::move(hierarchy.hierarchy);
}

Result<HierarchyRecords> HierarchyProvisioning::EnsureRecord(const Hierarchy& wanted,
                                                             const std::string& actor) const {
  const auto find = [&]() -> Result<std::optional<HierarchyRecords>> {
    CatalogRecords records = TRY(CatalogRecords::Load(maker_.stores()));
    auto found = FindNamed(std::move(records.hierarchies), wanted.Name());
    const std::string difference = found ? Difference(found->hierarchy, wanted) : "";
    if (difference.empty()) return found;
    return Error(
        StatusCode::kFailedPrecondition,
        "hierarchy {} exists with another {}; to change it: agentpki hierarchy apply -f FILE",
        wanted.Name(), difference);
  };
  auto found = TRY(find());
  if (found) return *std::move(found);
  auto created = maker_.stores().hierarchies.CreateHierarchy(
      wanted, maker_.Event("CreateHierarchy", wanted.Name(), actor));
  if (created.ok()) return HierarchyRecords{.hierarchy = *std::move(created)};
  if (created.status().code() != StatusCode::kAlreadyExists) return created.status();
  found = TRY(find());  // another process was faster
  if (found) return *std::move(found);
  return created.status();
}

Result<HierarchyRecords> HierarchyProvisioning::Reload(const Hierarchy& hierarchy) const {
  CatalogRecords records = TRY(CatalogRecords::Load(maker_.stores()));
  auto found = FindNamed(std::move(records.hierarchies), hierarchy.Name());
  if (found) return *std::move(found);
  return Error(StatusCode::kAborted, "hierarchy {} was destroyed just now", hierarchy.Name());
}

// ---- under a root of ours -----------------------------------------------------------------------

Status HierarchyProvisioning::EnsureOwnFirst(HierarchyRecords& hierarchy,
                                             const std::string& actor) const {
  const Hierarchy& of = hierarchy.hierarchy;
  AuthorityRecord root =
      TRY(EnsureFirstPlan(hierarchy, AuthorityKind::kRoot, AuthorityId{}, actor));
  if (root.certificate.empty()) {
    const auto key = TRY(maker_.EnsureKey(of, root.key_label));
    root = TRY(maker_.CertifyRoot(of, std::move(root), *key, actor));
  }
  AuthorityRecord issuing =
      TRY(EnsureFirstPlan(hierarchy, AuthorityKind::kIssuing, root.id, actor));
  issuing = TRY(EnsureIssuing(of, std::move(issuing), root, actor));
  return ActivateFirst(of, issuing, actor);
}

// The plan of the first generation: made now, or found.
Result<AuthorityRecord> HierarchyProvisioning::EnsureFirstPlan(HierarchyRecords& hierarchy,
                                                               AuthorityKind kind,
                                                               AuthorityId issuer,
                                                               const std::string& actor) const {
  constexpr int kFirstGeneration = 1;
  if (const auto* const found = FindOfKind(hierarchy, kind)) return *found;
  auto planned = maker_.Plan(hierarchy.hierarchy, kind, kFirstGeneration, issuer, actor);
  if (planned.status().code() != StatusCode::kAborted) return planned;
  hierarchy = TRY(Reload(hierarchy.hierarchy));  // another process was faster
  if (const auto* const found = FindOfKind(hierarchy, kind)) return *found;
  return planned;
}

// An authority that has its certificate may have lost its key for good: no other key takes its
// place.
Result<AuthorityRecord> HierarchyProvisioning::EnsureIssuing(const Hierarchy& hierarchy,
                                                             AuthorityRecord planned,
                                                             const AuthorityRecord& root_record,
                                                             const std::string& actor) const {
  if (!planned.certificate.empty()) return planned;
  const auto key = TRY(maker_.EnsureKey(hierarchy, planned.key_label));
  if (hierarchy.HasExternalRoot()) return planned;
  const auto root = TRY(maker_.Open(root_record));
  const PublicKey public_key = TRY(PublicKey::FromSpki(key->spki()));
  auto prepared = TRY(root->PrepareIssuing(hierarchy, planned, public_key,
                                           maker_.PointersOf(root->id()), maker_.Now()));
  return maker_.Certify(std::move(planned), std::move(prepared), *root, actor);
}

Result<AuthorityRecord> HierarchyProvisioning::EnsureIssuing(const HierarchyRecords& hierarchy,
                                                             AuthorityRecord planned,
                                                             const std::string& actor) const {
  for (const AuthorityRecord& record : hierarchy.authorities) {
    if (record.id != planned.issuer) continue;
    return EnsureIssuing(hierarchy.hierarchy, std::move(planned), record, actor);
  }
  if (hierarchy.hierarchy.HasExternalRoot()) {
    return EnsureIssuing(hierarchy.hierarchy, std::move(planned), AuthorityRecord(), actor);
  }
  return Error(StatusCode::kNotFound, "no authority has the number {}",
               static_cast<std::int64_t>(planned.issuer));
}

// Only the first: Rotation decides which authority follows.
Status HierarchyProvisioning::ActivateFirst(const Hierarchy& hierarchy,
                                            const AuthorityRecord& issuing,
                                            const std::string& actor) const {
  const Activation first{
      .hierarchy = hierarchy.id, .sequence = 1, .authority = issuing.id, .at = maker_.Now()};
  const Status activated =
      maker_.stores()
          .activations
          .Activate(first, maker_.Event("ActivateAuthority", NameOf(hierarchy, issuing), actor))
          .status();
  // kAborted: another process was faster.
  return activated.code() == StatusCode::kAborted ? Ok() : activated;
}

const AuthorityRecord* HierarchyProvisioning::FindSuccessor(
    const HierarchyRecords& hierarchy) const {
  const AuthorityRecord* newest = nullptr;
  for (const AuthorityRecord& record : hierarchy.authorities) {
    if (record.kind == AuthorityKind::kIssuing) newest = &record;
  }
  if (!newest || newest->key_destruction || newest->taint) return nullptr;
  const auto& activations = hierarchy.activations;
  const bool was_active =
      std::any_of(activations.begin(), activations.end(),
                  [&](const Activation& activation) { return activation.authority == newest->id; });
  const bool is_next = !was_active && !EndsTooEarly(*newest, hierarchy.hierarchy, maker_.Now());
  return is_next ? newest : nullptr;
}

Result<AuthorityRecord> HierarchyProvisioning::EnsureSuccessor(const HierarchyRecords& hierarchy,
                                                               const std::string& actor) const {
  if (const auto* const found = FindSuccessor(hierarchy)) {
    return EnsureIssuing(hierarchy, *found, actor);
  }
  AuthorityId root{};
  for (const AuthorityRecord& record : hierarchy.authorities) {
    const bool is_root = record.kind == AuthorityKind::kRoot;
    if (is_root && !record.certificate.empty() && !record.key_destruction) root = record.id;
  }
  AuthorityRecord planned =
      TRY(maker_.Plan(hierarchy.hierarchy, AuthorityKind::kIssuing,
                      NextGeneration(hierarchy, AuthorityKind::kIssuing), root, actor));
  return EnsureIssuing(hierarchy, std::move(planned), actor);
}

// ---- under an external root ---------------------------------------------------------------------

// A root that was named before, and is named again, has its record already.
Status HierarchyProvisioning::EnsureExternalRoots(HierarchyRecords& hierarchy,
                                                  const std::string& actor) const {
  const std::vector<Bytes> certificates = hierarchy.hierarchy.external_roots;
  for (const Bytes& certificate : certificates) {
    if (FindExternalRoot(hierarchy, certificate)) continue;
    const int generation = NextGeneration(hierarchy, AuthorityKind::kRoot);
    AuditEvent event = maker_.Event(
        "AdoptRoot", NameOf(hierarchy.hierarchy, AuthorityKind::kRoot, generation), actor);
    event.reason = "SHA-256 " + Hex(Sha256(certificate));
    auto adopted =
        maker_.stores().authorities.AdoptRoot(hierarchy.hierarchy, generation, certificate, event);
    if (adopted.ok()) {
      hierarchy.authorities.push_back(*std::move(adopted));
      continue;
    }
    if (adopted.status().code() != StatusCode::kAborted) return adopted.status();
    hierarchy = TRY(Reload(hierarchy.hierarchy));
    // Another process was faster, with another root.
    if (!FindExternalRoot(hierarchy, certificate)) return adopted.status();
  }
  return Ok();
}

// The newest one that is not tainted: the certificate of the first one may never have come.
Status HierarchyProvisioning::EnsureExternalFirst(HierarchyRecords& hierarchy,
                                                  const std::string& actor) const {
  auto issuing = EnsureSuccessor(hierarchy, actor);
  if (issuing.status().code() == StatusCode::kAborted) {  // another process planned it just now
    hierarchy = TRY(Reload(hierarchy.hierarchy));
    issuing = EnsureSuccessor(hierarchy, actor);
  }
  TRY(issuing.status());
  if (issuing->certificate.empty()) return Ok();
  return ActivateFirst(hierarchy.hierarchy, *issuing, actor);
}

}  // namespace ca
