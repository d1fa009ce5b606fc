#pragma once

#include "ca/issuance/authority.h"
#include "ocsp/request.h"

namespace ocsp {

// How CertIDs name an authority (RFC 6960 section 4.1.1), computed once. Immutable, thread-safe.
class IssuerHashes {
 public:
  explicit IssuerHashes(const ca::Authority& issuer);

  // Whether the certificate that `id` asks for is one of this authority's, by what `id` says. Never
  // for a HashAlgorithm::kOther.
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
