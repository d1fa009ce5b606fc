#include "ca/issuance/issuance.h"

#include "ca/issuance/tbs_certificate.h"
#include "ca/x509/public_key.h"

namespace ca {

Bytes Certificate::Der() const { return EncodeCertificate(record.tbs, signature); }

Result<Certificate> SignRecorded(const SigningKey& key, RecordedIssuance recorded) {
  Bytes signature = TRY(key.Sign(recorded.record_.tbs));
  const PublicKey public_half = TRY(PublicKey::FromSpki(key.spki()));
  if (!public_half.Verifies(recorded.record_.tbs, signature, EVP_sha256())) {
    return Error(StatusCode::kInternal,
                 "the token's signature for serial {} does not verify; it is not released",
                 recorded.record_.serial.ToString());
  }
  return Certificate{std::move(recorded.record_), std::move(signature)};
}

}  // namespace ca
