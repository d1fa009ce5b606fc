#include "ca/issuance/tbs_cert_list_asn1.h"

namespace ca {
namespace {

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
// clang-format on

}  // namespace

const ASN1_ITEM* TbsCertListItem() { return ASN1_ITEM_rptr(TbsCertListAsn1); }

}  // namespace ca
