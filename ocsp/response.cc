#include "ocsp/response.h"

#include <openssl/ocsp.h>

#include "ca/base/asn1.h"

namespace ocsp {
namespace {

using ca::Bytes;
using ca::BytesView;
using ca::RequireAsn1;

// RFC 6960 section 4.2.1:
//
//   OCSPResponse ::= SEQUENCE {
//      responseStatus         OCSPResponseStatus,
//      responseBytes          [0] EXPLICIT ResponseBytes OPTIONAL }
//
//   ResponseBytes ::=       SEQUENCE {
//       responseType   OBJECT IDENTIFIER,
//       response       OCTET STRING }
//
//   BasicOCSPResponse       ::= SEQUENCE {
//      tbsResponseData      ResponseData,
//      signatureAlgorithm   AlgorithmIdentifier,
//      signature            BIT STRING,
//      certs            [0] EXPLICIT SEQUENCE OF Certificate OPTIONAL }
//
//   ResponseData ::= SEQUENCE {
//      version              [0] EXPLICIT Version DEFAULT v1,
//      responderID              ResponderID,
//      producedAt               GeneralizedTime,
//      responses                SEQUENCE OF SingleResponse,
//      responseExtensions   [1] EXPLICIT Extensions OPTIONAL }
//
//   ResponderID ::= CHOICE {
//      byName               [1] Name,
//      byKey                [2] KeyHash }
//
//   SingleResponse ::= SEQUENCE {
//      certID                       CertID,
//      certStatus                   CertStatus,
//      thisUpdate                   GeneralizedTime,
//      nextUpdate         [0]       EXPLICIT GeneralizedTime OPTIONAL,
//      singleExtensions   [1]       EXPLICIT Extensions OPTIONAL }
//
//   CertStatus ::= CHOICE {
//       good        [0]     IMPLICIT NULL,
//       revoked     [1]     IMPLICIT RevokedInfo,
//       unknown     [2]     IMPLICIT UnknownInfo }
//
//   RevokedInfo ::= SEQUENCE {
//       revocationTime              GeneralizedTime,
//       revocationReason    [0]     EXPLICIT CRLReason OPTIONAL }
//
// CertIDs, the signed data and the certificate are copied as octets. Fields that are never written
// (the version, byName, singleExtensions) are left out here.
struct RevokedInfoAsn1 {
  ASN1_GENERALIZEDTIME* revocation_time;
  ASN1_ENUMERATED* reason;
};

struct CertStatusAsn1 {
  enum { kGood, kRevoked, kUnknown };
  int type;
  union {
    ASN1_NULL* good;
    RevokedInfoAsn1* revoked;
    ASN1_NULL* unknown;
  } value;
};

struct SingleResponseAsn1 {
  ASN1_STRING* cert_id;
  CertStatusAsn1* status;
  ASN1_GENERALIZEDTIME* this_update;
  ASN1_GENERALIZEDTIME* next_update;
};
DEFINE_STACK_OF(SingleResponseAsn1)

struct ResponseDataAsn1 {
  ASN1_OCTET_STRING* responder_key_hash;
  ASN1_GENERALIZEDTIME* produced_at;
  STACK_OF(SingleResponseAsn1) * responses;
  STACK_OF(X509_EXTENSION) * extensions;
};

struct BasicResponseAsn1 {
  ASN1_STRING* data;
  X509_ALGOR* signature_algorithm;
  ASN1_BIT_STRING* signature;
  STACK_OF(ASN1_STRING) * certificates;
};

struct ResponseBytesAsn1 {
  ASN1_OBJECT* type;
  ASN1_OCTET_STRING* response;
};

struct ResponseAsn1 {
  ASN1_ENUMERATED* status;
  ResponseBytesAsn1* bytes;
};

template <typename T>
T* New(const ASN1_ITEM* item) {
  T* const object = reinterpret_cast<T*>(ASN1_item_new(item));
  RequireAsn1(object != nullptr, "ASN1_item_new");
  return object;
}

// clang-format off
ASN1_SEQUENCE(RevokedInfoAsn1) = {
    ASN1_SIMPLE(RevokedInfoAsn1, revocation_time, ASN1_GENERALIZEDTIME),
    ASN1_EXP_OPT(RevokedInfoAsn1, reason, ASN1_ENUMERATED, 0),
} static_ASN1_SEQUENCE_END(RevokedInfoAsn1)

ASN1_CHOICE(CertStatusAsn1) = {
    ASN1_IMP(CertStatusAsn1, value.good, ASN1_NULL, 0),
    ASN1_IMP(CertStatusAsn1, value.revoked, RevokedInfoAsn1, 1),
    ASN1_IMP(CertStatusAsn1, value.unknown, ASN1_NULL, 2),
} static_ASN1_CHOICE_END(CertStatusAsn1)

ASN1_SEQUENCE(SingleResponseAsn1) = {
    ASN1_SIMPLE(SingleResponseAsn1, cert_id, ASN1_SEQUENCE),
    ASN1_SIMPLE(SingleResponseAsn1, status, CertStatusAsn1),
    ASN1_SIMPLE(SingleResponseAsn1, this_update, ASN1_GENERALIZEDTIME),
    ASN1_EXP(SingleResponseAsn1, next_update, ASN1_GENERALIZEDTIME, 0),
} static_ASN1_SEQUENCE_END(SingleResponseAsn1)

ASN1_SEQUENCE(ResponseDataAsn1) = {
    ASN1_EXP(ResponseDataAsn1, responder_key_hash, ASN1_OCTET_STRING, 2),
    ASN1_SIMPLE(ResponseDataAsn1, produced_at, ASN1_GENERALIZEDTIME),
    ASN1_SEQUENCE_OF(ResponseDataAsn1, responses, SingleResponseAsn1),
    ASN1_EXP_SEQUENCE_OF_OPT(ResponseDataAsn1, extensions, X509_EXTENSION, 1),
} static_ASN1_SEQUENCE_END(ResponseDataAsn1)

ASN1_SEQUENCE(BasicResponseAsn1) = {
    ASN1_SIMPLE(BasicResponseAsn1, data, ASN1_SEQUENCE),
    ASN1_SIMPLE(BasicResponseAsn1, signature_algorithm, X509_ALGOR),
    ASN1_SIMPLE(BasicResponseAsn1, signature, ASN1_BIT_STRING),
    ASN1_EXP_SEQUENCE_OF(BasicResponseAsn1, certificates, ASN1_SEQUENCE, 0),
} static_ASN1_SEQUENCE_END(BasicResponseAsn1)

ASN1_SEQUENCE(ResponseBytesAsn1) = {
    ASN1_SIMPLE(ResponseBytesAsn1, type, ASN1_OBJECT),
    ASN1_SIMPLE(ResponseBytesAsn1, response, ASN1_OCTET_STRING),
} static_ASN1_SEQUENCE_END(ResponseBytesAsn1)

ASN1_SEQUENCE(ResponseAsn1) = {
    ASN1_SIMPLE(ResponseAsn1, status, ASN1_ENUMERATED),
    ASN1_EXP_OPT(ResponseAsn1, bytes, ResponseBytesAsn1, 0),
} static_ASN1_SEQUENCE_END(ResponseAsn1);
// clang-format on

// RFC 6960 section 4.2.1 leaves the reason out or in; RFC 5280 section 5.3.1: "the reason code CRL
// entry extension SHOULD be absent instead of using the unspecified (0) reasonCode value".
RevokedInfoAsn1* NewRevokedInfo(const ca::Revocation& revocation) {
  auto* const info = New<RevokedInfoAsn1>(ASN1_ITEM_rptr(RevokedInfoAsn1));
  ca::SetGeneralizedTime(info->revocation_time, revocation.revoked_at);
  if (revocation.reason == ca::RevocationReason::kUnspecified) return info;
  info->reason = New<ASN1_ENUMERATED>(ASN1_ITEM_rptr(ASN1_ENUMERATED));
  RequireAsn1(ASN1_ENUMERATED_set(info->reason, static_cast<long>(revocation.reason)) == 1,
              "ASN1_ENUMERATED_set");
  return info;
}

// `asn1` is new: no alternative is chosen yet.
void SetStatus(CertStatusAsn1* asn1, const ca::CertificateStatus& status) {
  const auto new_null = [] { return New<ASN1_NULL>(ASN1_ITEM_rptr(ASN1_NULL)); };
  if (const auto* revocation = std::get_if<ca::Revocation>(&status)) {
    asn1->type = CertStatusAsn1::kRevoked;
    asn1->value.revoked = NewRevokedInfo(*revocation);
  } else if (std::holds_alternative<ca::GoodCertificate>(status)) {
    asn1->type = CertStatusAsn1::kGood;
    asn1->value.good = new_null();
  } else {
    asn1->type = CertStatusAsn1::kUnknown;
    asn1->value.unknown = new_null();
  }
}

void AddNonce(STACK_OF(X509_EXTENSION) * *extensions, BytesView octets) {
  const ca::Asn1OctetStringPtr nonce(ASN1_OCTET_STRING_new());
  RequireAsn1(nonce != nullptr, "ASN1_OCTET_STRING_new");
  ca::SetOctets(nonce.get(), octets);
  // OpenSSL's own method for this extension writes the octets without their OCTET STRING.
  const Bytes der = ca::DerOf<ASN1_OCTET_STRING, i2d_ASN1_OCTET_STRING>(nonce.get());
  ca::SetOctets(nonce.get(), der);
  ca::X509ExtensionPtr extension(
      X509_EXTENSION_create_by_NID(nullptr, NID_id_pkix_OCSP_Nonce, 0, nonce.get()));
  if (!*extensions) *extensions = sk_X509_EXTENSION_new_null();
  RequireAsn1(extension && sk_X509_EXTENSION_push(*extensions, extension.get()) > 0,
              "X509_EXTENSION_create_by_NID");
  static_cast<void>(extension.release());  // now the stack owns it
}

Bytes EncodeResponseData(const Statement& statement, const ca::Authority& responder) {
  ca::Asn1Object<ResponseDataAsn1> data(ASN1_ITEM_rptr(ResponseDataAsn1));
  ca::SetOctets(data->responder_key_hash, responder.key_identifier());
  ca::SetGeneralizedTime(data->produced_at, statement.this_update);
  for (const Statement::Single& single : statement.singles) {
    auto* const asn1 = New<SingleResponseAsn1>(ASN1_ITEM_rptr(SingleResponseAsn1));
    RequireAsn1(sk_SingleResponseAsn1_push(data->responses, asn1) > 0, "sk_push");
    ca::SetOctets(asn1->cert_id, single.cert_id);
    SetStatus(asn1->status, single.status);
    ca::SetGeneralizedTime(asn1->this_update, statement.this_update);
    ca::SetGeneralizedTime(asn1->next_update, statement.next_update);
  }
  if (statement.nonce) AddNonce(&data->extensions, *statement.nonce);
  return data.Der();
}

Bytes EncodeBasicResponse(BytesView data, BytesView signature, BytesView certificate) {
  ca::Asn1Object<BasicResponseAsn1> basic(ASN1_ITEM_rptr(BasicResponseAsn1));
  ca::SetOctets(basic->data, data);
  ca::SetEcdsaWithSha256(basic->signature_algorithm);
  ca::SetBitString(basic->signature, signature);
  ASN1_STRING* const element = ASN1_STRING_type_new(V_ASN1_SEQUENCE);
  RequireAsn1(element && sk_ASN1_STRING_push(basic->certificates, element) > 0, "sk_push");
  ca::SetOctets(element, certificate);
  return basic.Der();
}

Bytes EncodeSuccess(BytesView basic) {
  ca::Asn1Object<ResponseAsn1> response(ASN1_ITEM_rptr(ResponseAsn1));
  RequireAsn1(ASN1_ENUMERATED_set(response->status, OCSP_RESPONSE_STATUS_SUCCESSFUL) == 1,
              "ASN1_ENUMERATED_set");
  response->bytes = New<ResponseBytesAsn1>(ASN1_ITEM_rptr(ResponseBytesAsn1));
  response->bytes->type = OBJ_nid2obj(NID_id_pkix_OCSP_basic);  // static, so it is never freed
  ca::SetOctets(response->bytes->response, basic);
  return response.Der();
}

}  // namespace

Bytes EncodeError(ErrorStatus status) {
  ca::Asn1Object<ResponseAsn1> response(ASN1_ITEM_rptr(ResponseAsn1));
  RequireAsn1(ASN1_ENUMERATED_set(response->status, static_cast<long>(status)) == 1,
              "ASN1_ENUMERATED_set");
  return response.Der();
}

ca::Result<Bytes> Sign(const Statement& statement, const ca::Authority& responder) {
  const auto data = TRY(ca::ResponseData::Parse(EncodeResponseData(statement, responder)));
  const Bytes signature = TRY(responder.Sign(data));
  return EncodeSuccess(EncodeBasicResponse(data.der(), signature, responder.certificate()));
}

}  // namespace ocsp
