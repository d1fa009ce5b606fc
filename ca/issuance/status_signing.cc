#include "ca/issuance/status_signing.h"

#include <openssl/ocsp.h>

#include "ca/base/asn1.h"
#include "ca/issuance/tbs_cert_list_asn1.h"

namespace ca {

Result<TbsCertList> TbsCertList::Parse(Bytes der) {
  const auto list = Asn1Object<TbsCertListAsn1>::Parse(TbsCertListItem(), der);
  if (list.empty() || ASN1_INTEGER_get(list->version) != TbsCertListAsn1::kVersion2 ||
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
