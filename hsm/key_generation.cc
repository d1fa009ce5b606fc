#include "hsm/key_generation.h"

#include <algorithm>

#include "ca/base/random.h"

namespace hsm {
namespace {

using ca::Error;
using ca::StatusCode;

ca::Status CheckLabel(const std::string& label) {
  const bool is_printable =
      std::all_of(label.begin(), label.end(), [](char c) { return c >= ' ' && c <= '~'; });
  if (!label.empty() && label.size() <= kLabelSizeMax && is_printable) return ca::Ok();
  return Error(StatusCode::kInvalidArgument,
               "a key label must be 1 to {} printable ASCII characters", kLabelSizeMax);
}

// Random, not derived from the label. So the id names this pair only, even if a pair with the same
// label was destroyed and one half of that pair, or its certificate, is still there.
ca::Bytes NewId() {
  constexpr size_t kIdSize = 16;
  return ca::RandomBytes(kIdSize);
}

ca::Status CheckIsFree(Session& session, const std::string& label) {
  constexpr CK_OBJECT_CLASS kPrivateKey = CKO_PRIVATE_KEY;
  const auto matches =
      TRY(session.Find({Attribute(CKA_CLASS, kPrivateKey), Attribute(CKA_LABEL, label)}));
  if (!matches.empty()) return Error(StatusCode::kAlreadyExists, "a private key has that label");
  return session.CheckLogin();  // an unavailable token shows no keys
}

// PKCS11_generate_key would not do: libp11 0.4.12 generates an RSA key for every algorithm, leaves
// CKA_EXTRACTABLE to the token, and allows decryption.
ca::Result<KeyHandles> Generate(Session& session, const std::string& label, const ca::Bytes& id) {
  return session.GenerateEcKeyPair(
      {Attribute(CKA_TOKEN, kTrue), Attribute(CKA_PRIVATE, kFalse), Attribute(CKA_VERIFY, kTrue),
       Attribute(CKA_EC_PARAMS, kP256Parameters), Attribute(CKA_LABEL, label),
       Attribute(CKA_ID, id)},
      {Attribute(CKA_TOKEN, kTrue), Attribute(CKA_PRIVATE, kTrue), Attribute(CKA_SENSITIVE, kTrue),
       Attribute(CKA_EXTRACTABLE, kFalse),
       // So no attribute can be changed afterwards.
       Attribute(CKA_MODIFIABLE, kFalse), Attribute(CKA_SIGN, kTrue),
       Attribute(CKA_DECRYPT, kFalse), Attribute(CKA_UNWRAP, kFalse), Attribute(CKA_DERIVE, kFalse),
       Attribute(CKA_LABEL, label), Attribute(CKA_ID, id)});
}

}  // namespace

ca::Result<KeyPair> GenerateKeyPair(Session& session, const std::string& label) {
  TRY(CheckLabel(label));
  TRY(CheckIsFree(session, label));
  const KeyHandles handles = TRY(Generate(session, label, NewId()));
  auto pair = FindKeyPair(session, label);
  if (pair.ok()) return pair;

  // No caller has seen this key. The refusal of FindKeyPair matters more than a failure to destroy.
  for (const CK_OBJECT_HANDLE handle : {handles.private_key, handles.public_key}) {
    session.Destroy(handle).IgnoreError();
  }
  return pair;
}

}  // namespace hsm
