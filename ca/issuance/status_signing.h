#pragma once

#include "ca/base/bytes.h"
#include "ca/issuance/key_store.h"

// CRLs and OCSP responses: the statements on certificates that keys sign. Parse() checks each
// before a key sees it, so that neither can be a certificate in disguise: a TBSCertificate is
// neither a TBSCertList nor a ResponseData.
namespace ca {

// The signed part of a CRL (RFC 5280 section 5.1).
class TbsCertList {
 public:
  // kInvalidArgument unless `der` is a TBSCertList of version 2 for ecdsa-with-SHA256.
  static Result<TbsCertList> Parse(Bytes der);
  const Bytes& der() const { return der_; }

 private:
  explicit TbsCertList(Bytes der) : der_(std::move(der)) {}
  Bytes der_;
};

// The signed part of an OCSP response (RFC 6960 section 4.2.1).
class ResponseData {
 public:
  // kInvalidArgument unless `der` is a ResponseData.
  static Result<ResponseData> Parse(Bytes der);
  const Bytes& der() const { return der_; }

 private:
  explicit ResponseData(Bytes der) : der_(std::move(der)) {}
  Bytes der_;
};

// The DER Ecdsa-Sig-Value over `list` or `data`. The signature is not verified, because a statement
// is short-lived and can be made again, and each request with a nonce needs a signature of its own.
// kUnavailable if the token does not answer.
Result<Bytes> SignCertList(const SigningKey& key, const TbsCertList& list);
Result<Bytes> SignResponseData(const SigningKey& key, const ResponseData& data);

}  // namespace ca
