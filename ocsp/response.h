#pragma once

#include <optional>
#include <vector>

#include "ca/issuance/authority.h"
#include "ca/ports/revocation.h"

namespace ocsp {

// RFC 6960 section 4.2.1, OCSPResponseStatus by its numbers; without successful (0) and sigRequired
// (5).
enum class ErrorStatus {
  kMalformedRequest = 1,
  kInternalError = 2,
  kTryLater = 3,
  kUnauthorized = 6
};

// The DER OCSPResponse that says that and nothing else: not signed (RFC 6960 section 2.3).
ca::Bytes EncodeError(ErrorStatus status);

// What a responder states about the certificates of a request.
struct Statement {
  struct Single {
    ca::Bytes cert_id;  // DER, as it was asked for
    ca::CertificateStatus status;
  };

  std::vector<Single> singles;  // one at least
  // Whole seconds. From then on, and also when it is made: producedAt.
  ca::TimePoint this_update;
  ca::TimePoint next_update;
  std::optional<ca::Bytes> nonce;  // to repeat
};

// The DER OCSPResponse by `responder`, whose certificate is in it. kUnavailable when the token does
// not answer; kFailedPrecondition when it is no responder.
ca::Result<ca::Bytes> Sign(const Statement& statement, const ca::Authority& responder);

}  // namespace ocsp
