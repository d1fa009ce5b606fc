#pragma once

#include <optional>

#include "ca/base/bytes.h"
#include "ca/base/openssl.h"
#include "ca/base/secret.h"
#include "ca/base/spiffe_id.h"
#include "ca/x509/public_key.h"

namespace ca {

// A subject's own key pair, in memory: an agent's, an operator's or a server's; never an
// authority's, whose keys live on the token.
class SubjectKey {
 public:
  // kInvalidArgument for RSA: a subject that wants an RSA key brings its own.
  static Result<SubjectKey> Generate(KeyType type);
  // PKCS #8 or traditional PEM, not encrypted. kInvalidArgument otherwise.
  static Result<SubjectKey> FromPem(const Secret& pem);

  // PKCS #8 (RFC 5958).
  Secret ToPem() const;
  // DER PKCS #10, signed by this key. It asks for one SPIFFE ID, or for no name if the server knows
  // the agent by its join token.
  Bytes Csr(const std::optional<SpiffeId>& id) const;
  // DER SubjectPublicKeyInfo.
  Bytes Spki() const;

 private:
  explicit SubjectKey(EvpPkeyPtr key) : key_(std::move(key)) {}
  EvpPkeyPtr key_;
};

}  // namespace ca
