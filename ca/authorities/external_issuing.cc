#include "ca/authorities/external_issuing.h"

#include <algorithm>

#include "ca/base/rules.h"
#include "ca/issuance/authority_request.h"

namespace ca {
namespace {

Result<AuthorityId> FindRoot(const HierarchySnapshot& hierarchy, const Bytes& certificate) {
  for (const AuthorityRecord& record : hierarchy.records().authorities) {
    if (record.IsExternalRoot() && record.certificate == certificate) return record.id;
  }
  return Error(StatusCode::kAborted, "the roots of {} are being changed; retry", hierarchy.name());
}

// CRLs are told apart by the name of their issuer.
Status CheckNameIsFree(const Catalog& catalog, HierarchyId own,
                       const ExternalCertificate& external) {
  const X509Ptr parsed = TRY(ParseX509(external.certificate));
  const Bytes name = DerOf<X509_NAME, i2d_X509_NAME>(X509_get_subject_name(parsed.get()));
  for (const HierarchySnapshotPtr& hierarchy : catalog.all_hierarchies()) {
    for (const auto& authority : hierarchy->authorities()) {
      if (authority->name() != name) continue;
      // The names of other tenants' hierarchies are not for every caller to know.
      return Refusal<kImportSubject>(fmt::format(
          "{} has the same subject; have it signed with the subject of its certification request, "
          "or one of its own",
          hierarchy->id() == own ? NameOf(hierarchy->hierarchy(), *authority)
                                 : "another authority"));
    }
  }
  return Ok();
}

}  // namespace

Result<AuthorityRequest> ExternalIssuing::Request(Call& call, const std::string& name) {
  TRY(catalogs_.Reload());  // it may have been planned elsewhere, just now
  const auto catalog = catalogs_.Snapshot();
  NamedAuthority found =
      TRY(FindIssuing(call, *catalog, authorization_, Action::kCreateCertificationRequest, name));
  TRY(CheckIsWaiting(found));
  const auto key = TRY(keys_.Find(found.view.record.key_label));
  Bytes der = TRY(RequestCertificate(found.hierarchy->hierarchy(), found.view.record, *key));
  call.event().reason = "key SHA-256 " + Hex(Sha256(key->spki()));
  return AuthorityRequest{std::move(found.view), std::move(der)};
}

Result<Recorded<AuthorityView>> ExternalIssuing::Import(Call& call, const std::string& name,
                                                        const std::vector<Bytes>& brought) {
  TRY(catalogs_.Reload());
  const auto catalog = catalogs_.Snapshot();
  const NamedAuthority found =
      TRY(FindIssuing(call, *catalog, authorization_, Action::kImportAuthority, name));
  const AuthorityRecord& record = found.view.record;
  const bool is_repeated = record.is_imported && std::find(brought.begin(), brought.end(),
                                                           record.certificate) != brought.end();
  const auto import = [&]() -> Result<RecordedDecision> {
    if (is_repeated) {
      call.event().rule = kReplay.name;
      return ledger_.RecordEvent(call.event());
    }
    TRY(CheckIsWaiting(found));
    const ExternalCertificate external = TRY(Check(*catalog, found, brought));
    const AuthorityId root = TRY(FindRoot(*found.hierarchy, external.root));
    call.event().reason = "SHA-256 " + Hex(Sha256(external.certificate));
    return stores_.authorities.ImportCertificate(record.id, external, root, call.event());
  };
  auto recorded = TRY(import());
  const auto after = TRY(MakeKnown(found.hierarchy->id(), record.id, call.caller().Name()));
  AuthorityView view = TRY(after->ViewOf(record.id, clock_.Now()));
  return Recorded(std::move(recorded), std::move(view));
}

Status ExternalIssuing::CheckIsWaiting(const NamedAuthority& found) {
  const AuthorityRecord& record = found.view.record;
  const std::string& name = found.view.name;
  const std::string hierarchy = found.hierarchy->name();
  if (!found.hierarchy->hierarchy().HasExternalRoot()) {
    return Refusal<kAuthorityRootOurs>(name, hierarchy);
  }
  if (!record.certificate.empty()) return Refusal<kAuthorityHasCertificate>(name, hierarchy);
  if (record.key_destruction) {
    return Refusal<kAuthorityKeyDestroyed>(name, record.key_destruction->reason, hierarchy);
  }
  if (record.taint) {
    return Refusal<kAuthorityTainted>(name, Rfc3339(record.taint->at), record.taint->reason,
                                      hierarchy);
  }
  return Ok();
}

Result<ExternalCertificate> ExternalIssuing::Check(const Catalog& catalog,
                                                   const NamedAuthority& found,
                                                   const std::vector<Bytes>& brought) const {
  const auto key = TRY(keys_.Find(found.view.record.key_label));
  const PublicKey public_key = TRY(PublicKey::FromSpki(key->spki()));
  auto external = TRY(
      CheckExternalCertificate(brought, found.hierarchy->hierarchy(), public_key, clock_.Now()));
  TRY(CheckNameIsFree(catalog, found.hierarchy->id(), external));
  return external;
}

// The OCSP responder comes before the activation, and so before anybody can ask about a
// certificate.
Result<HierarchySnapshotPtr> ExternalIssuing::MakeKnown(HierarchyId id, AuthorityId authority,
                                                        const std::string& actor) {
  auto hierarchy = TRY(catalogs_.ReloadHierarchy(id));
  hierarchy = TRY(publication_.EnsureResponders(std::move(hierarchy), {authority}, actor));
  TRY(provisioning_.hierarchies.EnsureHierarchy(hierarchy->hierarchy(), actor).status());
  return publication_.Publish(id, authority, actor);
}

}  // namespace ca
