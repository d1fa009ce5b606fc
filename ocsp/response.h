#pragma once

#include <optional>
#include <vector>

#include "ca/issuance/authority.h"
#include "ca/ports/revocation.h"

namespace ocsp {

// OCSPResponseStatus, with the numbers of RFC 6960 section 4.2.1. successful (0) and sigRequired
// (5) are left out.
enum class ErrorStatus {
  kMalformedRequest = 1,
  kInternalError = 2,
  kTryLater = 3,
  kUnauthorized = 6
};

// The DER OCSPResponse with that status and no responseBytes. It is not signed (RFC 6960 section
// 2.3).
ca::Bytes EncodeError(ErrorStatus status);

// The content of a response that is to be signed.
struct Statement {
  struct Single {
    ca::Bytes cert_id;  // DER, as received in the request
    ca::CertificateStatus status;
  };

  std::vector<Single> singles;     // at least one
  ca::TimePoint this_update;       // whole seconds; also producedAt
  ca::TimePoint next_update;       // whole seconds
  std::optional<ca::Bytes> nonce;  // the request's
};

// Signs the statement by `responder`, and returns the DER OCSPResponse, which carries the
// certificate of `responder`. kUnavailable if the token does not answer; kFailedPrecondition if
// `responder` is not an OCSP responder.
ca::Result<ca::Bytes> Sign(const Statement& statement, const ca::Authority& responder);

}  // namespace ocsp
