#include "ca/certificates/revocations.h"

#include "ca/access/named_authority.h"
#include "ca/base/asn1.h"
#include "ca/base/rules.h"

namespace ca {
namespace {

// The root whose cross-certificate has that serial, acme/prod/root/2; "" for no cross-certificate.
// CheckIsNotOfAuthority() has refused the certificates of issuing authorities.
std::string RootOfLink(const HierarchySnapshot& hierarchy, const SerialNumber& serial) {
  for (const CrossCertificate& cross : hierarchy.cross_certificates()) {
    if (cross.serial != serial) continue;
    const auto root = hierarchy.FindAuthority(cross.root);
    return root ? NameOf(hierarchy.hierarchy(), *root) : "a root";
  }
  return "";
}

}  // namespace

Result<Recorded<RevocationOutcome>> Revocations::Revoke(Call& call,
                                                        const RevocationRequest& request) const {
  const RevocationOrder order = TRY(Authorized(call, request, Action::kRevoke));
  TRY(RequireApproval(call, order));
  // For the auditor.
  call.event().reason = std::string(NameOf(order.reason));
  auto outcome = store_.Revoke(order, call.event());
  if (!outcome.ok()) call.event().reason.clear();
  return outcome;
}

// For orders about authorities. The digest covers the target's name, so that the approval is valid
// for no other target.
Status Revocations::RequireApproval(Call& call, const RevocationOrder& order) const {
  constexpr ApprovalKind kKind = ApprovalKind::kAuthorityRevocation;
  const auto catalog = catalogs_.Snapshot();
  const auto hierarchy = catalog->Find(order.hierarchy);
  if (!hierarchy) return Ok();
  std::string what;
  if (const auto* const of = std::get_if<AllOfAuthority>(&order.target)) {
    const auto authority = TRY(catalog->FindAuthority(of->authority));
    what = "all that was issued by " + NameOf(hierarchy->hierarchy(), *authority);
  } else if (const auto* const serial = std::get_if<SerialNumber>(&order.target)) {
    const std::string root = RootOfLink(*hierarchy, *serial);
    if (root.empty()) return Ok();
    what = fmt::format("the certificate {}, the link to {}", serial->ToString(), root);
  } else {
    return Ok();
  }
  const bool asks = TRY(approvals_.Asks(hierarchy->id(), kKind));
  if (!asks) return Ok();
  const RevocationOutcome preview = TRY(store_.Preview(order));
  // If all of it was revoked before, the order still matters only to block compromised keys.
  if (preview.revoked_count == 0 && order.reason != RevocationReason::kKeyCompromise) return Ok();

  const std::string reason(NameOf(order.reason));
  const std::string since = order.invalidity_date ? Rfc3339(*order.invalidity_date) : "";
  std::vector<std::string> changes = {
      "revoke " + what,
      fmt::format("{} certificates that stood when it was asked for", preview.revoked_count),
      "reason: " + reason};
  if (!since.empty()) changes.push_back("keys may have been lost since " + since);
  return approvals_.Require(call, hierarchy->id(),
                            {.kind = kKind,
                             .digest = DigestOf(kKind, {what, reason, since}),
                             .changes = std::move(changes)});
}

Result<RevocationOutcome> Revocations::Preview(Call& call, const RevocationRequest& request) const {
  const RevocationOrder order = TRY(Authorized(call, request, Action::kPreviewRevocation));
  return store_.Preview(order);
}

Result<RevocationOrder> Revocations::Authorized(Call& call, const RevocationRequest& request,
                                                Action action) const {
  const TimePoint now = call.now();
  if (request.invalidity_date && *request.invalidity_date > now) {
    return Error(StatusCode::kInvalidArgument,
                 "invalidity_date: {} is in the future; it is when the key was lost",
                 Rfc3339(*request.invalidity_date));
  }
  const auto find = [&]() -> Result<RevocationOrder> {
    if (const auto* serial = std::get_if<SerialNumber>(&request.target)) {
      return OfSerial(call, *serial, action);
    }
    if (const auto* der = std::get_if<Bytes>(&request.target)) {
      return OfCertificate(call, *der, action);
    }
    if (const auto* agent = std::get_if<SpiffeId>(&request.target)) {
      return OfAgent(call, *agent, action);
    }
    return OfAuthority(call, std::get<AuthorityName>(request.target), action);
  };
  RevocationOrder order = TRY(find());
  order.reason = request.reason;
  order.invalidity_date = request.invalidity_date;
  order.now = now;
  return order;
}

Result<RevocationOrder> Revocations::OfSerial(Call& call, const SerialNumber& serial,
                                              Action action) const {
  call.event().serial = serial.ToString();
  RevocationOrder order{.target = serial, .invalidity_date = std::nullopt};
  if (call.caller().serial == serial) {  // the handshake proved that the caller has its key
    order.hierarchy = call.caller().hierarchy;
    call.event().hierarchy = call.caller().hierarchy;
    call.event().subject = call.caller().Name();
    call.event().rule = "holder";
    return order;
  }
  const auto catalog = catalogs_.Snapshot();
  const auto allowed = TRY(authorization_.Allowed(call.caller(), action, catalog->hierarchies()));
  if (allowed.empty()) {
    // For its refusal, which names the roles; the hierarchy makes no difference.
    TRY(authorization_.Require(call.caller(), action, call.caller().hierarchy));
  }
  for (const HierarchyId hierarchy : allowed) {
    order.hierarchy = hierarchy;
    order.now = call.now();
    const auto preview = store_.Preview(order);
    if (preview.status().code() == StatusCode::kNotFound) continue;
    call.event().hierarchy = hierarchy;
    TRY(preview.status());
    TRY(CheckIsNotOfAuthority(*catalog->Find(hierarchy), serial));
    if (!preview->revoked.empty())
      call.event().subject = preview->revoked.front().subject.ToString();
    return order;
  }
  return Error(
      StatusCode::kNotFound,
      "serial: no hierarchy that {} may revoke in has a certificate {}; see: agentpki cert "
      "list",
      call.caller().Name(), serial.ToString());
}

// To revoke the certificate alone would leave the authority issuing.
Status Revocations::CheckIsNotOfAuthority(const HierarchySnapshot& hierarchy,
                                          const SerialNumber& serial) {
  for (const auto& authority : hierarchy.authorities()) {
    if (authority->kind() != AuthorityKind::kIssuing || authority->serial() != serial) continue;
    const std::string name = NameOf(hierarchy.hierarchy(), *authority);
    return Refusal<kCertificateAuthority>(name, name);
  }
  return Ok();
}

Result<RevocationOrder> Revocations::OfCertificate(Call& call, const Bytes& der,
                                                   Action action) const {
  const auto parsed = ParseX509(der);
  const auto serial = parsed.ok()
                          ? SerialNumber::FromBytes(OctetsOf(X509_get0_serialNumber(parsed->get())))
                          : Result<SerialNumber>(parsed.status());
  if (!serial.ok()) {
    return Error(StatusCode::kInvalidArgument,
                 "certificate: it is none that agentpki issued; give its file as cert enroll wrote "
                 "it, or its serial");
  }
  const RevocationOrder order = TRY(OfSerial(call, *serial, action));
  const Certificate found = TRY(ledger_.FindCertificate(order.hierarchy, *serial));
  if (found.Der() == der) return order;
  return Error(StatusCode::kInvalidArgument,
               "certificate: the ledger's certificate with serial {} is another one; somebody may "
               "have forged this",
               serial->ToString());
}

Result<RevocationOrder> Revocations::OfAgent(Call& call, const SpiffeId& agent,
                                             Action action) const {
  call.event().subject = agent.ToString();
  const auto catalog = catalogs_.Snapshot();
  const auto hierarchy = TRY(catalog->FindByTrustDomain(agent.trust_domain()));
  call.event().hierarchy = hierarchy->id();
  TRY(authorization_.Require(call.caller(), action, hierarchy->id()));
  // A mistyped name must not look like an agent without certificates.
  TRY(registry_.FindAgent(hierarchy->id(), agent).status());
  return RevocationOrder{
      .hierarchy = hierarchy->id(), .target = AllOfAgent{agent}, .invalidity_date = std::nullopt};
}

Result<RevocationOrder> Revocations::OfAuthority(Call& call, const AuthorityName& name,
                                                 Action action) const {
  call.event().subject = Printable(name.text);
  const auto catalog = catalogs_.Snapshot();
  if (const auto hierarchy = FindHierarchyNamedIn(*catalog, name.text)) {
    call.event().hierarchy = hierarchy->id();
    TRY(authorization_.Require(call.caller(), action, hierarchy->id()));
    for (const auto& authority : hierarchy->authorities()) {
      if (authority->kind() != AuthorityKind::kIssuing ||
          name.text != NameOf(hierarchy->hierarchy(), *authority)) {
        continue;
      }
      return RevocationOrder{.hierarchy = hierarchy->id(),
                             .target = AllOfAuthority{authority->id()},
                             .invalidity_date = std::nullopt};
    }
  }
  return Error(StatusCode::kNotFound,
               "authority: there is no issuing authority '{}'; write it as agentpki status does, "
               "acme/prod/issuing/1",
               Printable(name.text));
}

}  // namespace ca
