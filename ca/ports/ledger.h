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

// The grounds on which an agent gets a certificate: the credential that it showed.
struct JoinTokenGrounds {
  Bytes secret_hash;
  TimePoint expires_at{};  // as the registry has it, for the message that it has expired
};
struct RenewalGrounds {
  SerialNumber presented;  // the certificate of the mTLS connection
};
// For the server's own certificates, and for those of operators that `init` makes.
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

// The record of every issuance. Thread-safe. Each call blocks until its change is durable; calls
// that arrive together are committed together, and each has an outcome of its own.
//
// Errors of every method: kUnavailable while the database is unavailable and kDeadlineExceeded
// while it is too slow (retry with the same request id), kInternal for an impossible state.
class Ledger : public RecordsDecisions {
 public:
  virtual ~Ledger() = default;

  // Makes the intent durable. One transaction holds the intent, `event` and, if a join token is the
  // ground, its use. When it returns, the certificate may be signed.
  //
  // Retries are safe: returns the Certificate if the same request of the same agent was answered
  // before, or the RecordedIssuance of the first attempt if that was recorded but never signed. A
  // refusal records nothing. Codes and rules:
  //   kPermissionDenied   join-token.unknown, join-token.used, join-token.expired,
  //                       join-token.revoked, join-token.agent (bound to another agent),
  //                       agent.disabled, renewal.unknown-certificate,
  //                       renewal.revoked (the presented certificate is),
  //                       key.compromised (in any hierarchy, ever)
  //   kAlreadyExists      key.in-use (another agent's live certificate has it),
  //                       key.not-new (renewal with a key that has a live certificate)
  //   kInvalidArgument    request-id.reused (with another key)
  //   kNotFound           agent.unknown
  //   kAborted            authority.superseded (another authority issues now: prepare anew)
  virtual Result<Recorded<std::variant<RecordedIssuance, Certificate>>> RecordIntent(
      PreparedCertificate prepared, const Grounds& grounds, const RequestId& request,
      const AuditEvent& event) = 0;

  // When it returns, the certificate may be released. If a concurrent retry also signed the intent,
  // the first recorded signature wins: returns the certificate with that signature.
  virtual Result<Certificate> RecordCertificate(Certificate certificate) = 0;

  // Records a decision that changed nothing else: a refusal, a failure, or a reading.
  virtual Result<RecordedDecision> RecordEvent(const AuditEvent& event) = 0;

  // Finds a signed certificate. kNotFound when no signed certificate has that serial.
  virtual Result<Certificate> FindCertificate(HierarchyId hierarchy,
                                              const SerialNumber& serial) = 0;

  virtual Result<std::vector<CertificateEntry>> ListCertificates(const CertificateQuery& query) = 0;

  // Lists the decided requests for certificates, from the events of Enroll and Renew. A request
  // that was answered again is listed once. A request that is decided meanwhile may be missing.
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
