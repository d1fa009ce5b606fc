#pragma once

#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "ca/issuance/authority.h"
#include "ocsp/responder.h"

namespace ocsp::testing {

// The answer for one certificate of a request, as OpenSSL parses it.
struct Single {
  std::string status;  // good, revoked, unknown; "" if the answer does not have it
  std::optional<int> reason;
  std::optional<ca::TimePoint> revoked_at;
  ca::TimePoint this_update;
  ca::TimePoint next_update;
};

// An answer as OpenSSL parses it.
struct Verdict {
  // OpenSSL's name: successful, malformedrequest, internalerror, trylater, unauthorized.
  std::string response;
  std::vector<Single> singles;  // in the order of the request
  int nonce = 0;                // OCSP_check_nonce
  ca::TimePoint produced_at;
};

// Does not verify the signature.
Verdict Read(const Answer& answer, ca::BytesView request);

// "" if OCSP_basic_verify accepts the signature at `now`, by an OCSP responder of `issuer`, with
// `root` as the only trust anchor. Otherwise OpenSSL's reason.
std::string Verify(const Answer& answer, const ca::Authority& issuer, const ca::Authority& root,
                   ca::TimePoint now);

}  // namespace ocsp::testing
