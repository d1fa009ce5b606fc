#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "ca/issuance/authority.h"
#include "ca/ports/crl_store.h"

namespace crl {

// The content of a CRL, a TBSCertList (RFC 5280 section 5.1).
struct CertList {
  ca::Bytes issuer;  // DER Name
  ca::Bytes authority_key_identifier;
  std::int64_t number = 0;       // CRLNumber, section 5.2.3
  std::int64_t base_number = 0;  // DeltaCRLIndicator, section 5.2.4; 0 in a complete CRL
  // URL in a critical IssuingDistributionPoint, section 5.2.5; "" for no such extension.
  std::string distribution_point;
  std::string freshest_crl;   // URL of its delta CRL, section 5.2.6; "" for none; unused in a delta
  ca::TimePoint this_update;  // both are encoded in whole seconds
  ca::TimePoint next_update;
  std::vector<ca::Revocation> revoked;  // the entries, in this order

  // DER, for a signature with ecdsa-with-SHA256. Encodes 100,000 entries in a fraction of a second.
  ca::Bytes EncodeTbs() const;
};

// The DER CertificateList of a DER TBSCertList and a DER Ecdsa-Sig-Value.
ca::Bytes EncodeCrl(ca::BytesView tbs, ca::BytesView signature);

// Whether the signature verifies with the key in the issuer's certificate.
bool IsSignedBy(const ca::Authority& issuer, ca::BytesView tbs, ca::BytesView signature);

// The content of a signed CRL, for the consistency check and for tests.
struct ReadCrl {
  std::int64_t number = 0;
  ca::TimePoint this_update;
  ca::TimePoint next_update;
  std::vector<std::pair<ca::SerialNumber, ca::RevocationReason>> revoked;  // by serial
  std::int64_t base_number = 0;                                            // 0: a complete CRL
};
// Parses a CRL and verifies its signature. kInvalidArgument if `der` is not the DER of one CRL, if
// another issuer's name or key is on it, or if it has content that our CRLs never have: another
// form of serial, or the reason certificateHold.
ca::Result<ReadCrl> Read(ca::BytesView der, const ca::Authority& issuer);

}  // namespace crl
