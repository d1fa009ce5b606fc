#pragma once

#include "ca/base/asn1.h"

namespace ca {

// RFC 5280 section 5.1:
//
//   TBSCertList  ::=  SEQUENCE  {
//        version                 Version OPTIONAL,
//                                     -- if present, MUST be v2
//        signature               AlgorithmIdentifier,
//        issuer                  Name,
//        thisUpdate              Time,
//        nextUpdate              Time OPTIONAL,
//        revokedCertificates     SEQUENCE OF SEQUENCE  { ... }  OPTIONAL,
//        crlExtensions           [0]  EXPLICIT Extensions OPTIONAL }
//
// The entries stay in their octets, because there may be a hundred thousand.
struct TbsCertListAsn1 {
  static constexpr long kVersion2 = 1;

  ASN1_INTEGER* version;
  X509_ALGOR* signature_algorithm;
  ASN1_STRING* issuer;
  ASN1_TIME* this_update;
  ASN1_TIME* next_update;
  ASN1_STRING* revoked;  // null if no certificate is revoked
  STACK_OF(X509_EXTENSION) * extensions;
};

// The template of Asn1Object<TbsCertListAsn1>.
const ASN1_ITEM* TbsCertListItem();

}  // namespace ca
