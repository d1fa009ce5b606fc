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
// Thread-safe; it keeps the token alive as long as it lives.
class SigningKey {
 public:
  virtual ~SigningKey() = default;

  // DER SubjectPublicKeyInfo, read from the token.
  virtual const Bytes& spki() const = 0;

 private:
  // Certificates only as they are recorded, statements on them, and requests for the key's own
  // certificate: nobody else can ask for a signature.
  friend Result<Certificate> SignRecorded(const SigningKey& key, RecordedIssuance recorded);
  friend Result<Bytes> SignCertList(const SigningKey& key, const TbsCertList& list);
  friend Result<Bytes> SignResponseData(const SigningKey& key, const ResponseData& data);
  friend Result<Bytes> SignAttributes(const SigningKey& key, const SignedAttributes& attributes);
  friend Result<Bytes> SignAuthorityRequest(const SigningKey& key,
                                            const AuthorityRequestInfo& info);

  // ECDSA-with-SHA256 over `message`, as the DER Ecdsa-Sig-Value that X.509 carries (RFC 3279
  // section 2.2.3). kUnavailable when the token does not answer: the caller may retry.
  virtual Result<Bytes> Sign(BytesView message) const = 0;
};

// What a look at one token finds.
struct TokenContent {
  std::string token;                // its label
  Status status;                    // kUnavailable when it is away: then nothing is known of it
  std::vector<std::string> labels;  // of every private key that it shows, whoever made it; sorted
};

// The keys of one token, or of several, of which a label says the one. Thread-safe.
class KeyStore {
 public:
  virtual ~KeyStore() = default;

  // kNotFound when the token has no private key with that label; kFailedPrecondition when it has
  // several, or when the key's attributes are not those promised above (each named);
  // kUnavailable when the token does not answer.
  virtual Result<std::shared_ptr<const SigningKey>> Find(const std::string& label) = 0;

  // Generates a P-256 pair on the token. kAlreadyExists when the label is taken: nothing is ever
  // overwritten.
  virtual Result<std::shared_ptr<const SigningKey>> Generate(const std::string& label) = 0;

  // Destroys every object of that label on the token, the private half and the public one. Ok when
  // there is none: it can be repeated. From then on Find() says kNotFound, and what was handed out
  // before signs nothing more (kFailedPrecondition; in another process, kUnavailable).
  virtual Status Destroy(const std::string& label) = 0;

  // Of each token there is.
  virtual std::vector<TokenContent> Contents() = 0;

  // The token to which all of the above go for that label.
  virtual std::string TokenOf(const std::string& label) const = 0;

  // Whether that token is there for one or a few tenants, so that what is wrong with it is no
  // reason to serve nobody.
  virtual bool IsApart(const std::string& label) const {
    static_cast<void>(label);
    return false;
  }

  // Signs and verifies a fixed block with each key that somebody holds: what nobody needs any more
  // may be gone. kUnavailable when the token is gone; the store then tries to open it anew, so that
  // a later call may succeed.
  virtual Status CheckHealth() = 0;
};

}  // namespace ca
