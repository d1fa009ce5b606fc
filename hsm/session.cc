#include "hsm/session.h"

#include <algorithm>

#include "ca/base/openssl.h"

namespace hsm {

// A failed call may leave its operation active, and the next user of the session would get
// CKR_OPERATION_ACTIVE. So a session is not used again after a failure.
ca::Status Session::Check(const char* call, CK_RV answer) {
  if (answer == CKR_OK) return ca::Ok();
  has_failed_ = true;
  return TokenError(call, answer);
}

ca::Result<std::vector<CK_OBJECT_HANDLE>> Session::Find(std::vector<CK_ATTRIBUTE> pattern,
                                                        size_t matches_max) {
  TRY(Check("C_FindObjectsInit",
            functions().C_FindObjectsInit(handle_, pattern.data(), pattern.size())));
  std::vector<CK_OBJECT_HANDLE> matches(matches_max);
  size_t count = 0;
  while (count < matches.size()) {
    CK_ULONG found = 0;
    TRY(Check("C_FindObjects", functions().C_FindObjects(handle_, matches.data() + count,
                                                         matches.size() - count, &found)));
    if (found == 0) break;
    count += std::min<size_t>(found, matches.size() - count);
  }
  TRY(Check("C_FindObjectsFinal", functions().C_FindObjectsFinal(handle_)));
  matches.resize(count);
  return matches;
}

ca::Result<ca::Bytes> Session::Read(CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type) {
  constexpr size_t kValueSizeMax = 1024;
  ca::Bytes value(kValueSizeMax, '\0');
  CK_ATTRIBUTE attribute = {type, value.data(), value.size()};
  const CK_RV answer = functions().C_GetAttributeValue(handle_, object, &attribute, 1);
  if (answer == CKR_ATTRIBUTE_TYPE_INVALID) return ca::Bytes();
  TRY(Check("C_GetAttributeValue", answer));
  value.resize(std::min<size_t>(attribute.ulValueLen, kValueSizeMax));
  return value;
}

ca::Result<ca::Bytes> Session::Sign(CK_OBJECT_HANDLE key, ca::BytesView digest) {
  // CKM_ECDSA over our own digest, because SoftHSM 2.6.1 has no CKM_ECDSA_SHA256.
  CK_MECHANISM mechanism = {CKM_ECDSA, nullptr, 0};
  TRY(Check("C_SignInit", functions().C_SignInit(handle_, &mechanism, key)));
  constexpr size_t kSignatureSizeMax = 132;  // P-521's
  ca::Bytes signature(kSignatureSizeMax, '\0');
  CK_ULONG size = signature.size();
  TRY(Check("C_Sign", functions().C_Sign(handle_, const_cast<CK_BYTE*>(ca::Octets(digest)),
                                         digest.size(), ca::MutableOctets(signature), &size)));
  signature.resize(std::min<size_t>(size, kSignatureSizeMax));
  return signature;
}

ca::Result<KeyHandles> Session::GenerateEcKeyPair(std::vector<CK_ATTRIBUTE> public_template,
                                                  std::vector<CK_ATTRIBUTE> private_template) {
  CK_MECHANISM mechanism = {CKM_EC_KEY_PAIR_GEN, nullptr, 0};
  KeyHandles handles;
  TRY(Check("C_GenerateKeyPair",
            functions().C_GenerateKeyPair(handle_, &mechanism, public_template.data(),
                                          public_template.size(), private_template.data(),
                                          private_template.size(), &handles.public_key,
                                          &handles.private_key)));
  return handles;
}

ca::Status Session::Destroy(CK_OBJECT_HANDLE object) {
  return Check("C_DestroyObject", functions().C_DestroyObject(handle_, object));
}

ca::Status Session::CheckLogin() {
  CK_SESSION_INFO session;
  TRY(Check("C_GetSessionInfo", functions().C_GetSessionInfo(handle_, &session)));
  if (session.state != CKS_RO_USER_FUNCTIONS && session.state != CKS_RW_USER_FUNCTIONS) {
    has_failed_ = true;
    return ca::Error(ca::StatusCode::kUnavailable, "the login has ended");
  }
  CK_TOKEN_INFO token;
  TRY(Check("C_GetTokenInfo", functions().C_GetTokenInfo(session.slotID, &token)));
  const std::string_view padded(reinterpret_cast<const char*>(token.label), sizeof token.label);
  const std::string_view label = padded.substr(0, padded.find_last_not_of(' ') + 1);
  if (label != *token_label_) {
    has_failed_ = true;
    return ca::Error(ca::StatusCode::kUnavailable, "the token in the slot is now '{}'",
                     ca::Printable(label));
  }
  return ca::Ok();
}

}  // namespace hsm
