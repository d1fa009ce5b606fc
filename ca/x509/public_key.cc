#include "ca/x509/public_key.h"

#include <openssl/asn1t.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <array>
#include <utility>

namespace ca {
namespace {

using namespace std::string_view_literals;

constexpr std::array<std::pair<KeyType, std::string_view>, 6> kKeyTypes = {
    {{KeyType::kP256, "p256"},
     {KeyType::kP384, "p384"},
     {KeyType::kRsa2048, "rsa2048"},
     {KeyType::kRsa3072, "rsa3072"},
     {KeyType::kRsa4096, "rsa4096"},
     {KeyType::kEd25519, "ed25519"}}};
constexpr std::string_view kKeyTypeNames = "p256, p384, rsa2048, rsa3072, rsa4096 or ed25519";

// ---- the keys that have a fixed form

// The octets before the key octets in the DER of a SubjectPublicKeyInfo, which are always the same:
//   SEQUENCE { SEQUENCE { algorithm, parameters }, BIT STRING { no unused bits, key octets } }
//
// RFC 5480 section 2.1.1: id-ecPublicKey with the namedCurve secp256r1, or secp384r1.
constexpr std::string_view kP256Prefix =
    "\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07"
    "\x03\x42\x00"sv;
constexpr std::string_view kP384Prefix =
    "\x30\x76\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x22\x03\x62"
    "\x00"sv;
// RFC 8410 section 3: id-Ed25519; "the parameters MUST be absent".
constexpr std::string_view kEd25519Prefix = "\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00"sv;

constexpr size_t kP256PointSize = 65;
constexpr size_t kP384PointSize = 97;
constexpr size_t kEd25519KeySize = 32;

// RFC 5480 section 2.2: "The uncompressed form is indicated by 0x04 and the compressed form is
// indicated by either 0x02 or 0x03 [...]. The public key MUST be rejected if any other value is
// included in the first octet." OpenSSL also knows X9.62's hybrid form, 0x06 and 0x07.
constexpr char kUncompressed = 0x04;

// Every encoding, its sign bit cleared, of the eight Ed25519 points whose order is 4, 1, 8, 8 or 2;
// the last two are the first two with p added. Anyone can sign for such a key: to the identity, for
// one, R = identity and S = 0 is a signature over every message.
constexpr std::array<std::string_view, 7> kEd25519SmallOrder = {
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
};

template <typename... Args>
Status Refuse(fmt::format_string<Args...> format, Args&&... args) {
  ERR_clear_error();
  return Error(StatusCode::kInvalidArgument, format, std::forward<Args>(args)...);
}

bool HasForm(BytesView spki, std::string_view prefix, size_t key_size) {
  return spki.size() == prefix.size() + key_size && spki.starts_with(prefix);
}

// A key without a point, whose curve the keys that are read share. It is never freed, because a
// thread may still be parsing while the process ends.
EVP_PKEY* NewCurve(const char* name) {
  const EvpPkeyCtxPtr context(EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr));
  EVP_PKEY* curve = nullptr;
  if (!context || EVP_PKEY_paramgen_init(context.get()) != 1 ||
      EVP_PKEY_CTX_set_group_name(context.get(), name) != 1 ||
      EVP_PKEY_paramgen(context.get(), &curve) != 1) {
    AbortOnOpenSslFailure("EVP_PKEY_paramgen");
  }
  return curve;
}

// The decoder of OpenSSL 3.0 takes 110 us for a key (openssl issues 17950, 19119, 20051). Setting
// the point on a copy of its curve takes 5 us, and also checks that the point is on the curve.
Result<EvpPkeyPtr> KeyAtPoint(const EVP_PKEY* curve, BytesView point) {
  EvpPkeyPtr key(EVP_PKEY_new());
  if (!key || EVP_PKEY_copy_parameters(key.get(), curve) != 1) {
    AbortOnOpenSslFailure("EVP_PKEY_copy_parameters");
  }
  if (point.front() != kUncompressed) {
    return Refuse("key has a hybrid point; write it uncompressed, 04 and both coordinates");
  }
  if (EVP_PKEY_set1_encoded_public_key(key.get(), Octets(point), point.size()) != 1) {
    return Refuse("key is a point that is not on its curve");
  }
  return key;
}

Result<EvpPkeyPtr> P256Key(BytesView point) {
  static EVP_PKEY* const curve = NewCurve(SN_X9_62_prime256v1);
  return KeyAtPoint(curve, point);
}

Result<EvpPkeyPtr> P384Key(BytesView point) {
  static EVP_PKEY* const curve = NewCurve(SN_secp384r1);
  return KeyAtPoint(curve, point);
}

Result<EvpPkeyPtr> Ed25519Key(BytesView octets) {
  Bytes y(octets);
  y.back() = static_cast<char>(y.back() & 0x7f);
  if (std::ranges::find(kEd25519SmallOrder, Hex(y)) != kEd25519SmallOrder.end()) {
    return Refuse("key is an Ed25519 point of small order, for which anyone can sign");
  }
  EvpPkeyPtr key(
      EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, Octets(octets), octets.size()));
  if (!key) AbortOnOpenSslFailure("EVP_PKEY_new_raw_public_key");
  return key;
}

// ---- all other keys

// SubjectPublicKeyInfo (RFC 5280 section 4.1.2.7), its key left in its octets: OpenSSL's
// X509_PUBKEY would decode any key, even one with curve parameters that the sender invented.
struct SubjectPublicKeyInfo {
  X509_ALGOR* algorithm;
  ASN1_BIT_STRING* key;
};

// clang-format off
ASN1_SEQUENCE(SubjectPublicKeyInfo) = {
    ASN1_SIMPLE(SubjectPublicKeyInfo, algorithm, X509_ALGOR),
    ASN1_SIMPLE(SubjectPublicKeyInfo, key, ASN1_BIT_STRING),
} static_ASN1_SEQUENCE_END(SubjectPublicKeyInfo)

void FreeSpki(SubjectPublicKeyInfo* spki) {
  ASN1_item_free(reinterpret_cast<ASN1_VALUE*>(spki), ASN1_ITEM_rptr(SubjectPublicKeyInfo));
}
// clang-format on
using SpkiPtr = Owned<SubjectPublicKeyInfo, FreeSpki>;

Result<SpkiPtr> DecodeSpki(BytesView der) {
  const unsigned char* cursor = Octets(der);
  SpkiPtr spki(reinterpret_cast<SubjectPublicKeyInfo*>(ASN1_item_d2i(
      nullptr, &cursor, static_cast<long>(der.size()), ASN1_ITEM_rptr(SubjectPublicKeyInfo))));
  if (!spki) return Refuse("key is not a DER SubjectPublicKeyInfo (RFC 5280 section 4.1.2.7)");
  if (cursor != Octets(der) + der.size()) return Refuse("key has octets behind it");
  return spki;
}

std::string ObjectText(const ASN1_OBJECT* object) {
  constexpr int kTextSizeMax = 80;
  char text[kTextSizeMax];
  OBJ_obj2txt(text, sizeof text, object, /*no_name=*/0);
  return Printable(text);
}

// The reason to refuse an id-ecPublicKey that has none of the fixed forms.
Status EcRefusal(const SubjectPublicKeyInfo& spki) {
  int parameters_type = V_ASN1_UNDEF;
  const void* parameters = nullptr;
  X509_ALGOR_get0(nullptr, &parameters_type, &parameters, spki.algorithm);
  if (parameters_type != V_ASN1_OBJECT) {
    // RFC 5480 section 2.1.1: "implicitCurve and specifiedCurve MUST NOT be used in PKIX".
    return Refuse("key does not name its curve; use the namedCurve of p256 or p384");
  }
  const auto* const curve = static_cast<const ASN1_OBJECT*>(parameters);
  const int nid = OBJ_obj2nid(curve);
  if (nid != NID_X9_62_prime256v1 && nid != NID_secp384r1) {
    return Refuse("key is on curve {}; use p256 or p384", ObjectText(curve));
  }
  if (ASN1_STRING_length(spki.key) < 1 || *ASN1_STRING_get0_data(spki.key) != kUncompressed) {
    return Refuse("key has no uncompressed point; write 04 and both coordinates");
  }
  return Refuse("key is not in DER or its point has the wrong size; write a DER {} key",
                nid == NID_secp384r1 ? "p384" : "p256");
}

struct RsaKey {
  KeyType type;
  EvpPkeyPtr evp;
};

Result<KeyType> RsaTypeOf(const EVP_PKEY* key) {
  BIGNUM* e = nullptr;
  if (EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &e) != 1) {
    AbortOnOpenSslFailure("EVP_PKEY_get_bn_param");
  }
  const BignumPtr exponent(e);
  if (BN_is_word(exponent.get(), RSA_F4) != 1) {
    return Refuse("key has an RSA exponent other than 65537; use 65537");
  }
  switch (EVP_PKEY_get_bits(key)) {
    case 2048:
      return KeyType::kRsa2048;
    case 3072:
      return KeyType::kRsa3072;
    case 4096:
      return KeyType::kRsa4096;
    default:
      return Refuse("key is RSA with {} bits; use rsa2048, rsa3072 or rsa4096",
                    EVP_PKEY_get_bits(key));
  }
}

Result<RsaKey> DecodeRsa(BytesView der) {
  const unsigned char* cursor = Octets(der);
  EvpPkeyPtr key(d2i_PUBKEY(nullptr, &cursor, static_cast<long>(der.size())));
  if (!key || EVP_PKEY_is_a(key.get(), "RSA") != 1) {
    return Refuse("key is not an RSAPublicKey (RFC 8017 appendix A.1.1)");
  }
  const KeyType type = TRY(RsaTypeOf(key.get()));
  // OpenSSL also reads BER, integers with the wrong sign, and an identifier without its NULL
  // parameters. It writes the form of RFC 3279 section 2.3.1, so the two are compared.
  if (DerOf<EVP_PKEY, i2d_PUBKEY>(key.get()) != der) {
    return Refuse("key is not in DER; write the one DER form of an {} key", NameOf(type));
  }
  ERR_clear_error();
  return RsaKey{type, std::move(key)};
}

}  // namespace

std::string_view NameOf(KeyType type) {
  const auto* const found =
      std::ranges::find(kKeyTypes, type, [](auto& entry) { return entry.first; });
  return found->second;
}

Result<KeyType> KeyTypeFrom(std::string_view name) {
  for (const auto& [type, type_name] : kKeyTypes) {
    if (type_name == name) return type;
  }
  return Error(StatusCode::kInvalidArgument, "'{}' is not a key type; use {}", Printable(name),
               kKeyTypeNames);
}

PublicKey::PublicKey(KeyType type, BytesView spki, size_t key_size, EvpPkeyPtr evp)
    : type_(type),
      spki_(spki),
      key_size_(key_size),
      fingerprint_(Sha256(spki)),
      evp_(std::move(evp)) {}

Result<PublicKey> PublicKey::FromSpki(BytesView spki_der) {
  if (HasForm(spki_der, kP256Prefix, kP256PointSize)) {
    EvpPkeyPtr key = TRY(P256Key(spki_der.substr(kP256Prefix.size())));
    return PublicKey(KeyType::kP256, spki_der, kP256PointSize, std::move(key));
  }
  if (HasForm(spki_der, kP384Prefix, kP384PointSize)) {
    EvpPkeyPtr key = TRY(P384Key(spki_der.substr(kP384Prefix.size())));
    return PublicKey(KeyType::kP384, spki_der, kP384PointSize, std::move(key));
  }
  if (HasForm(spki_der, kEd25519Prefix, kEd25519KeySize)) {
    EvpPkeyPtr key = TRY(Ed25519Key(spki_der.substr(kEd25519Prefix.size())));
    return PublicKey(KeyType::kEd25519, spki_der, kEd25519KeySize, std::move(key));
  }

  if (spki_der.size() > kSpkiSizeMax) {
    return Refuse("key takes {} octets, more than any allowed type; use {}", spki_der.size(),
                  kKeyTypeNames);
  }
  const SpkiPtr spki = TRY(DecodeSpki(spki_der));
  const ASN1_OBJECT* algorithm = nullptr;
  X509_ALGOR_get0(&algorithm, nullptr, nullptr, spki->algorithm);
  switch (OBJ_obj2nid(algorithm)) {
    case NID_rsaEncryption: {
      RsaKey rsa = TRY(DecodeRsa(spki_der));
      const auto key_size = static_cast<size_t>(ASN1_STRING_length(spki->key));
      return PublicKey(rsa.type, spki_der, key_size, std::move(rsa.evp));
    }
    case NID_X9_62_id_ecPublicKey:
      return EcRefusal(*spki);
    case NID_ED25519:
      return Refuse("key is not in DER: ed25519 takes no parameters and 32 octets");
    default:
      return Refuse("key has algorithm {}; use {}", ObjectText(algorithm), kKeyTypeNames);
  }
}

Bytes PublicKey::SubjectKeyIdentifier() const {
  Bytes digest(20, '\0');
  if (EVP_Digest(key_octets().data(), key_octets().size(), MutableOctets(digest), nullptr,
                 EVP_sha1(), nullptr) != 1) {
    AbortOnOpenSslFailure("EVP_Digest");
  }
  return digest;
}

bool PublicKey::Verifies(BytesView message, BytesView signature, const EVP_MD* digest) const {
  if (type_ == KeyType::kEd25519) {
    if (digest != nullptr) return false;
  } else {
    const int nid = digest == nullptr ? NID_undef : EVP_MD_get_type(digest);
    if (nid != NID_sha256 && nid != NID_sha384 && nid != NID_sha512) return false;
  }
  const EvpMdCtxPtr context(EVP_MD_CTX_new());
  if (!context || EVP_DigestVerifyInit(context.get(), nullptr, digest, nullptr, evp_.get()) != 1) {
    AbortOnOpenSslFailure("EVP_DigestVerifyInit");
  }
  const bool verifies = EVP_DigestVerify(context.get(), Octets(signature), signature.size(),
                                         Octets(message), message.size()) == 1;
  if (!verifies) ERR_clear_error();
  return verifies;
}

}  // namespace ca
