#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "ca/base/request_id.h"
#include "ca/issuance/issuance.h"
#include "ca/model/audit_event.h"
#include "ca/model/recorded_request.h"
#include "ca/ports/recorded.h"

namespace ca {

// Why an agent may have a certificate: the credential that it showed.
struct JoinTokenGrounds {
  Bytes secret_hash;
  TimePoint expires_at{};  // as the registry has it, for the message that it has expired
};
struct RenewalGrounds {
  SerialNumber presented;  // the certificate of the mTLS connection
};
// The server's own certificates and the operators' that `init` makes.
struct SystemGrounds {};
using Grounds = std::variant<JoinTokenGrounds, RenewalGrounds, SystemGrounds>;

// One issued certificate in a listing.
struct CertificateEntry {
  SerialNumber serial;
  HierarchyId hierarchy{};
  SpiffeId subject;
  std::string profile;
  Bytes key_fingerprint;
  Validity validity;
  TimePoint recorded_at;
  bool is_signed = false;  // false: the intent is recorded, a signature never was
};

struct CertificateQuery {
  static constexpr int kPageSizeMax = 1000;

  HierarchyId hierarchy{};
  std::optional<SpiffeId> subject;
  bool live_only = false;
  TimePoint now;
  int page_size = 100;
  // The last serial of the page before; none for the first. Order: by serial, descending, which is
  // by day of expiry, latest first.
  std::optional<SerialNumber> page_token;
};

// The record of every issuance. Thread-safe; calls block until what they say is durable, and
// callers that arrive together are committed together, each with an outcome of its own.
//
// Errors of every method: kUnavailable while the database is away and kDeadlineExceeded while it is
// too slow (retry with the same request id), kInternal for what should not happen.
class Ledger : public RecordsDecisions {
 public:
  virtual ~Ledger() = default;

  // Makes the intent durable, together with `event` and with the use of the join token if that is
  // the ground, in one transaction; when it returns, the certificate may be signed.
  //
  // Yields a Certificate when the same agent's same request was answered before, and the
  // RecordedIssuance of the first attempt when that was recorded but never signed: retries are
  // safe. Nothing is recorded when it refuses, by these codes and rules:
  //   kPermissionDenied   join-token.unknown, join-token.used, join-token.expired,
  //   join-token.revoked,
  //                       join-token.agent (bound to another), agent.disabled,
  //                       renewal.unknown-certificate, renewal.revoked (the presented one is),
  //                       key.compromised (in any hierarchy, ever)
  //   kAlreadyExists      key.in-use (another agent's live certificate has it),
  //                       key.not-new (renewal with a key that has a live certificate)
  //   kInvalidArgument    request-id.reused (with another key)
  //   kNotFound           agent.unknown
  //   kAborted            authority.superseded (another issues now: prepare it anew)
  virtual Result<Recorded<std::variant<RecordedIssuance, Certificate>>> RecordIntent(
      PreparedCertificate prepared, const Grounds& grounds, const RequestId& request,
      const AuditEvent& event) = 0;

  // When it returns, the certificate may be released. Returns the certificate that stands: of two
  // signatures over one intent (a retry that raced) the first recorded wins.
  virtual Result<Certificate> RecordCertificate(Certificate certificate) = 0;

  // A decision that changed nothing else: a refusal, a failure, an operator's reading.
  virtual Result<RecordedDecision> RecordEvent(const AuditEvent& event) = 0;

  // A signed certificate. kNotFound when there is none by that serial.
  virtual Result<Certificate> FindCertificate(HierarchyId hierarchy,
                                              const SerialNumber& serial) = 0;

  virtual Result<std::vector<CertificateEntry>> ListCertificates(const CertificateQuery& query) = 0;

  // The requests for certificates that were decided, by the events of Enroll and Renew. One that
  // was answered again is there once. One that is decided while this runs may be left out.
  virtual Result<std::vector<RecordedRequest>> ListRequests(const RequestQuery& query) = 0;

 protected:
  // For implementations, once the intent is durable (or was found to be).
  static RecordedIssuance ReadyToSign(PreparedCertificate prepared) {
    return RecordedIssuance(std::move(prepared.record_));
  }
  static RecordedIssuance ReadyToSign(IssuanceRecord found) {
    return RecordedIssuance(std::move(found));
  }
};

}  // namespace ca
