#pragma once

#include <openssl/ocsp.h>

#include <string_view>

#include "ca/issuance/authority.h"

namespace ocsp::testing {

using OcspRequestPtr = ca::Owned<OCSP_REQUEST, OCSP_REQUEST_free>;

// An OCSP request as OpenSSL makes it.
class Question {
 public:
  // A CertID for a serial of `issuer`.
  Question& About(const ca::Authority& issuer, const ca::SerialNumber& serial,
                  const EVP_MD* hash = EVP_sha1());
  // The same for a serial that need not be of our form.
  Question& AboutOctets(const ca::Authority& issuer, ca::BytesView serial,
                        const EVP_MD* hash = EVP_sha1());
  Question& Nonce(ca::BytesView octets);
  // Of the request, or of the CertID that was added last. `value` is DER.
  Question& Extension(std::string_view oid, bool is_critical, ca::BytesView value);
  Question& SingleExtension(std::string_view oid, bool is_critical, ca::BytesView value);
  Question& RequestorName(std::string_view common_name);
  // By a key that nobody knows, in nobody's name; with `certificate` when there is one.
  Question& Signed(X509* certificate = nullptr);

  ca::Bytes Der() const;

 private:
  OcspRequestPtr request_{OCSP_REQUEST_new()};
};

OcspRequestPtr ParseQuestion(ca::BytesView der);

}  // namespace ocsp::testing
