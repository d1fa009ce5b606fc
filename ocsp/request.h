#pragma once

#include <optional>
#include <vector>

#include "ca/base/bytes.h"
#include "ca/base/serial_number.h"

namespace ocsp {

// The algorithm of the hashes of the issuer's name and key in a CertID.
enum class HashAlgorithm { kSha1, kSha256, kOther };

// The certificate that a client asks about (RFC 6960 section 4.1.1).
struct CertId {
  ca::Bytes der;  // as received; the answer repeats it
  HashAlgorithm hash = HashAlgorithm::kOther;
  ca::Bytes issuer_name_hash;
  ca::Bytes issuer_key_hash;
  std::optional<ca::SerialNumber> serial;  // none if not of our form: this CA never signed it
};

// An OCSPRequest. Its signature and requestorName are ignored: RFC 6960 section 4.1.2 leaves that
// to the responder, and the answer is the same for every client.
struct Request {
  static constexpr size_t kSizeMax = 16 * 1024;  // octets
  static constexpr size_t kCertIdsMax = 32;
  static constexpr size_t kNonceMax = 128;  // octets (RFC 9654 section 2.1)

  std::vector<CertId> cert_ids;    // 1 to kCertIdsMax
  std::optional<ca::Bytes> nonce;  // 1 to kNonceMax octets
  // The DER of a request with these CertIDs and nothing else: the same for all requests about the
  // same certificates. The key of the cache.
  ca::Bytes plain_der;

  // kInvalidArgument (always answered by malformedRequest) unless `der` is the DER of one request,
  // version 1, within the bounds above, with no critical extension except the nonce. Other
  // extensions are skipped. They may encode a `critical` of FALSE, as some clients do.
  static ca::Result<Request> Parse(ca::BytesView der);
};

}  // namespace ocsp
