#include "tests/hsm/raw_token.h"

#include <dlfcn.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <utility>

#include "ca/base/openssl.h"
#include "hsm/pkcs11.h"

namespace hsm::testing {
namespace {

using namespace std::string_view_literals;

constexpr CK_OBJECT_CLASS kPrivateKeyClass = CKO_PRIVATE_KEY;
constexpr CK_OBJECT_CLASS kPublicKeyClass = CKO_PUBLIC_KEY;
constexpr CK_KEY_TYPE kEcKey = CKK_EC;

constexpr ca::BytesView kP256 = "\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07";
constexpr ca::BytesView kP384 = "\x06\x05\x2b\x81\x04\x00\x22"sv;
constexpr ca::BytesView kEd25519 = "\x06\x03\x2b\x65\x70";

void Require(CK_RV answer, const char* call) {
  if (answer == CKR_OK) return;
  fmt::print(stderr, "RawToken: {}\n", TokenError(call, answer).ToString());
  std::abort();
}

const CK_BBOOL& Bool(bool value) { return value ? kTrue : kFalse; }

ca::EvpPkeyPtr NewP256() { return ca::EvpPkeyPtr(EVP_EC_gen("P-256")); }

// The uncompressed point and the private scalar.
ca::Bytes PointOf(EVP_PKEY* key) {
  unsigned char* point = nullptr;
  const size_t size = EVP_PKEY_get1_encoded_public_key(key, &point);
  const ca::OpenSslBuffer<unsigned char> owned(point);
  return {reinterpret_cast<const char*>(point), size};
}
ca::Bytes ScalarOf(EVP_PKEY* key) {
  BIGNUM* scalar = nullptr;
  EVP_PKEY_get_bn_param(key, "priv", &scalar);
  const ca::BignumPtr owned(scalar);
  ca::Bytes octets(32, '\0');
  BN_bn2binpad(scalar, ca::MutableOctets(octets), 32);
  return octets;
}

std::vector<CK_ATTRIBUTE> PrivateTemplate(const RawToken::PrivateKey& key) {
  return {Attribute(CKA_TOKEN, kTrue),
          Attribute(CKA_PRIVATE, kTrue),
          Attribute(CKA_LABEL, key.label),
          Attribute(CKA_ID, key.id),
          Attribute(CKA_SENSITIVE, Bool(key.is_sensitive)),
          Attribute(CKA_EXTRACTABLE, Bool(key.is_extractable)),
          Attribute(CKA_SIGN, Bool(key.can_sign)),
          Attribute(CKA_DECRYPT, Bool(key.can_decrypt)),
          Attribute(CKA_UNWRAP, Bool(key.can_unwrap)),
          Attribute(CKA_DERIVE, Bool(key.can_derive))};
}

}  // namespace

// The initialized module. The destructor finalizes it, unless it was initialized before.
struct RawToken::Cryptoki {
  Cryptoki() : library(dlopen(SoftHsm::ModulePath().c_str(), RTLD_NOW | RTLD_LOCAL)) {
    const auto get_function_list =
        reinterpret_cast<CK_C_GetFunctionList>(dlsym(library, "C_GetFunctionList"));
    Require(get_function_list(&functions), "C_GetFunctionList");
    CK_C_INITIALIZE_ARGS arguments{};
    arguments.flags = CKF_OS_LOCKING_OK;
    const CK_RV answer = functions->C_Initialize(&arguments);
    is_ours = answer != CKR_CRYPTOKI_ALREADY_INITIALIZED;
    if (is_ours) Require(answer, "C_Initialize");
  }
  ~Cryptoki() {
    if (is_ours) functions->C_Finalize(nullptr);
    dlclose(library);
  }
  Cryptoki(const Cryptoki&) = delete;
  Cryptoki& operator=(const Cryptoki&) = delete;

  // The slot of the token with that label. For "" the slot of the uninitialized token.
  CK_SLOT_ID FindSlot(ca::BytesView label) const {
    std::array<CK_SLOT_ID, 16> slots;
    CK_ULONG count = 0;  // the first call: SoftHSM adds its uninitialized slot here
    Require(functions->C_GetSlotList(CK_TRUE, nullptr, &count), "C_GetSlotList");
    count = slots.size();
    Require(functions->C_GetSlotList(CK_TRUE, slots.data(), &count), "C_GetSlotList");
    for (size_t i = 0; i < count; ++i) {
      CK_TOKEN_INFO token;
      Require(functions->C_GetTokenInfo(slots[i], &token), "C_GetTokenInfo");
      const ca::BytesView padded(reinterpret_cast<const char*>(token.label), sizeof token.label);
      const ca::BytesView found = padded.substr(0, padded.find_last_not_of(' ') + 1);
      const bool is_initialized = (token.flags & CKF_TOKEN_INITIALIZED) != 0;
      if (label.empty() ? !is_initialized : is_initialized && found == label) return slots[i];
    }
    fmt::print(stderr, "RawToken: there is no token '{}'\n", label);
    std::abort();
  }

  void* library;
  CK_FUNCTION_LIST* functions = nullptr;
  bool is_ours = false;
};

RawToken::RawToken(const std::string& label) : cryptoki_(std::make_unique<Cryptoki>()) {
  slot_ = cryptoki_->FindSlot(label);
  Require(cryptoki_->functions->C_OpenSession(slot_, CKF_SERIAL_SESSION | CKF_RW_SESSION, nullptr,
                                              nullptr, &session_),
          "C_OpenSession");
  std::string pin = kUserPin;
  const CK_RV answer =
      cryptoki_->functions->C_Login(session_, CKU_USER, ca::MutableOctets(pin), pin.size());
  if (answer != CKR_USER_ALREADY_LOGGED_IN) Require(answer, "C_Login");
}

RawToken::~RawToken() { cryptoki_->functions->C_CloseSession(session_); }

void RawToken::Generate(CK_MECHANISM_TYPE type, std::vector<CK_ATTRIBUTE> public_template,
                        const PrivateKey& key) {
  for (const CK_ATTRIBUTE& attribute :
       {Attribute(CKA_TOKEN, kTrue), Attribute(CKA_PRIVATE, kFalse), Attribute(CKA_VERIFY, kTrue),
        Attribute(CKA_LABEL, key.label), Attribute(CKA_ID, key.id)}) {
    public_template.push_back(attribute);
  }
  std::vector<CK_ATTRIBUTE> private_template = PrivateTemplate(key);
  CK_MECHANISM mechanism = {type, nullptr, 0};
  CK_OBJECT_HANDLE handles[2];
  Require(cryptoki_->functions->C_GenerateKeyPair(
              session_, &mechanism, public_template.data(), public_template.size(),
              private_template.data(), private_template.size(), &handles[0], &handles[1]),
          "C_GenerateKeyPair");
}

void RawToken::GenerateP256(const PrivateKey& key) {
  Generate(CKM_EC_KEY_PAIR_GEN, {Attribute(CKA_EC_PARAMS, kP256)}, key);
}
void RawToken::GenerateP384(const PrivateKey& key) {
  Generate(CKM_EC_KEY_PAIR_GEN, {Attribute(CKA_EC_PARAMS, kP384)}, key);
}
void RawToken::GenerateEd25519(const PrivateKey& key) {
  Generate(CKM_EC_EDWARDS_KEY_PAIR_GEN, {Attribute(CKA_EC_PARAMS, kEd25519)}, key);
}
void RawToken::GenerateRsa(const PrivateKey& key) {
  constexpr CK_ULONG kBits = 2048;
  Generate(CKM_RSA_PKCS_KEY_PAIR_GEN,
           {Attribute(CKA_MODULUS_BITS, kBits), Attribute(CKA_PUBLIC_EXPONENT, "\x01\x00\x01"sv)},
           key);
}

void RawToken::ImportP256(const PrivateKey& key) {
  const ca::EvpPkeyPtr made_elsewhere = NewP256();
  const ca::Bytes scalar = ScalarOf(made_elsewhere.get());
  std::vector<CK_ATTRIBUTE> attributes = PrivateTemplate(key);
  for (const CK_ATTRIBUTE& attribute :
       {Attribute(CKA_CLASS, kPrivateKeyClass), Attribute(CKA_KEY_TYPE, kEcKey),
        Attribute(CKA_EC_PARAMS, kP256), Attribute(CKA_VALUE, scalar)}) {
    attributes.push_back(attribute);
  }
  CK_OBJECT_HANDLE handle;
  Require(
      cryptoki_->functions->C_CreateObject(session_, attributes.data(), attributes.size(), &handle),
      "C_CreateObject");
}

void RawToken::PlantPublicKey(const ca::Bytes& id) {
  const ca::Bytes point = "\x04\x41" + PointOf(NewP256().get());
  std::vector<CK_ATTRIBUTE> attributes = {Attribute(CKA_CLASS, kPublicKeyClass),
                                          Attribute(CKA_KEY_TYPE, kEcKey),
                                          Attribute(CKA_TOKEN, kTrue),
                                          Attribute(CKA_PRIVATE, kFalse),
                                          Attribute(CKA_ID, id),
                                          Attribute(CKA_EC_PARAMS, kP256),
                                          Attribute(CKA_EC_POINT, point)};
  CK_OBJECT_HANDLE handle;
  Require(
      cryptoki_->functions->C_CreateObject(session_, attributes.data(), attributes.size(), &handle),
      "C_CreateObject");
}

std::vector<CK_OBJECT_HANDLE> RawToken::Find(std::vector<CK_ATTRIBUTE> pattern) const {
  std::vector<CK_OBJECT_HANDLE> handles(16);
  CK_ULONG count = 0;
  const CK_FUNCTION_LIST& functions = *cryptoki_->functions;
  Require(functions.C_FindObjectsInit(session_, pattern.data(), pattern.size()),
          "C_FindObjectsInit");
  Require(functions.C_FindObjects(session_, handles.data(), handles.size(), &count),
          "C_FindObjects");
  Require(functions.C_FindObjectsFinal(session_), "C_FindObjectsFinal");
  handles.resize(count);
  return handles;
}

size_t RawToken::CountPrivateKeys(const std::string& label) const {
  return Find({Attribute(CKA_CLASS, kPrivateKeyClass), Attribute(CKA_LABEL, label)}).size();
}

size_t RawToken::CountPublicKeys(const ca::Bytes& id) const {
  return Find({Attribute(CKA_CLASS, kPublicKeyClass), Attribute(CKA_ID, id)}).size();
}

CK_OBJECT_HANDLE RawToken::FindPrivateKey(const std::string& label) const {
  const auto handles = Find({Attribute(CKA_CLASS, kPrivateKeyClass), Attribute(CKA_LABEL, label)});
  if (handles.size() == 1) return handles.front();
  fmt::print(stderr, "RawToken: {} private keys are labelled '{}'\n", handles.size(), label);
  std::abort();
}

bool RawToken::Flag(const std::string& label, CK_ATTRIBUTE_TYPE type) const {
  CK_BBOOL value = CK_FALSE;
  CK_ATTRIBUTE attribute = {type, &value, sizeof value};
  Require(cryptoki_->functions->C_GetAttributeValue(session_, FindPrivateKey(label), &attribute, 1),
          "C_GetAttributeValue");
  return value != CK_FALSE;
}

ca::Bytes RawToken::Id(const std::string& label) const {
  ca::Bytes id(64, '\0');
  CK_ATTRIBUTE attribute = {CKA_ID, id.data(), id.size()};
  Require(cryptoki_->functions->C_GetAttributeValue(session_, FindPrivateKey(label), &attribute, 1),
          "C_GetAttributeValue");
  id.resize(attribute.ulValueLen);
  return id;
}

CK_RV RawToken::ReadPrivateValue(const std::string& label) const {
  ca::Bytes value(64, '\0');
  CK_ATTRIBUTE attribute = {CKA_VALUE, value.data(), value.size()};
  return cryptoki_->functions->C_GetAttributeValue(session_, FindPrivateKey(label), &attribute, 1);
}

CK_RV RawToken::SetFlag(const std::string& label, CK_ATTRIBUTE_TYPE type, bool value) const {
  CK_ATTRIBUTE attribute = Attribute(type, Bool(value));
  return cryptoki_->functions->C_SetAttributeValue(session_, FindPrivateKey(label), &attribute, 1);
}

void RawToken::DestroyPrivateKey(const std::string& label) {
  Require(cryptoki_->functions->C_DestroyObject(session_, FindPrivateKey(label)),
          "C_DestroyObject");
}

void RawToken::DestroyPublicKeys(const ca::Bytes& id) {
  for (const CK_OBJECT_HANDLE handle :
       Find({Attribute(CKA_CLASS, kPublicKeyClass), Attribute(CKA_ID, id)})) {
    Require(cryptoki_->functions->C_DestroyObject(session_, handle), "C_DestroyObject");
  }
}

void RawToken::CloseAllSessions() {
  Require(cryptoki_->functions->C_CloseAllSessions(slot_), "C_CloseAllSessions");
}

void RawToken::SetPin(const std::string& old_pin, const std::string& new_pin) {
  std::string old_octets = old_pin;
  std::string new_octets = new_pin;
  Require(cryptoki_->functions->C_SetPIN(session_, ca::MutableOctets(old_octets), old_octets.size(),
                                         ca::MutableOctets(new_octets), new_octets.size()),
          "C_SetPIN");
}

void RawToken::InitTokenWithoutPin(const std::string& label) {
  const Cryptoki cryptoki;
  std::string so_pin = kSoPin;
  std::string padded = label;
  padded.resize(32, ' ');
  Require(cryptoki.functions->C_InitToken(cryptoki.FindSlot(""), ca::MutableOctets(so_pin),
                                          so_pin.size(), ca::MutableOctets(padded)),
          "C_InitToken");
}

}  // namespace hsm::testing
