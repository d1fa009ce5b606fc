#pragma once

#include "ca/base/bytes.h"
#include "ca/issuance/key_store.h"

// What a key signs besides certificates: statements on them. Each is checked to be what it says
// before the key sees it, so that neither can smuggle a certificate under a signature: a
// TBSCertificate is neither a TBSCertList nor a ResponseData.
namespace ca {

// RFC 5280 section 5.1: what the signature of a CRL is over.
class TbsCertList {
 public:
  // kInvalidArgument unless it is the DER of one, version 2, for ecdsa-with-SHA256.
  static Result<TbsCertList> Parse(Bytes der);
  const Bytes& der() const { return der_; }

 private:
  explicit TbsCertList(Bytes der) : der_(std::move(der)) {}
  Bytes der_;
};

// RFC 6960 section 4.2.1: what the signature of an OCSP response is over.
class ResponseData {
 public:
  // kInvalidArgument unless it is the DER of one.
  static Result<ResponseData> Parse(Bytes der);
  const Bytes& der() const { return der_; }

 private:
  explicit ResponseData(Bytes der) : der_(std::move(der)) {}
  Bytes der_;
};

// The DER Ecdsa-Sig-Value over it. Not verified before it is returned: a statement is short-lived
// and can be made again, and an answer with a nonce is made for each who asks. kUnavailable when
// the token is away.
Result<Bytes> SignCertList(const SigningKey& key, const TbsCertList& list);
Result<Bytes> SignResponseData(const SigningKey& key, const ResponseData& data);

}  // namespace ca
