#pragma once

#include "ca/base/bytes.h"
#include "ca/issuance/authority.h"
#include "ca/issuance/key_store.h"

// The PKCS #10 certification request (RFC 2986) by which an external CA is asked for the
// certificate of an issuing authority. It asks for the name and the extensions that a root of ours
// would give.
namespace ca {

// CertificationRequestInfo, the signed part of the request. It cannot be taken for a
// TBSCertificate: it begins with its version, 0, where a TBSCertificate has [0] or its serial
// number, which is never 0.
class AuthorityRequestInfo {
 public:
  // `planned` is an issuing authority of `hierarchy`, and `key` its key.
  static AuthorityRequestInfo Of(const Hierarchy& hierarchy, const AuthorityRecord& planned,
                                 const PublicKey& key);
  const Bytes& der() const { return der_; }

 private:
  explicit AuthorityRequestInfo(Bytes der) : der_(std::move(der)) {}
  Bytes der_;
};

// The DER Ecdsa-Sig-Value over `info`. kUnavailable if the token does not answer.
Result<Bytes> SignAuthorityRequest(const SigningKey& key, const AuthorityRequestInfo& info);

// DER CertificationRequest. Its signature is verified first: kInternal if it does not verify.
// kUnavailable if the token does not answer.
Result<Bytes> RequestCertificate(const Hierarchy& hierarchy, const AuthorityRecord& planned,
                                 const SigningKey& key);

}  // namespace ca
