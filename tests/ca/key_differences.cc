#include "tests/ca/key_differences.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

#include <optional>

#include "ca/public_key.h"

namespace ca::testing {
namespace {

std::optional<KeyType> EcTypeOf(const EVP_PKEY* key) {
  int is_explicit = 1;
  EVP_PKEY_get_int_param(key, OSSL_PKEY_PARAM_EC_DECODED_FROM_EXPLICIT_PARAMS, &is_explicit);
  char form[32] = "";
  EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT, form, sizeof form,
                                 nullptr);
  if (is_explicit != 0 || std::string_view(form) != "uncompressed") return std::nullopt;
  char curve[64] = "";
  EVP_PKEY_get_group_name(key, curve, sizeof curve, nullptr);
  if (std::string_view(curve) == SN_X9_62_prime256v1) return KeyType::kP256;
  if (std::string_view(curve) == SN_secp384r1) return KeyType::kP384;
  return std::nullopt;
}

std::optional<KeyType> RsaTypeOf(const EVP_PKEY* key) {
  BIGNUM* exponent = nullptr;
  EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &exponent);
  const BignumPtr owned(exponent);
  if (BN_is_word(exponent, RSA_F4) != 1) return std::nullopt;
  switch (EVP_PKEY_get_bits(key)) {
    case 2048:
      return KeyType::kRsa2048;
    case 3072:
      return KeyType::kRsa3072;
    case 4096:
      return KeyType::kRsa4096;
    default:
      return std::nullopt;
  }
}

std::optional<KeyType> TypeOf(const EVP_PKEY* key) {
  switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_EC:
      return EcTypeOf(key);
    case EVP_PKEY_RSA:
      return RsaTypeOf(key);
    case EVP_PKEY_ED25519:
      return KeyType::kEd25519;
    default:
      return std::nullopt;
  }
}

// Whether R = identity and S = 0, which takes no private key, is a signature of `key` over one of
// `attempt_count` messages. When the key's order is 8 or less, it is over one in eight.
bool IsForgeable(EVP_PKEY* key, int attempt_count) {
  Bytes signature(64, '\0');
  signature[0] = 1;
  for (int attempt = 0; attempt < attempt_count; ++attempt) {
    const std::string message = std::to_string(attempt);
    const EvpMdCtxPtr context(EVP_MD_CTX_new());
    if (EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key) == 1 &&
        EVP_DigestVerify(context.get(), Octets(signature), signature.size(), Octets(message),
                         message.size()) == 1) {
      return true;
    }
  }
  ERR_clear_error();
  return false;
}

// Not by DerOf, which aborts: OpenSSL decodes the point at infinity and cannot encode it again.
bool IsEncodedAs(BytesView spki_der, const EVP_PKEY* key) {
  unsigned char* der = nullptr;
  const int size = i2d_PUBKEY(key, &der);
  const OpenSslBuffer<unsigned char> owned(der);
  return size > 0 && spki_der == BytesView(reinterpret_cast<char*>(der), static_cast<size_t>(size));
}

struct OpenSslKey {
  EvpPkeyPtr key;  // null when OpenSSL refuses
  std::optional<KeyType> type;
};

OpenSslKey KeyByOpenSsl(BytesView spki_der) {
  const unsigned char* cursor = Octets(spki_der);
  OpenSslKey theirs;
  theirs.key.reset(d2i_PUBKEY(nullptr, &cursor, static_cast<long>(spki_der.size())));
  if (theirs.key && cursor == Octets(spki_der) + spki_der.size() &&
      IsEncodedAs(spki_der, theirs.key.get())) {
    theirs.type = TypeOf(theirs.key.get());
  }
  ERR_clear_error();
  return theirs;
}

// What is wrong with an accepted key.
std::string FaultOf(const PublicKey& ours, const OpenSslKey& theirs, BytesView spki_der) {
  if (!theirs.type) return "accepted by us alone";
  if (*theirs.type != ours.type()) return "taken for different types";
  if (EVP_PKEY_eq(ours.evp(), theirs.key.get()) != 1) return "taken for different keys";
  if (ours.spki() != spki_der || !IsEncodedAs(spki_der, ours.evp())) {
    return "accepted, but encoded differently";
  }
  if (ours.type() == KeyType::kEd25519 && IsForgeable(ours.evp(), 4)) {
    return "accepted, but anyone can sign for it";
  }
  if (ours.type() == KeyType::kP256 || ours.type() == KeyType::kP384) {
    const EvpPkeyCtxPtr context(EVP_PKEY_CTX_new_from_pkey(nullptr, ours.evp(), nullptr));
    if (EVP_PKEY_public_check(context.get()) != 1) return "accepted, but not a point of its curve";
  }
  return "";
}

}  // namespace

std::string KeyDisagreement(BytesView spki_der) {
  const auto ours = PublicKey::FromSpki(spki_der);
  const OpenSslKey theirs = KeyByOpenSsl(spki_der);
  if (ours.ok()) return FaultOf(*ours, theirs, spki_der);
  if (ours.status().code() != StatusCode::kInvalidArgument) return "refused with the wrong code";
  if (!theirs.type) return "";
  if (*theirs.type == KeyType::kEd25519 && IsForgeable(theirs.key.get(), 1000)) return "";
  return "refused by us alone: " + MessageOf(ours.status());
}

}  // namespace ca::testing
