#include "ca/server/rpc/certificate_mapping.h"

#include "ca/server/rpc/common_mapping.h"

namespace server {

using ca::Result;

agentpki::v1::GetCertificateResponse ToProto(const ca::Certificate& certificate,
                                             const std::vector<ca::Bytes>& intermediates,
                                             const std::vector<ca::Bytes>& roots) {
  agentpki::v1::GetCertificateResponse message;
  message.set_certificate(certificate.Der());
  for (const ca::Bytes& der : intermediates) message.add_intermediates(der);
  for (const ca::Bytes& der : roots) message.add_roots(der);
  return message;
}

agentpki::v1::CertificateEntry ToProto(const ca::CertificateEntry& entry,
                                       const ca::Hierarchy& hierarchy,
                                       const std::optional<ca::Revocation>& revocation) {
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
  if (revocation) {
    *message.mutable_revoked_at() = ToProto(revocation->revoked_at);
    message.set_revocation_reason(std::string(NameOf(revocation->reason)));
  }
  return message;
}

Result<ca::CertificateQuery> FromProto(const agentpki::v1::ListCertificatesRequest& request,
                                       const ca::Hierarchy& hierarchy, ca::TimePoint now) {
  ca::CertificateQuery query{.hierarchy = hierarchy.id,
                             .live_only = request.live_only(),
                             .now = now,
                             .page_token = std::nullopt};
  query.page_size = TRY(PageSizeFrom(request.page_size(), ca::CertificateQuery::kPageSizeMax));
  if (!request.spiffe_id().empty()) {
    query.subject = TRY(SpiffeIdFrom("spiffe_id", request.spiffe_id()));
  }
  if (!request.page_token().empty()) {
    query.page_token = TRY(ca::SerialNumber::FromHexText(request.page_token()));
  }
  return query;
}

}  // namespace server
