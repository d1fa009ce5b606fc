#pragma once

#include <memory>
#include <string>
#include <vector>

#include "ca/base/bytes.h"

namespace ca {

struct Certificate;
class AuthorityRequestInfo;
class RecordedIssuance;
class ResponseData;
class SignedAttributes;
class SigningKey;
class TbsCertList;
Result<Certificate> SignRecorded(const SigningKey& key, RecordedIssuance recorded);
Result<Bytes> SignCertList(const SigningKey& key, const TbsCertList& list);
Result<Bytes> SignResponseData(const SigningKey& key, const ResponseData& data);
Result<Bytes> SignAttributes(const SigningKey& key, const SignedAttributes& attributes);
Result<Bytes> SignAuthorityRequest(const SigningKey& key, const AuthorityRequestInfo& info);

// A CA key on the token: P-256, generated there, sensitive, never extractable, sign-only.
// Thread-safe; it keeps its token open as long as it lives.
class SigningKey {
 public:
  virtual ~SigningKey() = default;

  // DER SubjectPublicKeyInfo, read from the token.
  virtual const Bytes& spki() const = 0;

 private:
  // These functions alone can ask for a signature: on recorded certificates, on statements about
  // them, on records, and on requests for the key's own certificate.
  friend Result<Certificate> SignRecorded(const SigningKey& key, RecordedIssuance recorded);
  friend Result<Bytes> SignCertList(const SigningKey& key, const TbsCertList& list);
  friend Result<Bytes> SignResponseData(const SigningKey& key, const ResponseData& data);
  friend Result<Bytes> SignAttributes(const SigningKey& key, const SignedAttributes& attributes);
  friend Result<Bytes> SignAuthorityRequest(const SigningKey& key,
                                            const AuthorityRequestInfo& info);

  // ECDSA-with-SHA256 over `message`, as the DER Ecdsa-Sig-Value that X.509 carries (RFC 3279
  // section 2.2.3). kUnavailable if the token does not answer; the caller may retry.
  virtual Result<Bytes> Sign(BytesView message) const = 0;
};

// The private keys on one token.
struct TokenContent {
  std::string token;                // its label
  Status status;                    // kUnavailable if it does not answer; `labels` is empty then
  std::vector<std::string> labels;  // of all its private keys, also those of others; sorted
};

// The keys on one token or on several. The label of a key decides its token. Thread-safe.
class KeyStore {
 public:
  virtual ~KeyStore() = default;

  // kNotFound if the token has no private key with that label; kFailedPrecondition if it has
  // several, or if the key lacks attributes that SigningKey promises (the message names them);
  // kUnavailable if the token does not answer.
  virtual Result<std::shared_ptr<const SigningKey>> Find(const std::string& label) = 0;

  // Generates a P-256 pair on the token. kAlreadyExists if the label is taken; no key is ever
  // overwritten.
  virtual Result<std::shared_ptr<const SigningKey>> Generate(const std::string& label) = 0;

  // Destroys all objects with that label on the token, the private and the public key. Ok if there
  // is none, so a caller may repeat it. From then on Find() returns kNotFound, and a SigningKey
  // that was found before signs nothing (kFailedPrecondition; in another process, kUnavailable).
  virtual Status Destroy(const std::string& label) = 0;

  // The private keys on each token.
  virtual std::vector<TokenContent> Contents() = 0;

  // The label of the token on which keys with that label are.
  virtual std::string TokenOf(const std::string& label) const = 0;

  // Whether that token is dedicated to one or a few tenants. If it fails, the server still serves
  // the others.
  virtual bool IsApart(const std::string& label) const {
    static_cast<void>(label);
    return false;
  }

  // Signs and verifies a fixed block with each SigningKey that is held; a key that is not held may
  // be destroyed. kUnavailable if a token does not answer; the store then tries to open it again,
  // so that a later call may succeed.
  virtual Status CheckHealth() = 0;
};

}  // namespace ca
