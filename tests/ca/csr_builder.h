#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "ca/base/bytes.h"
#include "ca/base/openssl.h"
#include "ca/public_key.h"

// Certification requests as OpenSSL makes them, for tests. What goes wrong here aborts.
namespace ca::testing {

// A key pair that nobody has seen before.
EvpPkeyPtr NewKey(KeyType type);

// The same key pair each time for the life of the process: an RSA-4096 key takes seconds to make.
EvpPkeyPtr SharedKey(KeyType type);

// The DER SubjectPublicKeyInfo of a key pair.
Bytes SpkiOf(const EVP_PKEY* key);

// Defaults that enrollment accepts; override one field, build:
//   const Bytes der = CsrBuilder(NewKey(KeyType::kP256)).SubjectAltName("URI:spiffe://...").Der();
class CsrBuilder {
 public:
  // A new P-256 key.
  CsrBuilder() : CsrBuilder(NewKey(KeyType::kP256)) {}
  explicit CsrBuilder(EvpPkeyPtr key) : key_(std::move(key)) {}

  // In this order, one relative distinguished name each. {{"CN", "invoice-bot"}} by default.
  CsrBuilder& Subject(std::vector<std::pair<std::string, std::string>> attributes);
  // As in openssl.cnf: "URI:spiffe://a.example/b,IP:127.0.0.1"; empty for none.
  // "URI:spiffe://prod.acme.example/billing/invoice-bot" by default.
  CsrBuilder& SubjectAltName(std::string value);
  // As in openssl.cnf: ("keyUsage", "critical,digitalSignature"), ("1.2.3.4", "DER:0500").
  CsrBuilder& Extension(std::string name, std::string value);
  CsrBuilder& ChallengePassword(std::string password);
  // SHA-256 by default. Without effect for Ed25519.
  CsrBuilder& Digest(const EVP_MD* digest);

  EVP_PKEY* key() const { return key_.get(); }
  // Null for Ed25519, which brings its own.
  const EVP_MD* digest() const;
  X509ReqPtr Build() const;
  Bytes Der() const;

 private:
  std::shared_ptr<EVP_PKEY> key_;  // shared, so that a builder can be copied and varied
  std::vector<std::pair<std::string, std::string>> subject_ = {{"CN", "invoice-bot"}};
  std::string subject_alt_name_ = "URI:spiffe://prod.acme.example/billing/invoice-bot";
  std::vector<std::pair<std::string, std::string>> extensions_;
  std::string challenge_password_;
  const EVP_MD* digest_ = EVP_sha256();
};

}  // namespace ca::testing
