#pragma once

#include <memory>
#include <string>
#include <vector>

#include "ca/access/call.h"
#include "ca/base/clock.h"
#include "ca/base/secret.h"
#include "ca/catalog/live_catalog.h"
#include "ca/catalog/status_directory.h"
#include "ca/model/quotas.h"
#include "ca/ports/ledger.h"
#include "ca/ports/registry.h"
#include "ca/x509/csr.h"

namespace ca {

struct EnrollmentRequest {
  RequestId id;
  Bytes csr;      // DER PKCS #10
  Secret secret;  // of the join token
};

struct RenewalRequest {
  RequestId id;
  Bytes csr;  // DER PKCS #10, for a new key
};

// A released certificate, with the certificates that its agent needs to use it.
struct IssuedCertificate {
  Certificate certificate;
  HierarchySnapshotPtr hierarchy;

  // DER, in the order of a TLS handshake.
  const std::vector<Bytes>& intermediates() const {
    return hierarchy->Intermediates(certificate.record.authority);
  }
  // DER: the roots that peers of the same hierarchy trust.
  const std::vector<Bytes>& roots() const { return hierarchy->Roots(); }
};

// The use case of an agent's certificates: the first one by a join token, and each next one by the
// valid certificate and a new key. Thread-safe; calls block.
//
// The event of the call is recorded together with the intent. If another authority is activated
// meanwhile, the new one issues.
//
// Errors: those of Csr::Parse, CheckRequest, CheckPolicy, Quotas::TakeCertificate and
// Ledger::RecordIntent, with their rules; kUnavailable while the token or the database is
// unavailable, when the same request may be sent again.
class Enrollment {
 public:
  // Reloads `catalogs` when the ledger is ahead of it. Certificates get the URLs of their status
  // from `directory`. All outlive it.
  Enrollment(LiveCatalog& catalogs, Registry& registry, Ledger& ledger,
             const StatusDirectory& directory, const Clock& clock,
             const Quotas& quotas = Quotas::None())
      : catalogs_(catalogs),
        registry_(registry),
        ledger_(ledger),
        directory_(directory),
        clock_(clock),
        quotas_(quotas) {}

  Result<Recorded<IssuedCertificate>> Enroll(Call& call, const EnrollmentRequest& request) const;

  Result<Recorded<IssuedCertificate>> Renew(Call& call, const RenewalRequest& request) const;

  // Issues the server's own certificates, and those of operators that `init` makes, without a
  // credential.
  Result<Recorded<IssuedCertificate>> Issue(Call& call, const Agent& agent, BytesView csr_der,
                                            const Grounds& grounds, const RequestId& request) const;

 private:
  Result<Recorded<std::variant<RecordedIssuance, Certificate>>> Intend(
      Call& call, const Agent& agent, const Csr& csr, const Grounds& grounds,
      const RequestId& request) const;
  Result<Certificate> SignAndRecord(RecordedIssuance recorded) const;
  Status TakeOfQuota(const Agent& agent, const Grounds& grounds) const;
  Result<IssuedCertificate> Released(Certificate certificate) const;

  LiveCatalog& catalogs_;
  Registry& registry_;
  Ledger& ledger_;
  const StatusDirectory& directory_;
  const Clock& clock_;
  const Quotas& quotas_;
};

}  // namespace ca
