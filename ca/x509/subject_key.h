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
  // kInvalidArgument for a type that this does not make (RSA keys are for those who bring their
  // own).
  static Result<SubjectKey> Generate(KeyType type);
  // PKCS #8 or traditional PEM, not encrypted. kInvalidArgument otherwise.
  static Result<SubjectKey> FromPem(const Secret& pem);

  // PKCS #8 (RFC 5958).
  Secret ToPem() const;
  // DER PKCS #10, signed by this key, asking for one SPIFFE ID; or for nothing, when the server
  // knows from the join token who asks.
  Bytes Csr(const std::optional<SpiffeId>& id) const;
  // DER SubjectPublicKeyInfo.
  Bytes Spki() const;

 private:
  explicit SubjectKey(EvpPkeyPtr key) : key_(std::move(key)) {}
  EvpPkeyPtr key_;
};

}  // namespace ca
