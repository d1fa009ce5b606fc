#pragma once

#include "ca/base/bytes.h"
#include "ca/base/clock.h"
#include "ca/issuance/key_store.h"

namespace ca {

// The signed part of a CMS SignerInfo (RFC 5652 section 5.3), a SET OF Attribute. The other things
// that keys sign, a TBSCertificate among them, are SEQUENCEs, so its first octet tells it apart.
class SignedAttributes {
 public:
  // Content type id-data, the document's digest, and the time of signing.
  static SignedAttributes Of(BytesView document, TimePoint now);
  const Bytes& der() const { return der_; }

 private:
  explicit SignedAttributes(Bytes der) : der_(std::move(der)) {}
  Bytes der_;
};

// The DER Ecdsa-Sig-Value over `attributes`. kUnavailable if the token does not answer.
Result<Bytes> SignAttributes(const SigningKey& key, const SignedAttributes& attributes);

}  // namespace ca
