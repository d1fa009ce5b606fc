#pragma once

#include "ca/base/bytes.h"
#include "ca/issuance/authority.h"
#include "ca/issuance/key_store.h"

// Asking somebody else's CA for the certificate of an issuing authority: a PKCS #10 certification
// request (RFC 2986) that asks for the name and the extensions which our own root would give it.
namespace ca {

// CertificationRequestInfo, what the signature is over. Its version is 0 and stands where a
// TBSCertificate has [0] or its serial number, which is never 0: it is never taken for one.
class AuthorityRequestInfo {
 public:
  // `key` is that of `planned`, an issuing authority of `hierarchy`.
  static AuthorityRequestInfo Of(const Hierarchy& hierarchy, const AuthorityRecord& planned,
                                 const PublicKey& key);
  const Bytes& der() const { return der_; }

 private:
  explicit AuthorityRequestInfo(Bytes der) : der_(std::move(der)) {}
  Bytes der_;
};

// The DER Ecdsa-Sig-Value over it. kUnavailable when the token is away.
Result<Bytes> SignAuthorityRequest(const SigningKey& key, const AuthorityRequestInfo& info);

// DER CertificationRequest, whose signature was verified: kInternal when the token's does not.
// kUnavailable when the token is away.
Result<Bytes> RequestCertificate(const Hierarchy& hierarchy, const AuthorityRecord& planned,
                                 const SigningKey& key);

}  // namespace ca
