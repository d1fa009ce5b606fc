#pragma once

#include <string_view>

#include "ca/base/bytes.h"
#include "ca/base/openssl.h"

namespace ca {

// Key types a subject may have. CA keys are P-256 (P-384 has no fast code in OpenSSL 3.0).
enum class KeyType { kP256, kP384, kRsa2048, kRsa3072, kRsa4096, kEd25519 };

// As written in profiles and messages: p256, p384, rsa2048, rsa3072, rsa4096, ed25519.
std::string_view NameOf(KeyType type);
Result<KeyType> KeyTypeFrom(std::string_view name);

// A subject's public key that is on its curve, and whose type is one of the above.
class PublicKey {
 public:
  // From a DER SubjectPublicKeyInfo (RFC 5280 section 4.1.2.7) with no octet behind it.
  // kInvalidArgument for another algorithm, curve or size (named), a point off the curve, a
  // compressed point, an RSA exponent other than 65537, or damaged DER. Thread-safe; about 5 us for
  // P-256, 110 us otherwise (OpenSSL 3.0's decoder).
  static Result<PublicKey> FromSpki(BytesView spki_der);

  KeyType type() const { return type_; }
  const Bytes& spki() const { return spki_; }
  // SHA-256 of the SubjectPublicKeyInfo: the ledger's name for this key.
  const Bytes& fingerprint() const { return fingerprint_; }
  // SHA-1 of the BIT STRING's octets: RFC 5280 section 4.2.1.2 method (1), for the SKI.
  Bytes SubjectKeyIdentifier() const;
  EVP_PKEY* evp() const { return evp_.get(); }

  // True when `signature` over `message` is this key's. ECDSA with SHA-256 (P-384: SHA-384 too),
  // RSA PKCS#1 v1.5 with SHA-256 to SHA-512, Ed25519: the digest is `digest`, null for Ed25519.
  bool Verifies(BytesView message, BytesView signature, const EVP_MD* digest) const;

 private:
  PublicKey(KeyType type, Bytes spki, EvpPkeyPtr evp);

  KeyType type_;
  Bytes spki_;
  Bytes fingerprint_;
  EvpPkeyPtr evp_;
};

}  // namespace ca
