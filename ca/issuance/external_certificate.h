#pragma once

#include <vector>

#include "ca/base/bytes.h"
#include "ca/base/clock.h"
#include "ca/model/hierarchy.h"
#include "ca/x509/public_key.h"

// Certificates of somebody else's CA: the root that a hierarchy is under, and what was signed there
// for an issuing authority of ours. None of the linter's assumptions hold of them, and what they
// lack nobody can add later: so they are read as relying parties will read them, before anything is
// issued under them.
namespace ca {

// What was brought for an issuing authority, checked.
struct ExternalCertificate {
  // So many certificates may be brought at once, the root included.
  static constexpr size_t kCertificatesMax = 8;

  Bytes certificate;                 // DER
  std::vector<Bytes> intermediates;  // DER, nearest first, without the root
  Bytes root;                        // DER, one of Hierarchy::external_roots

  friend bool operator==(const ExternalCertificate&, const ExternalCertificate&) = default;
};

// The certificate among `brought` (DER, in any order) that is for `key`, with what stands between
// it and one of the hierarchy's external roots. It has to be what ca/issuance/authority_request.h
// asks for.
//
// kInvalidArgument, with one of the rules
//   import.size                too many certificates, or too large ones
//   import.malformed           one cannot be read
//   import.key                 none is for this key
//   import.chain               it has no chain to an external root of the hierarchy, by RFC 5280
//                              section 6.1, or not for the usages of the hierarchy's profiles
//   import.ca                  it is no CA's, or its pathLenConstraint is not 0
//   import.path-length         one above it allows no CA below
//   import.key-usage           not for certificates and CRLs
//   import.key-identifier      not the one that its certificates will have
//   import.subject             it has none, or its issuer's
//   import.trust-domain        it has URIs that are not the trust domain's
//   import.name-constraints    it is not constrained to the hierarchy's names, or to fewer
//   import.validity            it ends too early, or after one above it
Result<ExternalCertificate> CheckExternalCertificate(const std::vector<Bytes>& brought,
                                                     const Hierarchy& hierarchy,
                                                     const PublicKey& key, TimePoint now);

}  // namespace ca
