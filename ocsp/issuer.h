#pragma once

#include "ca/issuance/authority.h"
#include "ocsp/request.h"

namespace ocsp {

// The hashes by which CertIDs name an issuer (RFC 6960 section 4.1.1). Immutable, thread-safe.
class IssuerHashes {
 public:
  explicit IssuerHashes(const ca::Authority& issuer);

  // Whether `id` names this authority as the issuer. Always false for HashAlgorithm::kOther.
  bool AreIn(const CertId& id) const;

 private:
  struct Hashes {
    ca::Bytes name;
    ca::Bytes key;
  };

  Hashes sha1_;
  Hashes sha256_;
};

}  // namespace ocsp
