#pragma once

#include "agentpki/v1/certificate.pb.h"
#include "ca/ports/ledger.h"
#include "ca/ports/revocation.h"

namespace server {

// `intermediates` and `roots`: DER, as ca::HierarchySnapshot has them for the certificate's issuer.
agentpki::v1::GetCertificateResponse ToProto(const ca::Certificate& certificate,
                                             const std::vector<ca::Bytes>& intermediates,
                                             const std::vector<ca::Bytes>& roots);
// `revocation` is none while the certificate is not revoked.
agentpki::v1::CertificateEntry ToProto(const ca::CertificateEntry& entry,
                                       const ca::Hierarchy& hierarchy,
                                       const std::optional<ca::Revocation>& revocation);

ca::Result<ca::CertificateQuery> FromProto(const agentpki::v1::ListCertificatesRequest& request,
                                           const ca::Hierarchy& hierarchy, ca::TimePoint now);

}  // namespace server
