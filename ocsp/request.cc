#include "ocsp/request.h"

#include <openssl/ocsp.h>

#include "ca/base/asn1.h"

namespace ocsp {
namespace {

using ca::Bytes;
using ca::BytesView;

// RFC 6960 section 4.1.1:
//
//   OCSPRequest     ::=     SEQUENCE {
//       tbsRequest                  TBSRequest,
//       optionalSignature   [0]     EXPLICIT Signature OPTIONAL }
//
//   TBSRequest      ::=     SEQUENCE {
//       version             [0]     EXPLICIT Version DEFAULT v1,
//       requestorName       [1]     EXPLICIT GeneralName OPTIONAL,
//       requestList                 SEQUENCE OF Request,
//       requestExtensions   [2]     EXPLICIT Extensions OPTIONAL }
//
//   Signature       ::=     SEQUENCE {
//       signatureAlgorithm      AlgorithmIdentifier,
//       signature               BIT STRING,
//       certs               [0] EXPLICIT SEQUENCE OF Certificate OPTIONAL }
//
//   Request         ::=     SEQUENCE {
//       reqCert                     CertID,
//       singleRequestExtensions     [0] EXPLICIT Extensions OPTIONAL }
//
//   CertID          ::=     SEQUENCE {
//       hashAlgorithm       AlgorithmIdentifier,
//       issuerNameHash      OCTET STRING, -- Hash of issuer's DN
//       issuerKeyHash       OCTET STRING, -- Hash of issuer's public key
//       serialNumber        CertificateSerialNumber }
//
// OpenSSL's OCSP_REQUEST would do, but it decodes the signer's certificates. Nobody needs these,
// and decoding them takes longer than all the rest. Here they and the CertIDs stay as octets.
struct CertIdAsn1 {
  X509_ALGOR* hash_algorithm;
  ASN1_OCTET_STRING* issuer_name_hash;
  ASN1_OCTET_STRING* issuer_key_hash;
  ASN1_INTEGER* serial;
};

struct SingleRequestAsn1 {
  ASN1_STRING* cert_id;
  STACK_OF(X509_EXTENSION) * extensions;
};
DEFINE_STACK_OF(SingleRequestAsn1)

struct TbsRequestAsn1 {
  ASN1_INTEGER* version;
  GENERAL_NAME* requestor;
  STACK_OF(SingleRequestAsn1) * requests;
  STACK_OF(X509_EXTENSION) * extensions;
};

struct SignatureAsn1 {
  X509_ALGOR* algorithm;
  ASN1_BIT_STRING* signature;
  ASN1_STRING* certificates;
};

struct RequestAsn1 {
  TbsRequestAsn1* tbs;
  SignatureAsn1* signature;
};

// clang-format off
ASN1_SEQUENCE(CertIdAsn1) = {
    ASN1_SIMPLE(CertIdAsn1, hash_algorithm, X509_ALGOR),
    ASN1_SIMPLE(CertIdAsn1, issuer_name_hash, ASN1_OCTET_STRING),
    ASN1_SIMPLE(CertIdAsn1, issuer_key_hash, ASN1_OCTET_STRING),
    ASN1_SIMPLE(CertIdAsn1, serial, ASN1_INTEGER),
} static_ASN1_SEQUENCE_END(CertIdAsn1)

ASN1_SEQUENCE(SingleRequestAsn1) = {
    ASN1_SIMPLE(SingleRequestAsn1, cert_id, ASN1_SEQUENCE),
    ASN1_EXP_SEQUENCE_OF_OPT(SingleRequestAsn1, extensions, X509_EXTENSION, 0),
} static_ASN1_SEQUENCE_END(SingleRequestAsn1)

ASN1_SEQUENCE(TbsRequestAsn1) = {
    ASN1_EXP_OPT(TbsRequestAsn1, version, ASN1_INTEGER, 0),
    ASN1_EXP_OPT(TbsRequestAsn1, requestor, GENERAL_NAME, 1),
    ASN1_SEQUENCE_OF(TbsRequestAsn1, requests, SingleRequestAsn1),
    ASN1_EXP_SEQUENCE_OF_OPT(TbsRequestAsn1, extensions, X509_EXTENSION, 2),
} static_ASN1_SEQUENCE_END(TbsRequestAsn1)

ASN1_SEQUENCE(SignatureAsn1) = {
    ASN1_SIMPLE(SignatureAsn1, algorithm, X509_ALGOR),
    ASN1_SIMPLE(SignatureAsn1, signature, ASN1_BIT_STRING),
    ASN1_EXP_OPT(SignatureAsn1, certificates, ASN1_SEQUENCE, 0),
} static_ASN1_SEQUENCE_END(SignatureAsn1)

ASN1_SEQUENCE(RequestAsn1) = {
    ASN1_SIMPLE(RequestAsn1, tbs, TbsRequestAsn1),
    ASN1_EXP_OPT(RequestAsn1, signature, SignatureAsn1, 0),
} static_ASN1_SEQUENCE_END(RequestAsn1);
// clang-format on

using Extensions = STACK_OF(X509_EXTENSION);

ca::Status Malformed(std::string_view why) {
  ca::DrainOpenSslErrors();
  return ca::Error(ca::StatusCode::kInvalidArgument, "ocsp request {}", why);
}

HashAlgorithm HashAlgorithmOf(const X509_ALGOR* algorithm) {
  switch (OBJ_obj2nid(algorithm->algorithm)) {
    case NID_sha1:
      return HashAlgorithm::kSha1;
    case NID_sha256:
      return HashAlgorithm::kSha256;
    default:
      return HashAlgorithm::kOther;
  }
}

ca::Result<CertId> ParseCertId(BytesView der) {
  const auto parsed = ca::Asn1Object<CertIdAsn1>::Parse(ASN1_ITEM_rptr(CertIdAsn1), der);
  if (parsed.empty() || parsed.Der() != der) return Malformed("has an entry that is not a CertID");
  CertId id{
      .der = Bytes(der),
      .hash = HashAlgorithmOf(parsed->hash_algorithm),
      .issuer_name_hash = Bytes(ca::OctetsOf(parsed->issuer_name_hash)),
      .issuer_key_hash = Bytes(ca::OctetsOf(parsed->issuer_key_hash)),
  };
  // OpenSSL keeps an INTEGER's magnitude, and its sign in the type.
  if (ASN1_STRING_type(parsed->serial) == V_ASN1_INTEGER) {
    auto serial = ca::SerialNumber::FromBytes(ca::OctetsOf(parsed->serial));
    if (serial.ok()) id.serial = *std::move(serial);
  }
  return id;
}

// RFC 9654 section 2.1: Nonce ::= OCTET STRING(SIZE(1..128)), inside the extension's own.
ca::Result<Bytes> ParseNonce(const X509_EXTENSION* extension) {
  const BytesView value =
      ca::OctetsOf(X509_EXTENSION_get_data(const_cast<X509_EXTENSION*>(extension)));
  const auto parsed =
      ca::Asn1Object<ASN1_OCTET_STRING>::Parse(ASN1_ITEM_rptr(ASN1_OCTET_STRING), value);
  if (parsed.empty() || parsed.Der() != value)
    return Malformed("has a nonce that is not a DER Nonce");
  Bytes nonce(ca::OctetsOf(parsed.operator->()));
  if (nonce.empty() || nonce.size() > Request::kNonceMax) {
    return Malformed("has a nonce that is not 1 to 128 octets long");
  }
  return nonce;
}

// RFC 5280 section 4.2: a system "MUST reject the certificate if it encounters a critical extension
// it does not recognize". A critical extension of a request must mean the same.
ca::Status CheckSkippable(const X509_EXTENSION* extension) {
  if (X509_EXTENSION_get_critical(extension) == 0) return ca::Ok();
  return Malformed("has an unknown critical extension");
}

ca::Result<std::optional<Bytes>> ReadRequestExtensions(const Extensions* extensions) {
  std::optional<Bytes> nonce;
  for (int i = 0; i < sk_X509_EXTENSION_num(extensions); ++i) {
    X509_EXTENSION* const extension = sk_X509_EXTENSION_value(extensions, i);
    if (OBJ_obj2nid(X509_EXTENSION_get_object(extension)) != NID_id_pkix_OCSP_Nonce) {
      TRY(CheckSkippable(extension));
      continue;
    }
    if (nonce) return Malformed("has two nonces");
    nonce = TRY(ParseNonce(extension));
  }
  return nonce;
}

ca::Result<CertId> ReadSingleRequest(const SingleRequestAsn1* single) {
  for (int i = 0; i < sk_X509_EXTENSION_num(single->extensions); ++i) {
    TRY(CheckSkippable(sk_X509_EXTENSION_value(single->extensions, i)));
  }
  return ParseCertId(ca::OctetsOf(single->cert_id));
}

void Drop(Extensions*& extensions) {
  ca::FreeExtensions(extensions);
  extensions = nullptr;
}

// Removes the fields that no answer depends on.
Bytes PlainDerOf(ca::Asn1Object<RequestAsn1>& request) {
  TbsRequestAsn1* const tbs = request->tbs;
  ASN1_INTEGER_free(tbs->version);
  tbs->version = nullptr;
  GENERAL_NAME_free(tbs->requestor);
  tbs->requestor = nullptr;
  Drop(tbs->extensions);
  for (int i = 0; i < sk_SingleRequestAsn1_num(tbs->requests); ++i) {
    Drop(sk_SingleRequestAsn1_value(tbs->requests, i)->extensions);
  }
  ASN1_item_free(reinterpret_cast<ASN1_VALUE*>(request->signature), ASN1_ITEM_rptr(SignatureAsn1));
  request->signature = nullptr;
  return request.Der();
}

}  // namespace

ca::Result<Request> Request::Parse(BytesView der) {
  if (der.size() > kSizeMax) return Malformed("is longer than 16 KiB");
  auto parsed = ca::Asn1Object<RequestAsn1>::Parse(ASN1_ITEM_rptr(RequestAsn1), der);
  // OpenSSL parses BER. The input was DER only if encoding it again gives the same octets.
  if (parsed.empty() || parsed.Der() != der) return Malformed("is not a DER OCSPRequest");
  const TbsRequestAsn1* const tbs = parsed->tbs;
  if (tbs->version && ASN1_INTEGER_get(tbs->version) != 0) return Malformed("is not version 1");
  const int count = sk_SingleRequestAsn1_num(tbs->requests);
  if (count < 1) return Malformed("asks for no certificate");
  if (count > static_cast<int>(kCertIdsMax)) return Malformed("asks for more than 32 certificates");

  Request request;
  request.nonce = TRY(ReadRequestExtensions(tbs->extensions));
  request.cert_ids.reserve(static_cast<size_t>(count));
  for (int i = 0; i < count; ++i) {
    auto id = TRY(ReadSingleRequest(sk_SingleRequestAsn1_value(tbs->requests, i)));
    request.cert_ids.push_back(std::move(id));
  }
  request.plain_der = PlainDerOf(parsed);
  return request;
}

}  // namespace ocsp
