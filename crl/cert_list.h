#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "ca/issuance/authority.h"
#include "ca/ports/crl_store.h"

namespace crl {

// A TBSCertList (RFC 5280 section 5.1), before it is octets.
struct CertList {
  ca::Bytes issuer;  // DER Name
  ca::Bytes authority_key_identifier;
  std::int64_t number = 0;         // CRLNumber, section 5.2.3
  std::int64_t base_number = 0;    // DeltaCRLIndicator, section 5.2.4; 0: a complete CRL
  std::string distribution_point;  // of a critical IssuingDistributionPoint, 5.2.5; "" for none
  std::string freshest_crl;   // URL of its delta CRL, section 5.2.6; "" for none, and in a delta
  ca::TimePoint this_update;  // whole seconds are written
  ca::TimePoint next_update;
  std::vector<ca::Revocation> revoked;  // in this order

  // DER, to be signed with ecdsa-with-SHA256. 100,000 entries within a fraction of a second.
  ca::Bytes EncodeTbs() const;
};

// DER CertificateList of a TBSCertList and a DER Ecdsa-Sig-Value.
ca::Bytes EncodeCrl(ca::BytesView tbs, ca::BytesView signature);

// Whether the key in the issuer's certificate made this signature: what a relying party will ask.
bool IsSignedBy(const ca::Authority& issuer, ca::BytesView tbs, ca::BytesView signature);

// What a signed CRL says, read back: for the consistency check and for tests.
struct ReadCrl {
  std::int64_t number = 0;
  ca::TimePoint this_update;
  ca::TimePoint next_update;
  std::vector<std::pair<ca::SerialNumber, ca::RevocationReason>> revoked;  // by serial
  std::int64_t base_number = 0;                                            // of a delta CRL
};
// kInvalidArgument when it is none to the last octet, or not of this issuer and by its key, or says
// what ours never say: another form of serial, certificateHold.
ca::Result<ReadCrl> Read(ca::BytesView der, const ca::Authority& issuer);

}  // namespace crl
