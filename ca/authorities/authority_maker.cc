#include "ca/authorities/authority_maker.h"

#include "ca/access/call.h"
#include "ca/base/rules.h"

namespace ca {

Status CheckToken(const Hierarchy& hierarchy, const KeyStore& keys) {
  const std::string token = keys.TokenOf(hierarchy.Name() + "/");
  if (hierarchy.token.empty() || hierarchy.token == token) return Ok();
  return Refusal<kHierarchyToken>(hierarchy.Name(), hierarchy.token, hierarchy.tenant, token,
                                  hierarchy.token, token);
}

Result<AuthorityRecord> AuthorityMaker::Plan(
    const Hierarchy& hierarchy, AuthorityKind kind, int generation, AuthorityId issuer,
    const std::string& actor, const std::shared_ptr<const AuditEvent>& approval_use) const {
  AuditEvent event = Event("PlanAuthority", NameOf(hierarchy, kind, generation), actor);
  event.approval_use = approval_use;
  return stores_.authorities.PlanAuthority(hierarchy, kind, generation, issuer, event);
}

Result<std::shared_ptr<const SigningKey>> AuthorityMaker::EnsureKey(
    const Hierarchy& hierarchy, const std::string& label) const {
  TRY(CheckToken(hierarchy));
  auto found = keys_.Find(label);
  if (found.status().code() != StatusCode::kNotFound) return found;
  auto generated = keys_.Generate(label);
  if (generated.status().code() != StatusCode::kAlreadyExists) return generated;
  return keys_.Find(label);
}

Result<std::shared_ptr<const Authority>> AuthorityMaker::Open(const AuthorityRecord& record) const {
  auto key = TRY(keys_.Find(record.key_label));
  return Authority::Open(record, std::move(key));
}

Result<AuthorityRecord> AuthorityMaker::Certify(AuthorityRecord planned,
                                                PreparedCertificate prepared, const Sign& sign,
                                                const std::string& actor) const {
  AuditEvent event = Event("CreateAuthority", planned.key_label, actor);
  event.serial = prepared.record().serial.ToString();
  auto recorded = TRY(stores_.authorities.RecordAuthority(planned.id, std::move(prepared), event));
  const Certificate signed_now = TRY(sign(std::move(recorded)));
  const TimePoint now = clock_.Now();
  const Certificate released =
      TRY(stores_.authorities.RecordAuthorityCertificate(planned.id, signed_now, now));
  planned.certificate = released.Der();
  planned.published_at = now;
  return planned;
}

Result<AuthorityRecord> AuthorityMaker::Certify(AuthorityRecord planned,
                                                PreparedCertificate prepared,
                                                const Authority& issuer,
                                                const std::string& actor) const {
  return Certify(
      std::move(planned), std::move(prepared),
      [&](RecordedIssuance recorded) { return issuer.Sign(std::move(recorded)); }, actor);
}

Result<AuthorityRecord> AuthorityMaker::CertifyRoot(const Hierarchy& hierarchy,
                                                    AuthorityRecord planned, const SigningKey& key,
                                                    const std::string& actor) const {
  auto prepared = TRY(Authority::PrepareRoot(hierarchy, planned, key, clock_.Now()));
  return Certify(
      std::move(planned), std::move(prepared),
      [&](RecordedIssuance recorded) { return SignRecorded(key, std::move(recorded)); }, actor);
}

AuditEvent AuthorityMaker::Event(std::string_view action, std::string subject,
                                 const std::string& actor) const {
  AuditEvent event = LocalEvent(actor, action, clock_.Now());
  event.subject = std::move(subject);
  return event;
}

}  // namespace ca
