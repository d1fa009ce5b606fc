#pragma once

#include <openssl/ocsp.h>

#include <string_view>

#include "ca/issuance/authority.h"

namespace ocsp::testing {

using OcspRequestPtr = ca::Owned<OCSP_REQUEST, OCSP_REQUEST_free>;

// An OCSP request that OpenSSL encodes.
class Question {
 public:
  // A CertID for a serial of `issuer`.
  Question& About(const ca::Authority& issuer, const ca::SerialNumber& serial,
                  const EVP_MD* hash = EVP_sha1());
  // The same for any serial, also of another form.
  Question& AboutOctets(const ca::Authority& issuer, ca::BytesView serial,
                        const EVP_MD* hash = EVP_sha1());
  Question& Nonce(ca::BytesView octets);
  // Adds an extension to the request, or to the CertID that was added last. `value` is DER.
  Question& Extension(std::string_view oid, bool is_critical, ca::BytesView value);
  Question& SingleExtension(std::string_view oid, bool is_critical, ca::BytesView value);
  Question& RequestorName(std::string_view common_name);
  // Signs by an unknown key and name. Adds `certificate` if it is not null.
  Question& Signed(X509* certificate = nullptr);

  ca::Bytes Der() const;

 private:
  OcspRequestPtr request_{OCSP_REQUEST_new()};
};

OcspRequestPtr ParseQuestion(ca::BytesView der);

}  // namespace ocsp::testing
