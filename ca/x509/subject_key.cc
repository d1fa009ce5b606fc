#include "ca/x509/subject_key.h"

#include <openssl/pem.h>

namespace ca {
namespace {

BioPtr MemoryBio() {
  BioPtr bio(BIO_new(BIO_s_secmem()));
  if (!bio) AbortOnOpenSslFailure("BIO_new");
  return bio;
}

// OpenSSL would ask on the terminal for the passphrase of an encrypted key.
int NoPassphrase(char*, int, int, void*) { return 0; }

void AddSubjectAltName(X509_REQ* request, const SpiffeId& id) {
  const GeneralNamesPtr names(GENERAL_NAMES_new());
  GENERAL_NAME* const name = GENERAL_NAME_new();
  ASN1_IA5STRING* const uri = ASN1_IA5STRING_new();
  const ExtensionsPtr extensions(sk_X509_EXTENSION_new_null());
  STACK_OF(X509_EXTENSION)* list = extensions.get();
  if (!names || !name || !uri || !list ||
      ASN1_STRING_set(uri, id.ToString().data(), static_cast<int>(id.ToString().size())) != 1) {
    AbortOnOpenSslFailure("GENERAL_NAMES_new");
  }
  GENERAL_NAME_set0_value(name, GEN_URI, uri);
  if (sk_GENERAL_NAME_push(names.get(), name) <= 0 ||
      X509V3_add1_i2d(&list, NID_subject_alt_name, names.get(), 0, X509V3_ADD_APPEND) != 1 ||
      X509_REQ_add_extensions(request, list) != 1) {
    AbortOnOpenSslFailure("X509_REQ_add_extensions");
  }
}

}  // namespace

Result<SubjectKey> SubjectKey::Generate(KeyType type) {
  EvpPkeyPtr key;
  switch (type) {
    case KeyType::kP256:
      key.reset(EVP_EC_gen("P-256"));
      break;
    case KeyType::kP384:
      key.reset(EVP_EC_gen("P-384"));
      break;
    case KeyType::kEd25519:
      key.reset(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
      break;
    default:
      return Error(
          StatusCode::kInvalidArgument,
          "key type: {} keys are not made here; make p256, p384 or ed25519, or bring a csr",
          NameOf(type));
  }
  if (!key) return OpenSslError("key generation");
  return SubjectKey(std::move(key));
}

Result<SubjectKey> SubjectKey::FromPem(const Secret& pem) {
  const BioPtr bio(BIO_new_mem_buf(pem.Reveal().data(), static_cast<int>(pem.Reveal().size())));
  EvpPkeyPtr key(bio ? PEM_read_bio_PrivateKey(bio.get(), nullptr, NoPassphrase, nullptr)
                     : nullptr);
  if (!key) {
    DrainOpenSslErrors();
    return Error(StatusCode::kInvalidArgument, "not an unencrypted private key in PEM");
  }
  return SubjectKey(std::move(key));
}

Secret SubjectKey::ToPem() const {
  const BioPtr bio = MemoryBio();
  if (PEM_write_bio_PKCS8PrivateKey(bio.get(), key_.get(), nullptr, nullptr, 0, nullptr, nullptr) !=
      1) {
    AbortOnOpenSslFailure("PEM_write_bio_PKCS8PrivateKey");
  }
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return Secret(std::string(data, static_cast<size_t>(size)));
}

Bytes SubjectKey::Csr(const std::optional<SpiffeId>& id) const {
  const X509ReqPtr request(X509_REQ_new());
  if (!request || X509_REQ_set_pubkey(request.get(), key_.get()) != 1) {
    AbortOnOpenSslFailure("X509_REQ_set_pubkey");
  }
  if (id) AddSubjectAltName(request.get(), *id);
  const EVP_MD* digest = EVP_PKEY_get_id(key_.get()) == EVP_PKEY_ED25519 ? nullptr : EVP_sha256();
  if (X509_REQ_sign(request.get(), key_.get(), digest) <= 0) AbortOnOpenSslFailure("X509_REQ_sign");
  return DerOf<X509_REQ, i2d_X509_REQ>(request.get());
}

Bytes SubjectKey::Spki() const { return DerOf<EVP_PKEY, i2d_PUBKEY>(key_.get()); }

}  // namespace ca
