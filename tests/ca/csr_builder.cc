#include "tests/ca/csr_builder.h"

#include <openssl/rsa.h>

#include <map>
#include <mutex>

namespace ca::testing {
namespace {

// Most of the calls below return 1, and a null pointer or less when they fail.
template <typename T>
void Check(const T& outcome, std::string_view what) {
  if (!(outcome > T{})) AbortOnOpenSslFailure(what);
}

EVP_PKEY* Generate(KeyType type) {
  switch (type) {
    case KeyType::kP256:
      return EVP_EC_gen("P-256");
    case KeyType::kP384:
      return EVP_EC_gen("P-384");
    case KeyType::kRsa2048:
      return EVP_RSA_gen(2048);
    case KeyType::kRsa3072:
      return EVP_RSA_gen(3072);
    case KeyType::kRsa4096:
      return EVP_RSA_gen(4096);
    case KeyType::kEd25519:
      return EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519");
  }
  return nullptr;
}

void AddExtension(STACK_OF(X509_EXTENSION) * extensions, const std::string& name,
                  const std::string& value) {
  X509ExtensionPtr extension(X509V3_EXT_nconf(nullptr, nullptr, name.c_str(), value.c_str()));
  Check(extension.get(), "X509V3_EXT_nconf");
  Check(sk_X509_EXTENSION_push(extensions, extension.release()), "sk_X509_EXTENSION_push");
}

}  // namespace

EvpPkeyPtr NewKey(KeyType type) {
  EvpPkeyPtr key(Generate(type));
  Check(key.get(), "key generation");
  return key;
}

EvpPkeyPtr SharedKey(KeyType type) {
  static std::mutex mutex;
  static std::map<KeyType, EvpPkeyPtr> keys;
  const std::lock_guard lock(mutex);
  EvpPkeyPtr& key = keys[type];
  if (!key) key = NewKey(type);
  EVP_PKEY_up_ref(key.get());
  return EvpPkeyPtr(key.get());
}

Bytes SpkiOf(const EVP_PKEY* key) { return DerOf<EVP_PKEY, i2d_PUBKEY>(key); }

CsrBuilder& CsrBuilder::Subject(std::vector<std::pair<std::string, std::string>> attributes) {
  subject_ = std::move(attributes);
  return *this;
}

CsrBuilder& CsrBuilder::SubjectAltName(std::string value) {
  subject_alt_name_ = std::move(value);
  return *this;
}

CsrBuilder& CsrBuilder::Extension(std::string name, std::string value) {
  extensions_.emplace_back(std::move(name), std::move(value));
  return *this;
}

CsrBuilder& CsrBuilder::ChallengePassword(std::string password) {
  challenge_password_ = std::move(password);
  return *this;
}

CsrBuilder& CsrBuilder::Digest(const EVP_MD* digest) {
  digest_ = digest;
  return *this;
}

const EVP_MD* CsrBuilder::digest() const {
  return EVP_PKEY_get_base_id(key_.get()) == EVP_PKEY_ED25519 ? nullptr : digest_;
}

X509ReqPtr CsrBuilder::Build() const {
  X509ReqPtr request(X509_REQ_new());
  Check(request.get(), "X509_REQ_new");
  Check(X509_REQ_set_pubkey(request.get(), key_.get()), "X509_REQ_set_pubkey");

  X509_NAME* const subject = X509_REQ_get_subject_name(request.get());
  for (const auto& [type, value] : subject_) {
    Check(X509_NAME_add_entry_by_txt(subject, type.c_str(), MBSTRING_UTF8,
                                     reinterpret_cast<const unsigned char*>(value.data()),
                                     static_cast<int>(value.size()), -1, 0),
          "X509_NAME_add_entry_by_txt");
  }

  const ExtensionsPtr extensions(sk_X509_EXTENSION_new_null());
  Check(extensions.get(), "sk_X509_EXTENSION_new_null");
  if (!subject_alt_name_.empty()) {
    AddExtension(extensions.get(), SN_subject_alt_name, subject_alt_name_);
  }
  for (const auto& [name, value] : extensions_) AddExtension(extensions.get(), name, value);
  if (sk_X509_EXTENSION_num(extensions.get()) > 0) {
    Check(X509_REQ_add_extensions(request.get(), extensions.get()), "X509_REQ_add_extensions");
  }
  if (!challenge_password_.empty()) {
    Check(X509_REQ_add1_attr_by_NID(
              request.get(), NID_pkcs9_challengePassword, MBSTRING_UTF8,
              reinterpret_cast<const unsigned char*>(challenge_password_.data()),
              static_cast<int>(challenge_password_.size())),
          "X509_REQ_add1_attr_by_NID");
  }

  Check(X509_REQ_sign(request.get(), key_.get(), digest()), "X509_REQ_sign");
  return request;
}

Bytes CsrBuilder::Der() const { return DerOf<X509_REQ, i2d_X509_REQ>(Build().get()); }

}  // namespace ca::testing
