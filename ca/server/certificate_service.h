#pragma once

#include "agentpki/v1/certificate.grpc.pb.h"
#include "ca/authorization.h"
#include "ca/ledger.h"
#include "ca/revocation_index.h"
#include "ca/server/door.h"

namespace server {

class CertificateService final : public agentpki::v1::CertificateService::CallbackService {
 public:
  CertificateService(Door& door, const ca::LiveCatalog& catalogs,
                     const ca::Authorization& authorization, ca::Ledger& ledger,
                     const ca::RevocationIndex& revocations, const ca::Clock& clock)
      : door_(door),
        catalogs_(catalogs),
        authorization_(authorization),
        ledger_(ledger),
        revocations_(revocations),
        clock_(clock) {}

  grpc::ServerUnaryReactor* GetCertificate(grpc::CallbackServerContext* context,
                                           const agentpki::v1::GetCertificateRequest* request,
                                           agentpki::v1::GetCertificateResponse* response) override;
  grpc::ServerUnaryReactor* ListCertificates(
      grpc::CallbackServerContext* context, const agentpki::v1::ListCertificatesRequest* request,
      agentpki::v1::ListCertificatesResponse* response) override;

 private:
  // Among those hierarchies that the caller may read.
  ca::Result<ca::Certificate> Find(const ca::Caller& caller, const ca::SerialNumber& serial) const;

  Door& door_;
  const ca::LiveCatalog& catalogs_;
  const ca::Authorization& authorization_;
  ca::Ledger& ledger_;
  const ca::RevocationIndex& revocations_;
  const ca::Clock& clock_;
};

}  // namespace server
