#pragma once

#include <set>
#include <string>

#include "ca/base/bytes.h"
#include "ca/base/openssl.h"

namespace bench {

// The revocation status of a certificate as relying parties see it: through OpenSSL alone.
class StatusSubject {
 public:
  // Both DER. kFailedPrecondition if the certificate has no OCSP or CRL URL.
  static ca::Result<StatusSubject> Of(ca::BytesView certificate, ca::BytesView issuer);

  const std::string& ocsp_url() const { return ocsp_url_; }
  const std::string& crl_url() const { return crl_url_; }
  std::string serial() const;  // lower-case hex, 40 digits

  // A DER OCSPRequest (RFC 6960 section 4.1.1), not signed, with SHA-1 in the CertID (RFC 5019).
  ca::Bytes OcspRequest(ca::BytesView nonce = {}) const;
  // The certificate's status in the answer. Does not verify the signature. kFailedPrecondition if
  // the answer is neither good nor revoked.
  ca::Result<bool> IsRevoked(ca::BytesView ocsp_response) const;

 private:
  StatusSubject() = default;
  ca::X509Ptr certificate_;
  ca::X509Ptr issuer_;
  std::string ocsp_url_;
  std::string crl_url_;
};

// A DER OCSPRequest (RFC 6960 section 4.1.1) for the certificate `serial` of `issuer`.
ca::Bytes OcspRequestFor(const X509& issuer, const ASN1_INTEGER& serial, ca::BytesView nonce);

// The request as the last part of a GET's path (RFC 6960 appendix A.1): base64, percent-encoded.
std::string OcspPathPart(ca::BytesView request);
std::string Base64(ca::BytesView bytes);

// The serials that a CRL lists, in lower-case hex. kFailedPrecondition if `crl` is not a DER CRL.
ca::Result<std::set<std::string>> SerialsOf(ca::BytesView crl);

}  // namespace bench
