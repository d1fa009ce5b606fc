#pragma once

#include "ca/base/bytes.h"
#include "ca/base/clock.h"
#include "ca/issuance/key_store.h"

namespace ca {

// RFC 5652 section 5.3: what the signature is over, a SET OF Attribute. As its first octet says so,
// it is never a TBSCertificate, which is a SEQUENCE, nor any other statement of ours.
class SignedAttributes {
 public:
  // Content type id-data, the document's digest, and when it was signed.
  static SignedAttributes Of(BytesView document, TimePoint now);
  const Bytes& der() const { return der_; }

 private:
  explicit SignedAttributes(Bytes der) : der_(std::move(der)) {}
  Bytes der_;
};

// The DER Ecdsa-Sig-Value over them. kUnavailable when the token is away.
Result<Bytes> SignAttributes(const SigningKey& key, const SignedAttributes& attributes);

}  // namespace ca
