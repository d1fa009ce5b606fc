#pragma once

#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "ca/issuance/authority.h"
#include "ocsp/responder.h"

namespace ocsp::testing {

// What OpenSSL reads in an answer to one certificate of a request.
struct Single {
  std::string status;  // good, revoked, unknown; "" when the answer does not speak of it
  std::optional<int> reason;
  std::optional<ca::TimePoint> revoked_at;
  ca::TimePoint this_update;
  ca::TimePoint next_update;
};

// What OpenSSL makes of an answer.
struct Verdict {
  // As OpenSSL names it: successful, malformedrequest, internalerror, trylater, unauthorized.
  std::string response;
  std::vector<Single> singles;  // in the order of the request
  int nonce = 0;                // OCSP_check_nonce
  ca::TimePoint produced_at;
};

// Does not look at the signature.
Verdict Read(const Answer& answer, ca::BytesView request);

// "" when OCSP_basic_verify accepts its signature at `now`, as what a responder of `issuer` says,
// with `root` alone trusted; else why it does not.
std::string Verify(const Answer& answer, const ca::Authority& issuer, const ca::Authority& root,
                   ca::TimePoint now);

}  // namespace ocsp::testing
