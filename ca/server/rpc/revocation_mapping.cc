#include "ca/server/rpc/revocation_mapping.h"

#include "ca/server/rpc/common_mapping.h"

namespace server {
namespace {

using ca::Error;
using ca::Result;
using ca::StatusCode;

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

}  // namespace

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

Result<ca::RevocationRequest> FromProto(const agentpki::v1::RevokeRequest& request) {
  auto target = TRY(RevocationTargetOf(request));
  ca::RevocationRequest order{.target = std::move(target), .invalidity_date = std::nullopt};
  if (!request.reason().empty()) order.reason = TRY(ca::RevocationReasonFrom(request.reason()));
  if (request.has_invalidity_date()) {
    order.invalidity_date = TRY(TimeFrom("invalidity_date", request.invalidity_date()));
  }
  return order;
}

}  // namespace server
