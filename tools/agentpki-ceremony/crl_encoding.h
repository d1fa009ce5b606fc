#pragma once

#include "ca/ceremony/record.h"
#include "crl/cert_list.h"

namespace ceremony {

// Encodes a complete CRL of the root. It covers all certificates of the root, so it has no
// IssuingDistributionPoint (RFC 5280 section 5.2.5).
class CrlEncoding final : public ca::CrlEncoding {
 public:
  ca::Bytes EncodeTbs(const ca::Authority& root, std::int64_t number, const ca::Validity& validity,
                      const std::vector<ca::Revocation>& revoked) const override {
    return crl::CertList{
        .issuer = root.name(),
        .authority_key_identifier = root.key_identifier(),
        .number = number,
        .this_update = validity.not_before,
        .next_update = validity.not_after,
        .revoked = revoked,
    }
        .EncodeTbs();
  }
  ca::Bytes Encode(ca::BytesView tbs, ca::BytesView signature) const override {
    return crl::EncodeCrl(tbs, signature);
  }
};

}  // namespace ceremony
