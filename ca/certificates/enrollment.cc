#include "ca/certificates/enrollment.h"

#include "ca/base/rules.h"
#include "ca/certificates/csr_policy.h"
#include "ca/certificates/policy.h"
#include "ca/x509/csr.h"

namespace ca {
namespace {

// A retry is needed only when an authority is activated meanwhile, which happens every few weeks.
constexpr int kTriesMax = 3;

// Whether the catalog may be behind the ledger: another authority may issue by now.
bool IsBehind(const Status& status) {
  return Is(status, kAuthoritySuperseded) || Is(status, kAuthorityRevoked);
}

Status CheckUsable(const JoinTokenRecord& token, const RequestId& request, TimePoint now) {
  switch (token.StateAt(now)) {
    case JoinTokenRecord::State::kReady:
      return Ok();
    case JoinTokenRecord::State::kUsed:
      // The request that used it may be repeated: the ledger returns the first answer.
      if (token.used_by_request == request.ToString()) return Ok();
      return Refusal<kJoinTokenUsed>("ask for a new one");
    case JoinTokenRecord::State::kExpired:
      return Refusal<kJoinTokenExpired>(Rfc3339(token.expires_at));
    case JoinTokenRecord::State::kRevoked:
      return Refusal<kJoinTokenRevoked>();
  }
  return Error(StatusCode::kInternal, "a join token in no state");
}

Operation OperationOf(const Grounds& grounds) {
  return std::holds_alternative<RenewalGrounds>(grounds) ? Operation::kRenew : Operation::kEnroll;
}

}  // namespace

Result<Recorded<IssuedCertificate>> Enrollment::Enroll(Call& call,
                                                       const EnrollmentRequest& request) const {
  const Bytes secret_hash = Sha256(request.secret.Reveal());
  const auto invitation = registry_.FindInvitation(secret_hash);
  if (invitation.status().code() == StatusCode::kNotFound) {
    return Refusal<kJoinTokenUnknown>();
  }
  if (!invitation.ok()) return invitation.status();
  call.event().actor = "join-token:" + invitation->token.Id();
  call.event().hierarchy = invitation->agent.hierarchy;
  call.event().subject = invitation->agent.id.ToString();
  TRY(CheckUsable(invitation->token, request.id, call.now()));

  return Issue(call, invitation->agent, request.csr,
               JoinTokenGrounds{secret_hash, invitation->token.expires_at}, request.id);
}

Result<Recorded<IssuedCertificate>> Enrollment::Renew(Call& call,
                                                      const RenewalRequest& request) const {
  if (!call.caller().id) {
    return Refusal<kCallerAnonymous>("the one that you are renewing");
  }
  call.event().hierarchy = call.caller().hierarchy;
  call.event().subject = call.caller().Name();
  const Agent agent = TRY(registry_.FindAgent(call.caller().hierarchy, *call.caller().id));

  return Issue(call, agent, request.csr, RenewalGrounds{*call.caller().serial}, request.id);
}

Result<Recorded<IssuedCertificate>> Enrollment::Issue(Call& call, const Agent& agent,
                                                      BytesView csr_der, const Grounds& grounds,
                                                      const RequestId& request) const {
  const Csr csr = TRY(Csr::Parse(csr_der));
  call.event().request = RequestFacts::Of(agent, csr.public_key().type(), OperationOf(grounds));
  TRY(TakeOfQuota(agent, grounds));
  auto intent = Intend(call, agent, csr, grounds, request);
  for (int tries = 1; IsBehind(intent.status()) && tries < kTriesMax; ++tries) {
    TRY(catalogs_.Reload());
    intent = Intend(call, agent, csr, grounds, request);
  }
  if (!intent.ok()) {
    // A refusal records nothing, so clear the serial. After a failure the row may exist, so keep
    // it.
    if (!RuleOf(intent.status()).empty()) call.event().serial.clear();
    return intent.status();
  }
  auto answer = intent->TakeValue();
  auto decision = std::move(*intent).decision();
  if (auto* answered = std::get_if<Certificate>(&answer)) {
    auto released = TRY(Released(std::move(*answered)));
    return Recorded(std::move(decision), std::move(released));
  }
  auto recorded = std::get<RecordedIssuance>(std::move(answer));
  // An earlier attempt may have chosen the serial.
  call.event().serial = recorded.record().serial.ToString();
  auto certificate = TRY(SignAndRecord(std::move(recorded)));
  auto released = TRY(Released(std::move(certificate)));
  return Recorded(std::move(decision), std::move(released));
}

// The server's own certificates count for no tenant.
Status Enrollment::TakeOfQuota(const Agent& agent, const Grounds& grounds) const {
  if (std::holds_alternative<SystemGrounds>(grounds)) return Ok();
  const auto catalog = catalogs_.Snapshot();
  const auto hierarchy = catalog->Find(agent.hierarchy);
  return hierarchy ? quotas_.TakeCertificate(hierarchy->hierarchy().tenant, clock_.Now()) : Ok();
}

// The intent is durable before the key is used: a crash leaves a record, never an unknown
// certificate.
Result<Recorded<std::variant<RecordedIssuance, Certificate>>> Enrollment::Intend(
    Call& call, const Agent& agent, const Csr& csr, const Grounds& grounds,
    const RequestId& request) const {
  const HierarchySnapshotPtr snapshot = catalogs_.Snapshot()->Find(agent.hierarchy);
  if (!snapshot) {
    return Error(StatusCode::kUnavailable, "this server has not heard of the hierarchy of {} yet",
                 agent.id.ToString());
  }
  if (snapshot->is_destroyed()) {
    return Refusal<kHierarchyDestroyed>(snapshot->name());
  }
  const Hierarchy& hierarchy = snapshot->hierarchy();
  const CertificateProfile* profile = TRY(hierarchy.FindProfile(agent.profile));
  TRY(CheckRequest(csr, hierarchy, agent, *profile));
  call.event().rule = TRY(CheckPolicy(hierarchy, *profile, *call.event().request));

  const auto authority = TRY(snapshot->ActiveIssuer());
  const AuthorityRecord* const record = snapshot->FindRecord(authority->id());
  if (record->taint && record->taint->is_revoked) {
    return WithCode(StatusCode::kUnavailable,
                    Refusal<kAuthorityRevoked>(NameOf(hierarchy, *authority),
                                               "its successor takes over within seconds; retry"));
  }
  auto prepared = TRY(authority->Prepare(hierarchy, agent, *profile, csr.public_key(),
                                         directory_.For(authority->id()), clock_.Now()));
  call.event().serial = prepared.record().serial.ToString();
  return ledger_.RecordIntent(std::move(prepared), grounds, request, call.event());
}

Result<Certificate> Enrollment::SignAndRecord(RecordedIssuance recorded) const {
  // The authority of the record: an earlier attempt may have chosen one that is no longer active.
  const AuthorityId id = recorded.record().authority;
  auto authority = catalogs_.Snapshot()->FindAuthority(id);
  if (!authority.ok()) {  // another replica's attempt chose one that this replica does not know
    TRY(catalogs_.Reload());
    authority = catalogs_.Snapshot()->FindAuthority(id);
  }
  TRY(authority.status());
  auto certificate = TRY((*authority)->Sign(std::move(recorded)));
  return ledger_.RecordCertificate(std::move(certificate));
}

Result<IssuedCertificate> Enrollment::Released(Certificate certificate) const {
  auto hierarchy = catalogs_.Snapshot()->Find(certificate.record.hierarchy);
  if (hierarchy) return IssuedCertificate{std::move(certificate), std::move(hierarchy)};
  return Error(StatusCode::kUnavailable, "the hierarchy of {} went away; retry",
               certificate.record.subject.ToString());
}

}  // namespace ca
