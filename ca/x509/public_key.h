#pragma once

#include <string_view>

#include "ca/base/bytes.h"
#include "ca/base/openssl.h"

namespace ca {

// The key types of subjects. CA keys are P-256 (P-384 has no fast code in OpenSSL 3.0).
enum class KeyType { kP256, kP384, kRsa2048, kRsa3072, kRsa4096, kEd25519 };

// The names in profiles and messages: p256, p384, rsa2048, rsa3072, rsa4096, ed25519.
std::string_view NameOf(KeyType type);
// kInvalidArgument for any other name, with a message that lists these.
Result<KeyType> KeyTypeFrom(std::string_view name);

// A subject's public key of one of the types above, in its DER encoding. Immutable and thread-safe.
class PublicKey {
 public:
  // No key of the types above is larger: an RSA-4096 key takes 550 octets.
  static constexpr size_t kSpkiSizeMax = 1024;

  // Reads a DER SubjectPublicKeyInfo (RFC 5280 section 4.1.2.7) with no octet behind it.
  // kInvalidArgument, with a message that begins "key ...", for another algorithm, curve or size
  // (the message names it), a point off the curve, a compressed point, unnamed curve parameters, an
  // RSA exponent other than 65537, an Ed25519 point of small order, and damaged or non-canonical
  // DER, because a key with two encodings would have two fingerprints. Thread-safe; about 5 us, and
  // 200 us for RSA (OpenSSL 3.0's decoder and encoder).
  static Result<PublicKey> FromSpki(BytesView spki_der);

  KeyType type() const { return type_; }
  const Bytes& spki() const { return spki_; }
  // The octets of subjectPublicKey, spki()'s BIT STRING: an uncompressed point, an RSAPublicKey or
  // an Ed25519 key.
  BytesView key_octets() const { return BytesView(spki_).substr(spki_.size() - key_size_); }
  // SHA-256 of the SubjectPublicKeyInfo: the ledger's name for this key.
  const Bytes& fingerprint() const { return fingerprint_; }
  // SHA-1 of key_octets(): RFC 5280 section 4.2.1.2 method (1), for the SKI.
  Bytes SubjectKeyIdentifier() const;
  EVP_PKEY* evp() const { return evp_.get(); }

  // Whether this key made `signature` over `message`: ECDSA or RSA PKCS #1 v1.5 with `digest`,
  // one of SHA-256, SHA-384 and SHA-512; Ed25519 with a null `digest`. False for other digests.
  bool Verifies(BytesView message, BytesView signature, const EVP_MD* digest) const;

 private:
  PublicKey(KeyType type, BytesView spki, size_t key_size, EvpPkeyPtr evp);

  KeyType type_;
  Bytes spki_;
  size_t key_size_;
  Bytes fingerprint_;
  EvpPkeyPtr evp_;
};

}  // namespace ca
