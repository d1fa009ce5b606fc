#include "ca/authorities/provisioning.h"

#include <algorithm>

#include "ca/access/call.h"
#include "ca/base/rules.h"
#include "ca/model/hierarchy_fields.h"

namespace ca {
namespace {

// What it would issue would outlive it, so it never will. One that a root of ours has signed ends
// with that: another would as well.
bool EndsTooEarly(const AuthorityRecord& record, const Hierarchy& hierarchy, TimePoint now) {
  if (!record.is_imported) return false;
  const auto parsed = ParseX509(record.certificate);
  if (!parsed.ok()) return false;
  const auto end = TimeOf(X509_get0_notAfter(parsed->get()));
  return end.ok() && *end < now + hierarchy.LongestLifetime();
}

bool Has(const std::vector<AuthorityRecord>& roots, const Bytes& certificate) {
  return std::any_of(roots.begin(), roots.end(),
                     [&](const AuthorityRecord& root) { return root.certificate == certificate; });
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

}  // namespace

Status CheckToken(const Hierarchy& hierarchy, const KeyStore& keys) {
  const std::string token = keys.TokenOf(hierarchy.Name() + "/");
  if (hierarchy.token.empty() || hierarchy.token == token) return Ok();
  return Refusal<kHierarchyToken>(hierarchy.Name(), hierarchy.token, hierarchy.tenant, token,
                                  hierarchy.token, token);
}

Result<Hierarchy> Provisioning::EnsureHierarchy(const Hierarchy& wanted) {
  TRY(wanted.Validate());
  TRY(CheckToken(wanted, keys_));
  const Hierarchy hierarchy = TRY(EnsureRecord(wanted));
  TRY(EnsureExternalRoots(hierarchy));
  // From then on Rotation says which authorities it has; the first may be gone with its key.
  const bool is_whole = TRY(IsActivated(hierarchy));
  if (is_whole) return hierarchy;
  TRY(hierarchy.HasExternalRoot() ? EnsureExternalFirst(hierarchy) : EnsureOwnFirst(hierarchy));
  return hierarchy;
}

Status Provisioning::EnsureOwnFirst(const Hierarchy& hierarchy) {
  TRY(EnsureRoot(hierarchy));
  const AuthorityRecord root = TRY(EnsurePlan(hierarchy, AuthorityKind::kRoot, AuthorityId{}));
  AuthorityRecord issuing = TRY(EnsurePlan(hierarchy, AuthorityKind::kIssuing, root.id));
  issuing = TRY(EnsureIssuing(hierarchy, std::move(issuing)));
  return ActivateFirst(hierarchy, issuing);
}

Result<Hierarchy> Provisioning::EnsureRecord(const Hierarchy& wanted) {
  const auto find = [&]() -> Result<std::optional<Hierarchy>> {
    const std::vector<Hierarchy> hierarchies = TRY(stores_.hierarchies.LoadHierarchies());
    for (const Hierarchy& standing : hierarchies) {
      if (standing.Name() != wanted.Name()) continue;
      const std::string difference = Difference(standing, wanted);
      if (difference.empty()) return standing;
      return Error(
          StatusCode::kFailedPrecondition,
          "hierarchy {} exists with another {}; to change it: agentpki hierarchy apply -f FILE",
          wanted.Name(), difference);
    }
    return std::nullopt;
  };
  auto found = TRY(find());
  if (found) return *std::move(found);
  auto created =
      stores_.hierarchies.CreateHierarchy(wanted, Event("CreateHierarchy", wanted.Name()));
  if (created.status().code() != StatusCode::kAlreadyExists) return created;
  found = TRY(find());  // another init was faster
  if (found) return *std::move(found);
  return created;
}

Result<Certificate> Provisioning::RecordAndSign(const AuthorityRecord& planned,
                                                PreparedCertificate prepared, const Sign& sign) {
  AuditEvent event = Event("CreateAuthority", planned.key_label);
  event.serial = prepared.record().serial.ToString();
  auto recorded = TRY(stores_.authorities.RecordAuthority(planned.id, std::move(prepared), event));
  const Certificate certificate = TRY(sign(std::move(recorded)));
  return stores_.authorities.RecordAuthorityCertificate(planned.id, certificate, clock_.Now());
}

Status Provisioning::EnsureRoot(const Hierarchy& hierarchy) {
  const AuthorityRecord root = TRY(EnsurePlan(hierarchy, AuthorityKind::kRoot, AuthorityId{}));
  if (!root.certificate.empty()) return Ok();
  const auto key = TRY(EnsureKey(hierarchy, root.key_label));
  auto prepared = TRY(Authority::PrepareRoot(hierarchy, root, *key, clock_.Now()));
  return RecordAndSign(
             root, std::move(prepared),
             [&](RecordedIssuance recorded) { return SignRecorded(*key, std::move(recorded)); })
      .status();
}

// What is planned, with its key and its certificate. What has its certificate may have lost its key
// for good: no other is generated in its place.
Result<AuthorityRecord> Provisioning::EnsureIssuing(const Hierarchy& hierarchy,
                                                    AuthorityRecord planned) {
  if (!planned.certificate.empty()) return planned;
  const auto key = TRY(EnsureKey(hierarchy, planned.key_label));
  if (hierarchy.HasExternalRoot()) return planned;
  const AuthorityRecord root_record = TRY(FindRecord(planned.issuer));
  const auto root_key = TRY(keys_.Find(root_record.key_label));
  const auto root = TRY(Authority::Open(root_record, root_key));
  const PublicKey public_key = TRY(PublicKey::FromSpki(key->spki()));
  auto prepared = TRY(root->PrepareIssuing(hierarchy, planned, public_key,
                                           directory_.For(root->id()), clock_.Now()));
  const Certificate certificate =
      TRY(RecordAndSign(planned, std::move(prepared), [&](RecordedIssuance recorded) {
        return root->Sign(std::move(recorded));
      }));
  planned.certificate = certificate.Der();
  planned.published_at = clock_.Now();
  return planned;
}

Result<AuthorityRecord> Provisioning::FindRecord(AuthorityId authority) {
  std::vector<AuthorityRecord> records = TRY(stores_.authorities.LoadAuthorities());
  for (AuthorityRecord& record : records) {
    if (record.id == authority) return std::move(record);
  }
  return Error(StatusCode::kNotFound, "no authority has the number {}",
               static_cast<std::int64_t>(authority));
}

Result<bool> Provisioning::IsActivated(const Hierarchy& hierarchy) {
  const std::vector<Activation> activations = TRY(stores_.activations.LoadActivations());
  return std::any_of(activations.begin(), activations.end(), [&](const Activation& activation) {
    return activation.hierarchy == hierarchy.id;
  });
}

// The first; which comes later is for Rotation to say.
Status Provisioning::ActivateFirst(const Hierarchy& hierarchy, const AuthorityRecord& issuing) {
  const Activation first{
      .hierarchy = hierarchy.id, .sequence = 1, .authority = issuing.id, .at = clock_.Now()};
  const Status activated =
      stores_.activations.Activate(first, Event("ActivateAuthority", NameOf(hierarchy, issuing)))
          .status();
  return activated.code() == StatusCode::kAborted ? Ok() : activated;  // another init was faster
}

Result<AuthorityRecord> Provisioning::EnsureSuccessor(const Hierarchy& hierarchy) {
  const std::vector<AuthorityRecord> records = TRY(stores_.authorities.LoadAuthorities());
  const std::vector<Activation> activations = TRY(stores_.activations.LoadActivations());
  std::optional<AuthorityRecord> newest;
  AuthorityId root{};
  for (const AuthorityRecord& record : records) {
    if (record.hierarchy != hierarchy.id) continue;
    if (record.kind == AuthorityKind::kIssuing) newest = record;
    if (record.kind == AuthorityKind::kRoot && !record.certificate.empty() &&
        !record.key_destruction) {
      root = record.id;
    }
  }
  const bool was_active =
      newest && std::any_of(activations.begin(), activations.end(),
                            [&](const Activation& a) { return a.authority == newest->id; });
  if (!newest || was_active || newest->key_destruction || newest->taint ||
      EndsTooEarly(*newest, hierarchy, clock_.Now())) {
    const int generation = newest ? newest->generation + 1 : 1;
    newest = TRY(stores_.authorities.PlanAuthority(
        hierarchy, AuthorityKind::kIssuing, generation, root,
        Event("PlanAuthority", fmt::format("{}/{}/{}", hierarchy.Name(),
                                           NameOf(AuthorityKind::kIssuing), generation))));
  }
  return EnsureIssuing(hierarchy, *std::move(newest));
}

// ---- external roots -----------------------------------------------------------------------------

// One that was named before, and is again, is there.
Status Provisioning::EnsureExternalRoots(const Hierarchy& hierarchy) {
  for (const Bytes& certificate : hierarchy.external_roots) {
    // Of one look: what is not there has the generation after those that are.
    std::vector<AuthorityRecord> roots = TRY(RootsOf(hierarchy));
    if (Has(roots, certificate)) continue;
    const int generation = roots.empty() ? 1 : roots.back().generation + 1;
    AuditEvent event = Event("AdoptRoot", fmt::format("{}/{}/{}", hierarchy.Name(),
                                                      NameOf(AuthorityKind::kRoot), generation));
    event.reason = "SHA-256 " + Hex(Sha256(certificate));
    const Status adopted =
        stores_.authorities.AdoptRoot(hierarchy, generation, certificate, event).status();
    if (adopted.code() != StatusCode::kAborted) TRY(Status(adopted));
    roots = TRY(RootsOf(hierarchy));
    if (!Has(roots, certificate)) return adopted;  // somebody else was faster, with another
  }
  return Ok();
}

// The newest that nobody has doubts of: the first that was asked for may never have come.
Status Provisioning::EnsureExternalFirst(const Hierarchy& hierarchy) {
  auto issuing = EnsureSuccessor(hierarchy);
  if (issuing.status().code() == StatusCode::kAborted) {  // somebody else planned it just now
    issuing = EnsureSuccessor(hierarchy);
  }
  TRY(issuing.status());
  return issuing->certificate.empty() ? Ok() : ActivateFirst(hierarchy, *issuing);
}

// ---- roots that follow each other ---------------------------------------------------------------

Result<AuthorityRecord> Provisioning::EnsureNextRoot(
    const Hierarchy& hierarchy, std::optional<int> to_plan,
    const std::shared_ptr<const AuditEvent>& approval_use) {
  const std::vector<AuthorityRecord> roots = TRY(RootsOf(hierarchy));
  const std::optional<int> generation = TRY(NextRootToPlan(hierarchy, roots));
  if (generation != to_plan) {
    return Error(StatusCode::kAborted, "the roots of {} were changed just now; look again",
                 hierarchy.Name());
  }
  auto planned = generation ? PlanRoot(hierarchy, *generation, approval_use)
                            : Result<AuthorityRecord>(roots.back());
  const AuthorityRecord root = TRY(std::move(planned));
  if (!root.certificate.empty()) return root;
  const auto key = TRY(EnsureKey(hierarchy, root.key_label));
  // The link comes first, so that a root that is published is linked.
  for (const AuthorityRecord& before : roots) {
    if (before.generation == root.generation - 1) {
      TRY(EnsureLink(hierarchy, root, *key, before));
    }
  }
  auto prepared = TRY(Authority::PrepareRoot(hierarchy, root, *key, clock_.Now()));
  TRY(RecordAndSign(root, std::move(prepared), [&](RecordedIssuance recorded) {
        return SignRecorded(*key, std::move(recorded));
      }).status());
  return FindRecord(root.id);
}

Result<AuthorityRecord> Provisioning::PlanRoot(
    const Hierarchy& hierarchy, int generation,
    const std::shared_ptr<const AuditEvent>& approval_use) {
  AuditEvent event = Event("PlanAuthority", fmt::format("{}/{}/{}", hierarchy.Name(),
                                                        NameOf(AuthorityKind::kRoot), generation));
  event.approval_use = approval_use;
  return stores_.authorities.PlanAuthority(hierarchy, AuthorityKind::kRoot, generation,
                                           AuthorityId{}, event);
}

Result<std::vector<AuthorityRecord>> Provisioning::RootsOf(const Hierarchy& hierarchy) {
  std::vector<AuthorityRecord> records = TRY(stores_.authorities.LoadAuthorities());
  std::erase_if(records, [&](const AuthorityRecord& record) {
    return record.hierarchy != hierarchy.id || record.kind != AuthorityKind::kRoot;
  });
  return records;
}

Result<std::optional<int>> Provisioning::NextRootToPlan(const Hierarchy& hierarchy) {
  if (hierarchy.HasExternalRoot()) {
    return Refusal<kAuthorityRootExternal>(hierarchy.Name());
  }
  const std::vector<AuthorityRecord> roots = TRY(RootsOf(hierarchy));
  return NextRootToPlan(hierarchy, roots);
}

// The newest is it, until that has issued.
Result<std::optional<int>> Provisioning::NextRootToPlan(const Hierarchy& hierarchy,
                                                        const std::vector<AuthorityRecord>& roots) {
  const std::vector<Activation> activations = TRY(stores_.activations.LoadActivations());
  const std::vector<AuthorityRecord> records = TRY(stores_.authorities.LoadAuthorities());
  const auto has_issued = [&](const AuthorityRecord& root) {
    return std::any_of(activations.begin(), activations.end(), [&](const Activation& activation) {
      return std::any_of(records.begin(), records.end(), [&](const AuthorityRecord& issuing) {
        return issuing.id == activation.authority && issuing.issuer == root.id;
      });
    });
  };
  if (!roots.empty() && !has_issued(roots.back())) return std::optional<int>();
  const auto standing = std::count_if(roots.begin(), roots.end(), [&](const AuthorityRecord& root) {
    const auto parsed = ParseX509(root.certificate);
    if (!parsed.ok()) return false;
    const auto until = TimeOf(X509_get0_notAfter(parsed->get()));
    return until.ok() && clock_.Now() < *until;
  });
  if (standing > kLinksMax) {
    return Refusal<kAuthorityRootsOverlap>(hierarchy.Name(), standing);
  }
  return std::optional(roots.empty() ? 1 : roots.back().generation + 1);
}

Status Provisioning::EnsureLink(const Hierarchy& hierarchy, const AuthorityRecord& root,
                                const SigningKey& root_key, const AuthorityRecord& before) {
  std::optional<AuthorityRecord> link;
  std::vector<AuthorityRecord> records = TRY(stores_.authorities.LoadAuthorities());
  for (AuthorityRecord& record : records) {
    if (record.hierarchy == hierarchy.id && record.kind == AuthorityKind::kLink &&
        record.generation == root.generation) {
      link = std::move(record);
    }
  }
  if (!link) {
    link = TRY(stores_.authorities.PlanAuthority(
        hierarchy, AuthorityKind::kLink, root.generation, before.id,
        Event("PlanAuthority", fmt::format("{}/{}/{}", hierarchy.Name(),
                                           NameOf(AuthorityKind::kLink), root.generation))));
  }
  if (!link->certificate.empty()) return Ok();
  const auto before_key = TRY(keys_.Find(before.key_label));
  const auto signer = TRY(Authority::Open(before, before_key));
  auto prepared =
      TRY(signer->PrepareLink(hierarchy, root, root_key, directory_.For(before.id), clock_.Now()));
  return RecordAndSign(*link, std::move(prepared),
                       [&](RecordedIssuance recorded) { return signer->Sign(std::move(recorded)); })
      .status();
}

// The first generation; planned here, or found.
Result<AuthorityRecord> Provisioning::EnsurePlan(const Hierarchy& hierarchy, AuthorityKind kind,
                                                 AuthorityId issuer) {
  constexpr int kFirstGeneration = 1;
  const auto find = [&]() -> Result<std::optional<AuthorityRecord>> {
    std::vector<AuthorityRecord> records = TRY(stores_.authorities.LoadAuthorities());
    for (AuthorityRecord& record : records) {
      if (record.hierarchy == hierarchy.id && record.kind == kind) return std::move(record);
    }
    return std::nullopt;
  };
  auto found = TRY(find());
  if (found) return *std::move(found);
  auto planned = stores_.authorities.PlanAuthority(
      hierarchy, kind, kFirstGeneration, issuer,
      Event("PlanAuthority",
            fmt::format("{}/{}/{}", hierarchy.Name(), NameOf(kind), kFirstGeneration)));
  if (planned.status().code() != StatusCode::kAborted) return planned;
  found = TRY(find());  // another init was faster
  if (found) return *std::move(found);
  return planned;
}

// A key whose generation was interrupted before its use is the one that the plan is about.
Result<std::shared_ptr<const SigningKey>> Provisioning::EnsureKey(const Hierarchy& hierarchy,
                                                                  const std::string& label) {
  TRY(CheckToken(hierarchy, keys_));
  auto found = keys_.Find(label);
  if (found.status().code() != StatusCode::kNotFound) return found;
  auto generated = keys_.Generate(label);
  if (generated.status().code() != StatusCode::kAlreadyExists) return generated;
  return keys_.Find(label);
}

Result<Agent> Provisioning::EnsureAgent(const Agent& wanted) {
  auto found = registry_.FindAgent(wanted.hierarchy, wanted.id);
  if (found.status().code() != StatusCode::kNotFound) return found;
  Agent agent = wanted;
  agent.registered_at = clock_.Now();
  AuditEvent event = Event("RegisterAgent", agent.id.ToString());
  event.hierarchy = agent.hierarchy;
  auto registered = registry_.RegisterAgent(agent, event);
  if (registered.ok()) return registered->TakeValue();
  if (registered.status().code() != StatusCode::kAlreadyExists) return registered.status();
  return registry_.FindAgent(wanted.hierarchy, wanted.id);
}

Status Provisioning::EnsureGrant(const SpiffeId& operator_id, const Grant& grant,
                                 HierarchyId system) {
  AuditEvent event = Event("AddGrant", operator_id.ToString());
  event.hierarchy = system;
  return registry_.AddGrant(operator_id, grant, event).status();
}

AuditEvent Provisioning::Event(std::string_view action, std::string subject) const {
  AuditEvent event = LocalEvent(actor_, action, clock_.Now());
  event.subject = std::move(subject);
  return event;
}

}  // namespace ca
