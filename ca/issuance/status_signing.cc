#include "ca/issuance/status_signing.h"

#include <openssl/ocsp.h>

#include "ca/base/asn1.h"

namespace ca {
namespace {

// RFC 5280 section 5.1:
//
//   TBSCertList  ::=  SEQUENCE  {
//        version                 Version OPTIONAL,
//                                     -- if present, MUST be v2
//        signature               AlgorithmIdentifier,
//        issuer                  Name,
//        thisUpdate              Time,
//        nextUpdate              Time OPTIONAL,
//        revokedCertificates     SEQUENCE OF SEQUENCE  { ... }  OPTIONAL,
//        crlExtensions           [0]  EXPLICIT Extensions OPTIONAL }
//
// Its entries stay in their octets: there may be a hundred thousand, and what tells it from a
// TBSCertificate stands before them.
struct TbsCertListAsn1 {
  ASN1_INTEGER* version;
  X509_ALGOR* signature_algorithm;
  ASN1_STRING* issuer;
  ASN1_TIME* this_update;
  ASN1_TIME* next_update;
  ASN1_STRING* revoked;
  STACK_OF(X509_EXTENSION) * extensions;
};

// clang-format off
ASN1_SEQUENCE(TbsCertListAsn1) = {
    ASN1_SIMPLE(TbsCertListAsn1, version, ASN1_INTEGER),
    ASN1_SIMPLE(TbsCertListAsn1, signature_algorithm, X509_ALGOR),
    ASN1_SIMPLE(TbsCertListAsn1, issuer, ASN1_SEQUENCE),
    ASN1_SIMPLE(TbsCertListAsn1, this_update, ASN1_TIME),
    ASN1_SIMPLE(TbsCertListAsn1, next_update, ASN1_TIME),
    ASN1_OPT(TbsCertListAsn1, revoked, ASN1_SEQUENCE),
    ASN1_EXP_SEQUENCE_OF(TbsCertListAsn1, extensions, X509_EXTENSION, 0),
} static_ASN1_SEQUENCE_END(TbsCertListAsn1)

constexpr long kVersion2 = 1;
// clang-format on

}  // namespace

Result<TbsCertList> TbsCertList::Parse(Bytes der) {
  const auto list = Asn1Object<TbsCertListAsn1>::Parse(ASN1_ITEM_rptr(TbsCertListAsn1), der);
  if (list.empty() || ASN1_INTEGER_get(list->version) != kVersion2 ||
      OBJ_obj2nid(list->signature_algorithm->algorithm) != NID_ecdsa_with_SHA256) {
    return Error(StatusCode::kInvalidArgument, "this is no TBSCertList for ecdsa-with-SHA256");
  }
  return TbsCertList(std::move(der));
}

Result<ResponseData> ResponseData::Parse(Bytes der) {
  if (Asn1Object<OCSP_RESPDATA>::Parse(ASN1_ITEM_rptr(OCSP_RESPDATA), der).empty()) {
    return Error(StatusCode::kInvalidArgument, "this is no OCSP ResponseData");
  }
  return ResponseData(std::move(der));
}

Result<Bytes> SignCertList(const SigningKey& key, const TbsCertList& list) {
  return key.Sign(list.der());
}

Result<Bytes> SignResponseData(const SigningKey& key, const ResponseData& data) {
  return key.Sign(data.der());
}

}  // namespace ca
