#pragma once

#include <vector>

#include "ca/base/bytes.h"
#include "ca/base/clock.h"
#include "ca/model/hierarchy.h"
#include "ca/x509/public_key.h"

// The certificate that an external CA has signed for an issuing authority of ours. The linter
// cannot check it, because another CA built it, and nothing can be added to it later. So it is read
// here as relying parties will read it, before anything is issued under it.
namespace ca {

// A certificate for an issuing authority, checked, with its chain.
struct ExternalCertificate {
  // At most this many certificates are taken at once, the root included.
  static constexpr size_t kCertificatesMax = 8;

  Bytes certificate;                 // DER
  std::vector<Bytes> intermediates;  // DER, nearest first, without the root
  Bytes root;                        // DER, one of Hierarchy::external_roots

  friend bool operator==(const ExternalCertificate&, const ExternalCertificate&) = default;
};

// Finds the certificate among `brought` (DER, in any order) that is for `key`, and its chain to one
// of the hierarchy's external roots. It must be the one that ca/issuance/authority_request.h asks
// for.
//
// kInvalidArgument, with one of the rules
//   import.size                too many certificates, or too large ones
//   import.malformed           one cannot be read
//   import.key                 none is for this key
//   import.chain               it has no chain to an external root of the hierarchy, by RFC 5280
//                              section 6.1, or not for the usages of the hierarchy's profiles
//   import.ca                  it is no CA's, or its pathLenConstraint is not 0
//   import.path-length         a CA above it allows too few CAs below
//   import.key-usage           its key usage is not for certificates and CRLs
//   import.key-identifier      its key identifier is not the one in the certificates that it will
//                              issue
//   import.subject             its subject is empty, or is its issuer's
//   import.trust-domain        it has another alternative name than the trust domain's
//   import.name-constraints    it is not constrained to the hierarchy's names or to fewer
//   import.validity            it ends too early, or after a certificate above it
Result<ExternalCertificate> CheckExternalCertificate(const std::vector<Bytes>& brought,
                                                     const Hierarchy& hierarchy,
                                                     const PublicKey& key, TimePoint now);

}  // namespace ca
