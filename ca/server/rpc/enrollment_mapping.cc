#include "ca/server/rpc/enrollment_mapping.h"

#include "ca/server/rpc/common_mapping.h"

namespace server {

using ca::Error;
using ca::Result;
using ca::StatusCode;

agentpki::v1::IssuedCertificate ToProto(const ca::IssuedCertificate& issued) {
  agentpki::v1::IssuedCertificate message;
  const ca::IssuanceRecord& record = issued.certificate.record;
  message.set_certificate(issued.certificate.Der());
  for (const ca::Bytes& der : issued.intermediates()) message.add_intermediates(der);
  for (const ca::Bytes& der : issued.roots()) message.add_roots(der);
  message.set_serial(record.serial.ToString());
  message.set_spiffe_id(record.subject.ToString());
  *message.mutable_not_before() = ToProto(record.validity.not_before);
  *message.mutable_not_after() = ToProto(record.validity.not_after);
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

}  // namespace server
