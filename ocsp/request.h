#pragma once

#include <optional>
#include <vector>

#include "ca/base/bytes.h"
#include "ca/base/serial_number.h"

namespace ocsp {

// Of the issuer's name and key in a CertID.
enum class HashAlgorithm { kSha1, kSha256, kOther };

// RFC 6960 section 4.1.1: the certificate that is asked for.
struct CertId {
  ca::Bytes der;  // as it came: the answer repeats it
  HashAlgorithm hash = HashAlgorithm::kOther;
  ca::Bytes issuer_name_hash;
  ca::Bytes issuer_key_hash;
  std::optional<ca::SerialNumber> serial;  // none: not of our form, so never signed by us
};

// An OCSPRequest. Neither its signature nor its requestorName is looked at: RFC 6960 section 4.1.2
// leaves it to the responder, and an answer is the same for everybody.
struct Request {
  static constexpr size_t kSizeMax = 16 * 1024;  // octets
  static constexpr size_t kCertIdsMax = 32;
  static constexpr size_t kNonceMax = 128;  // octets (RFC 9654 section 2.1)

  std::vector<CertId> cert_ids;    // one at least
  std::optional<ca::Bytes> nonce;  // 1 to kNonceMax octets
  // The DER of the request with these CertIDs and with nothing else: one for all that ask the same.
  ca::Bytes plain_der;

  // kInvalidArgument, always a malformedRequest, unless `der` is the DER of one request within the
  // bounds above, version 1, without critical extensions but for the nonce. Extensions that are not
  // critical are skipped; of those, a `critical` of FALSE may be written out, as some clients do.
  static ca::Result<Request> Parse(ca::BytesView der);
};

}  // namespace ocsp
