#include "hsm/key_pair.h"

#include <fmt/ranges.h>
#include <openssl/ecdsa.h>

namespace hsm {
namespace {

using ca::Error;
using ca::StatusCode;
using namespace std::string_view_literals;

using EcdsaSignaturePtr = ca::Owned<ECDSA_SIG, ECDSA_SIG_free>;

constexpr CK_OBJECT_CLASS kPrivateKey = CKO_PRIVATE_KEY;
constexpr CK_OBJECT_CLASS kPublicKey = CKO_PUBLIC_KEY;

constexpr size_t kScalarSize = 32;
constexpr size_t kPointSize = 65;

// SEQUENCE { SEQUENCE { id-ecPublicKey, secp256r1 }, BIT STRING { no unused bits, the point } }
// (RFC 5480 section 2).
constexpr ca::BytesView kP256SpkiPrefix =
    "\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07"
    "\x03\x42\x00"sv;

// The attributes that a CA's private key must have (PKCS #11 2.40, sections 4.4 and 4.9).
struct Requirement {
  CK_ATTRIBUTE_TYPE attribute;
  std::string_view name;
  bool value;
};
constexpr Requirement kRequirements[] = {
    {CKA_TOKEN, "CKA_TOKEN", true},
    {CKA_PRIVATE, "CKA_PRIVATE", true},
    // "CK_TRUE if key has always had the CKA_SENSITIVE attribute set", "CK_TRUE if key has never
    // had the CKA_EXTRACTABLE attribute set", "CK_TRUE only if key was [...] generated locally
    // (i.e., on the token)". CKA_SENSITIVE alone may have been set after the key was readable.
    {CKA_SENSITIVE, "CKA_SENSITIVE", true},
    {CKA_ALWAYS_SENSITIVE, "CKA_ALWAYS_SENSITIVE", true},
    {CKA_EXTRACTABLE, "CKA_EXTRACTABLE", false},
    {CKA_NEVER_EXTRACTABLE, "CKA_NEVER_EXTRACTABLE", true},
    {CKA_LOCAL, "CKA_LOCAL", true},
    {CKA_SIGN, "CKA_SIGN", true},
    {CKA_DECRYPT, "CKA_DECRYPT", false},
    {CKA_UNWRAP, "CKA_UNWRAP", false},
    {CKA_DERIVE, "CKA_DERIVE", false},
};

template <typename... Args>
ca::Status Refuse(fmt::format_string<Args...> format, Args&&... args) {
  return Error(StatusCode::kFailedPrecondition, format, std::forward<Args>(args)...);
}

// False if the token does not know the flag.
ca::Result<bool> ReadFlag(Session& session, CK_OBJECT_HANDLE key, CK_ATTRIBUTE_TYPE type) {
  const ca::Bytes value = TRY(session.Read(key, type));
  return value.size() == sizeof(CK_BBOOL) && value[0] != static_cast<char>(CK_FALSE);
}

ca::Status CheckAttributes(Session& session, CK_OBJECT_HANDLE key) {
  const ca::Bytes type = TRY(session.Read(key, CKA_KEY_TYPE));
  constexpr CK_KEY_TYPE kEc = CKK_EC;
  if (type != ca::BytesView(reinterpret_cast<const char*>(&kEc), sizeof kEc)) {
    return Refuse("it is not an elliptic curve key; a CA key is P-256");
  }
  std::vector<std::string> wrong;
  for (const Requirement& requirement : kRequirements) {
    const bool value = TRY(ReadFlag(session, key, requirement.attribute));
    if (value == requirement.value) continue;
    wrong.push_back(fmt::format("{} is {}", requirement.name, value));
  }
  if (wrong.empty()) return ca::Ok();
  return Refuse("it must not be used as a CA key: {}; generate one on the token",
                fmt::join(wrong, ", "));
}

// PKCS #11 Current Mechanisms 2.40, section 2.3.3: CKA_EC_POINT is the "DER-encoding of ANSI X9.62
// ECPoint value Q", an OCTET STRING. Some tokens leave out its tag and length.
ca::BytesView PointOf(ca::BytesView attribute) {
  constexpr ca::BytesView kOctetString = "\x04\x41";
  return attribute.size() == kPointSize + kOctetString.size() && attribute.starts_with(kOctetString)
             ? attribute.substr(kOctetString.size())
             : attribute;
}

// The private key object has no point. The public key object with the same CKA_ID has it.
ca::Result<ca::PublicKey> ReadPublicHalf(Session& session, ca::BytesView id) {
  if (id.empty()) return Refuse("it has no CKA_ID, by which its public half is found");
  const auto matches = TRY(session.Find({Attribute(CKA_CLASS, kPublicKey), Attribute(CKA_ID, id)}));
  if (matches.empty()) TRY(session.CheckLogin());  // see FindKeyPair
  if (matches.size() != 1) {
    return Refuse("its public half must be on the token: {} public keys have its CKA_ID {}",
                  matches.size(), ca::Hex(id));
  }
  const ca::Bytes parameters = TRY(session.Read(matches.front(), CKA_EC_PARAMS));
  if (parameters != kP256Parameters) {
    return Refuse("it is on another curve (CKA_EC_PARAMS {}); a CA key is P-256",
                  ca::Hex(parameters));
  }
  const ca::Bytes point = TRY(session.Read(matches.front(), CKA_EC_POINT));
  auto key = ca::PublicKey::FromSpki(fmt::format("{}{}", kP256SpkiPrefix, PointOf(point)));
  if (!key.ok()) return Refuse("its CKA_EC_POINT is wrong: {}", ca::MessageOf(key.status()));
  return key;
}

}  // namespace

ca::Result<KeyPair> FindKeyPair(Session& session, const std::string& label) {
  const auto matches =
      TRY(session.Find({Attribute(CKA_CLASS, kPrivateKey), Attribute(CKA_LABEL, label)}));
  if (matches.empty()) {
    // A token that is unavailable, or has ended the login, shows no objects either.
    TRY(session.CheckLogin());
    return Error(StatusCode::kNotFound, "there is no private key with that label");
  }
  if (matches.size() > 1) {
    return Refuse("{} private keys have that label; remove or rename all but the one in use",
                  matches.size());
  }
  const CK_OBJECT_HANDLE key = matches.front();
  TRY(CheckAttributes(session, key));
  ca::Bytes id = TRY(session.Read(key, CKA_ID));
  auto public_key = TRY(ReadPublicHalf(session, id));

  // Any public key may have this CKA_ID. Only a signature proves that it is the right one.
  const ca::Bytes signature = TRY(Sign(session, key, kProbe));
  if (!CheckProbe(public_key, signature).ok()) {
    return Refuse("the public key with its CKA_ID {} does not belong to it", ca::Hex(id));
  }
  return KeyPair{std::move(id), std::move(public_key), key};
}

ca::Result<ca::Bytes> Sign(Session& session, CK_OBJECT_HANDLE private_key, ca::BytesView message) {
  const ca::Bytes raw = TRY(session.Sign(private_key, ca::Sha256(message)));
  if (raw.size() != 2 * kScalarSize) {
    return Error(StatusCode::kInternal, "the token's signature has {} octets, not {}", raw.size(),
                 2 * kScalarSize);
  }
  // RFC 3279 section 2.2.3: Ecdsa-Sig-Value ::= SEQUENCE { r INTEGER, s INTEGER }
  EcdsaSignaturePtr signature(ECDSA_SIG_new());
  ca::BignumPtr r(BN_bin2bn(ca::Octets(raw), kScalarSize, nullptr));
  ca::BignumPtr s(BN_bin2bn(ca::Octets(raw) + kScalarSize, kScalarSize, nullptr));
  if (!signature || !r || !s) ca::AbortOnOpenSslFailure("ECDSA_SIG");
  ECDSA_SIG_set0(signature.get(), r.release(), s.release());
  return ca::DerOf<ECDSA_SIG, i2d_ECDSA_SIG>(signature.get());
}

ca::Status CheckProbe(const ca::PublicKey& public_key, ca::BytesView signature) {
  if (public_key.Verifies(kProbe, signature, EVP_sha256())) return ca::Ok();
  return Error(StatusCode::kInternal, "its signature does not verify");
}

}  // namespace hsm
