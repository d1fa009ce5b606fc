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

// A certificate that is released, with all that its agent needs to use it.
struct IssuedCertificate {
  Certificate certificate;
  std::vector<Bytes> intermediates;  // DER, in the order of a TLS handshake
  std::vector<Bytes> roots;          // DER, what peers of the same hierarchy trust
};

// The story of an agent's certificates: the first one, by a join token, and each next one, by the
// certificate that still stands and a new key. Thread-safe; calls block.
//
// Each call leaves what it learns of itself in `event` (actor, hierarchy, subject, request,
// serial), also when it fails. When it succeeds, `event` was recorded together with the intent;
// when it fails, the caller has to record it.
//
// When another authority was activated meanwhile, it goes on with that one.
//
// Errors: those of Csr::Parse, CheckRequest, CheckPolicy, Quotas::TakeCertificate and
// Ledger::RecordIntent with their rules; also kUnavailable while token or database is away, then
// the same request may be sent again.
class Enrollment {
 public:
  // `catalogs` is reloaded when the ledger knows more than it. `directory` is what certificates say
  // of where their status is. All outlive it.
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

  // For the server's own certificates, and those that `init` makes for operators: no credential but
  // being the server.
  Result<Recorded<IssuedCertificate>> Issue(Call& call, const Agent& agent, BytesView csr_der,
                                            const Grounds& grounds, const RequestId& request) const;

 private:
  Result<Recorded<std::variant<RecordedIssuance, Certificate>>> Intend(
      Call& call, const Agent& agent, const Csr& csr, const Grounds& grounds,
      const RequestId& request) const;
  Result<Certificate> SignAndRecord(RecordedIssuance recorded) const;
  Status TakeOfQuota(const Agent& agent, const Grounds& grounds) const;
  IssuedCertificate Released(Certificate certificate) const;

  LiveCatalog& catalogs_;
  Registry& registry_;
  Ledger& ledger_;
  const StatusDirectory& directory_;
  const Clock& clock_;
  const Quotas& quotas_;
};

}  // namespace ca
