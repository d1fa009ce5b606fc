#include "ca/server/rpc/proto_mapping.h"

namespace server {
namespace {

using ca::Error;
using ca::Result;
using ca::StatusCode;

constexpr int kPageSizeDefault = 100;
// What `since` may be beyond its bound, so that it does not become wrong from page to page.
constexpr std::chrono::hours kPagingMax(24);

agentpki::v1::JoinToken::State ToProto(ca::JoinTokenRecord::State state) {
  switch (state) {
    case ca::JoinTokenRecord::State::kReady:
      return agentpki::v1::JoinToken::READY;
    case ca::JoinTokenRecord::State::kUsed:
      return agentpki::v1::JoinToken::USED;
    case ca::JoinTokenRecord::State::kExpired:
      return agentpki::v1::JoinToken::EXPIRED;
    case ca::JoinTokenRecord::State::kRevoked:
      return agentpki::v1::JoinToken::REVOKED;
  }
  return agentpki::v1::JoinToken::STATE_UNSPECIFIED;
}

using RevocationTarget = decltype(ca::RevocationRequest::target);

Result<RevocationTarget> RevocationTargetOf(const agentpki::v1::RevokeRequest& request) {
  using Request = agentpki::v1::RevokeRequest;
  switch (request.target_case()) {
    case Request::kSerial: {
      auto serial = ca::SerialNumber::FromHexText(request.serial());
      if (!serial.ok()) return ca::Annotate(serial.status(), "serial: ");
      return RevocationTarget(*std::move(serial));
    }
    case Request::kCertificate:
      return RevocationTarget(request.certificate());
    case Request::kSpiffeId: {
      auto id = TRY(SpiffeIdFrom("spiffe_id", request.spiffe_id()));
      return RevocationTarget(std::move(id));
    }
    case Request::kAuthority:
      return RevocationTarget(ca::AuthorityName{request.authority()});
    case Request::TARGET_NOT_SET:
      break;
  }
  return Error(StatusCode::kInvalidArgument,
               "target: name what to revoke: a serial, a certificate, a spiffe_id or an authority");
}

// Years that X.509 can write (RFC 5280 section 4.1.2.5), from 1970 on.
Result<ca::TimePoint> TimeFrom(std::string_view field, const google::protobuf::Timestamp& time) {
  constexpr std::int64_t kEndOf9999 = 253'402'300'799;
  if (time.seconds() >= 0 && time.seconds() <= kEndOf9999) {
    return ca::TimePoint(std::chrono::seconds(time.seconds()));
  }
  return Error(StatusCode::kInvalidArgument, "{}: write a time from 1970 to 9999", field);
}

}  // namespace

google::protobuf::Timestamp ToProto(ca::TimePoint time) {
  const auto whole = std::chrono::floor<std::chrono::seconds>(time);
  google::protobuf::Timestamp timestamp;
  timestamp.set_seconds(whole.time_since_epoch().count());
  timestamp.set_nanos(static_cast<int>(std::chrono::nanoseconds(time - whole).count()));
  return timestamp;
}

agentpki::v1::Agent ToProto(const ca::Agent& agent, const ca::Hierarchy& hierarchy) {
  agentpki::v1::Agent message;
  message.set_spiffe_id(agent.id.ToString());
  message.set_hierarchy(hierarchy.Name());
  message.set_owner(agent.owner);
  message.set_role(agent.role);
  message.set_version(agent.version);
  message.set_profile(agent.profile);
  for (const std::string& name : agent.dns_names) message.add_dns_names(name);
  for (const ca::IpAddress& address : agent.ip_addresses) {
    message.add_ip_addresses(address.ToString());
  }
  message.set_disabled(agent.disabled);
  *message.mutable_registered_at() = ToProto(agent.registered_at);
  return message;
}

agentpki::v1::JoinToken ToProto(const ca::JoinTokenRecord& token, ca::TimePoint now) {
  agentpki::v1::JoinToken message;
  message.set_id(token.Id());
  message.set_spiffe_id(token.agent.ToString());
  message.set_state(ToProto(token.StateAt(now)));
  message.set_created_by(token.created_by);
  *message.mutable_created_at() = ToProto(token.created_at);
  *message.mutable_expires_at() = ToProto(token.expires_at);
  if (token.used_at != ca::TimePoint{}) *message.mutable_used_at() = ToProto(token.used_at);
  message.set_used_by_request(token.used_by_request);
  return message;
}

agentpki::v1::IssuedCertificate ToProto(const ca::IssuedCertificate& issued) {
  agentpki::v1::IssuedCertificate message;
  const ca::IssuanceRecord& record = issued.certificate.record;
  message.set_certificate(issued.certificate.Der());
  for (const ca::Bytes& der : issued.intermediates) message.add_intermediates(der);
  for (const ca::Bytes& der : issued.roots) message.add_roots(der);
  message.set_serial(record.serial.ToString());
  message.set_spiffe_id(record.subject.ToString());
  *message.mutable_not_before() = ToProto(record.validity.not_before);
  *message.mutable_not_after() = ToProto(record.validity.not_after);
  return message;
}

agentpki::v1::CertificateEntry ToProto(const ca::CertificateEntry& entry,
                                       const ca::Hierarchy& hierarchy) {
  agentpki::v1::CertificateEntry message;
  message.set_serial(entry.serial.ToString());
  message.set_hierarchy(hierarchy.Name());
  message.set_spiffe_id(entry.subject.ToString());
  message.set_profile(entry.profile);
  message.set_key_fingerprint(ca::Hex(entry.key_fingerprint));
  *message.mutable_not_before() = ToProto(entry.validity.not_before);
  *message.mutable_not_after() = ToProto(entry.validity.not_after);
  *message.mutable_recorded_at() = ToProto(entry.recorded_at);
  message.set_signed_(entry.is_signed);
  return message;
}

agentpki::v1::AuthorityStatus ToProto(const ca::Authority& authority,
                                      const ca::Hierarchy& hierarchy) {
  agentpki::v1::AuthorityStatus message;
  message.set_kind(std::string(NameOf(authority.kind())));
  message.set_generation(authority.generation());
  message.set_key_label(authority.key_label());
  message.set_name(NameOf(hierarchy, authority));
  message.set_number(static_cast<std::int64_t>(authority.id()));
  message.set_fingerprint(ca::Hex(ca::Sha256(authority.certificate())));
  *message.mutable_not_before() = ToProto(authority.validity().not_before);
  *message.mutable_not_after() = ToProto(authority.validity().not_after);
  return message;
}

agentpki::v1::Authority ToProto(const ca::AuthorityView& view) {
  agentpki::v1::Authority message;
  message.set_name(view.name);
  message.set_hierarchy(view.hierarchy);
  message.set_kind(std::string(NameOf(view.record.kind)));
  message.set_generation(view.record.generation);
  message.set_state(std::string(NameOf(view.state)));
  message.set_key_label(view.record.key_label);
  if (const auto& destruction = view.record.key_destruction) {
    *message.mutable_key_destruction_decided_at() = ToProto(destruction->decided_at);
    if (destruction->destroyed_at) {
      *message.mutable_key_destroyed_at() = ToProto(*destruction->destroyed_at);
    }
  }
  if (const auto& taint = view.record.taint) {
    *message.mutable_tainted_at() = ToProto(taint->at);
    message.set_taint(taint->reason);
    message.set_revoked(taint->is_revoked);
  }
  if (!view.validity) return message;
  message.set_fingerprint(ca::Hex(ca::Sha256(view.record.certificate)));
  *message.mutable_published_at() = ToProto(view.record.published_at);
  if (view.active_since) *message.mutable_active_since() = ToProto(*view.active_since);
  if (view.active_until) *message.mutable_active_until() = ToProto(*view.active_until);
  if (view.retiring_until) *message.mutable_retiring_until() = ToProto(*view.retiring_until);
  *message.mutable_not_after() = ToProto(view.validity->not_after);
  return message;
}

agentpki::v1::Finding ToProto(const ca::Finding& finding) {
  agentpki::v1::Finding message;
  message.set_code(finding.code);
  message.set_hierarchy(finding.hierarchy);
  message.set_subject(finding.subject);
  message.set_what(finding.what);
  message.set_fix(finding.fix);
  return message;
}

agentpki::v1::RevokeResponse ToProto(const ca::RevocationOutcome& outcome) {
  agentpki::v1::RevokeResponse message;
  message.set_revoked_count(outcome.revoked_count);
  message.set_already_revoked_count(outcome.already_revoked_count);
  for (const ca::RevocationEntry& entry : outcome.revoked) {
    agentpki::v1::RevokedCertificate& revoked = *message.add_revoked();
    revoked.set_serial(entry.serial.ToString());
    revoked.set_spiffe_id(entry.subject.ToString());
    *revoked.mutable_not_after() = ToProto(entry.not_after);
  }
  if (outcome.standing) {
    *message.mutable_revoked_at() = ToProto(outcome.standing->revoked_at);
    message.set_reason(std::string(NameOf(outcome.standing->reason)));
  }
  return message;
}

agentpki::v1::CheckStatusResponse ToProto(const ConsistencyReport& report) {
  agentpki::v1::CheckStatusResponse message;
  message.set_live_count(report.live_count);
  message.set_revoked_count(report.revoked_count);
  message.set_ocsp_asked_count(report.ocsp_asked_count);
  message.set_crl_count(report.crl_count);
  message.set_crl_entry_count(report.crl_entry_count);
  for (const Discrepancy& discrepancy : report.discrepancies) {
    agentpki::v1::Discrepancy& told = *message.add_discrepancies();
    told.set_serial(discrepancy.serial);
    told.set_where(discrepancy.where);
    told.set_what(discrepancy.what);
  }
  message.set_discrepancy_count(report.discrepancy_count);
  return message;
}

agentpki::v1::TrustBundle ToProto(const ca::TrustBundle& bundle) {
  agentpki::v1::TrustBundle message;
  message.set_hierarchy(bundle.hierarchy);
  message.set_trust_domain(bundle.trust_domain.name());
  message.set_version(bundle.version);
  *message.mutable_published_at() = ToProto(bundle.published_at);
  for (const ca::Bytes& der : bundle.roots) message.add_roots(der);
  for (const ca::Bytes& der : bundle.issuing) message.add_issuing(der);
  return message;
}

agentpki::v1::ListStragglersResponse ToProto(const ca::Stragglers& stragglers) {
  agentpki::v1::ListStragglersResponse message;
  message.set_version(stragglers.progress.version);
  *message.mutable_published_at() = ToProto(stragglers.progress.published_at);
  message.set_live_count(stragglers.progress.count.live);
  message.set_acknowledged_count(stragglers.progress.count.acknowledged);
  for (const ca::LiveAgent& agent : stragglers.agents) {
    agentpki::v1::Straggler& straggler = *message.add_stragglers();
    straggler.set_spiffe_id(agent.id.ToString());
    straggler.set_owner(agent.owner);
    straggler.set_acknowledged_version(agent.acknowledged_version);
  }
  return message;
}

agentpki::v1::RecordedRequest ToProto(const ca::RecordedRequest& request) {
  agentpki::v1::RecordedRequest message;
  *message.mutable_at() = ToProto(request.position.at);
  message.set_operation(std::string(NameOf(request.operation)));
  message.set_spiffe_id(request.subject);
  message.set_decision(std::string(NameOf(request.decision)));
  message.set_rule(request.rule);
  if (!request.facts) return message;
  message.mutable_facts()->set_owner(request.facts->owner);
  message.mutable_facts()->set_role(request.facts->role);
  message.mutable_facts()->set_version(request.facts->version);
  message.mutable_facts()->set_profile(request.facts->profile);
  message.mutable_facts()->set_key_type(std::string(NameOf(request.facts->key_type)));
  return message;
}

Result<ca::EnrollmentRequest> FromProto(const agentpki::v1::EnrollRequest& request,
                                        ca::TimePoint now) {
  ca::RequestId id = TRY(ca::RequestId::Parse(request.request_id(), now));
  if (request.join_token_secret().size() != ca::JoinToken::kSecretSize) {
    return Error(StatusCode::kInvalidArgument,
                 "join_token_secret: send the {} octets that the join token has",
                 ca::JoinToken::kSecretSize);
  }
  return ca::EnrollmentRequest{std::move(id), request.csr(),
                               ca::Secret(request.join_token_secret())};
}

Result<ca::RenewalRequest> FromProto(const agentpki::v1::RenewRequest& request, ca::TimePoint now) {
  ca::RequestId id = TRY(ca::RequestId::Parse(request.request_id(), now));
  return ca::RenewalRequest{std::move(id), request.csr()};
}

Result<ca::RevocationRequest> FromProto(const agentpki::v1::RevokeRequest& request) {
  auto target = TRY(RevocationTargetOf(request));
  ca::RevocationRequest order{.target = std::move(target), .invalidity_date = std::nullopt};
  if (!request.reason().empty()) order.reason = TRY(ca::RevocationReasonFrom(request.reason()));
  if (request.has_invalidity_date()) {
    order.invalidity_date = TRY(TimeFrom("invalidity_date", request.invalidity_date()));
  }
  return order;
}

Result<ca::AgentRegistration> FromProto(const agentpki::v1::RegisterAgentRequest& request) {
  const agentpki::v1::Agent& agent = request.agent();
  if (!agent.hierarchy().empty() || agent.disabled() || agent.has_registered_at()) {
    return Error(
        StatusCode::kInvalidArgument,
        "agent: hierarchy, disabled and registered_at are the server's to say; leave them out");
  }
  ca::SpiffeId id = TRY(SpiffeIdFrom("agent.spiffe_id", agent.spiffe_id()));
  ca::AgentRegistration registration{
      .id = std::move(id),
      .owner = agent.owner(),
      .role = agent.role(),
      .version = agent.version(),
      .profile = agent.profile(),
      .dns_names = {agent.dns_names().begin(), agent.dns_names().end()},
  };
  if (agent.ip_addresses_size() > static_cast<int>(ca::Agent::kHostNamesMax)) {
    return Error(StatusCode::kInvalidArgument, "agent.ip_addresses: write at most {}",
                 ca::Agent::kHostNamesMax);
  }
  for (const std::string& text : agent.ip_addresses()) {
    auto address = ca::IpAddress::Parse(text);
    if (!address.ok()) return ca::Annotate(address.status(), "agent.ip_addresses: ");
    registration.ip_addresses.push_back(*std::move(address));
  }
  return registration;
}

Result<ca::RequestQuery> FromProto(const agentpki::v1::ListEnrollmentRequestsRequest& request,
                                   ca::TimePoint now) {
  ca::RequestQuery query{.after = std::nullopt};
  if (request.has_since()) query.since = TRY(TimeFrom("since", request.since()));
  if (!request.has_since() || query.since < now - ca::RequestQuery::kBackMax - kPagingMax) {
    return Error(StatusCode::kInvalidArgument, "since: write a time of the last {}",
                 ca::DurationText(ca::RequestQuery::kBackMax));
  }
  query.page_size = TRY(PageSizeFrom(request.page_size(), ca::RequestQuery::kPageSizeMax));
  if (!request.page_token().empty()) {
    query.after = TRY(ca::RequestPosition::Parse(request.page_token()));
  }
  return query;
}

Result<ca::SpiffeId> SpiffeIdFrom(const std::string& field, const std::string& text) {
  auto id = ca::SpiffeId::Parse(text);
  if (!id.ok()) return ca::Annotate(id.status(), field + ": ");
  return id;
}

Result<int> PageSizeFrom(int asked, int size_max) {
  if (asked == 0) return kPageSizeDefault;
  if (asked > 0 && asked <= size_max) return asked;
  return Error(StatusCode::kInvalidArgument, "page_size: {} is out of bounds; write 1 to {}", asked,
               size_max);
}

}  // namespace server
