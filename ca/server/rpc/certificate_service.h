#pragma once

#include "agentpki/v1/certificate.grpc.pb.h"
#include "ca/access/authorization.h"
#include "ca/catalog/revocation_index.h"
#include "ca/ports/ledger.h"
#include "ca/server/rpc/call_gate.h"

namespace server {

class CertificateService final : public agentpki::v1::CertificateService::CallbackService {
 public:
  CertificateService(CallGate& call_gate, const ca::LiveCatalog& catalogs,
                     const ca::Authorization& authorization, ca::Ledger& ledger,
                     const ca::RevocationIndex& revocations, const ca::Clock& clock)
      : call_gate_(call_gate),
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
  // Looks in the hierarchies that the caller may read. kNotFound if none of them has it.
  ca::Result<ca::Certificate> Find(const ca::Caller& caller, const ca::SerialNumber& serial) const;

  CallGate& call_gate_;
  const ca::LiveCatalog& catalogs_;
  const ca::Authorization& authorization_;
  ca::Ledger& ledger_;
  const ca::RevocationIndex& revocations_;
  const ca::Clock& clock_;
};

}  // namespace server
