#include "ca/issuance/authority_request.h"

#include "ca/base/der.h"
#include "ca/issuance/der_identifiers.h"
#include "ca/issuance/tbs_certificate.h"

namespace ca {
namespace {

using namespace std::string_view_literals;

constexpr auto kVersion0 = "\x02\x01\x00"sv;
// pkcs-9-at-extensionRequest, 1.2.840.113549.1.9.14 (RFC 2985 section 5.4.2).
constexpr auto kExtensionRequest = "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x09\x0e"sv;

}  // namespace

// CertificationRequestInfo ::= SEQUENCE {
//     version       INTEGER { v1(0) } (v1,...),
//     subject       Name,
//     subjectPKInfo SubjectPublicKeyInfo{{ PKInfoAlgorithms }},
//     attributes    [0] Attributes{{ CRIAttributes }} }
AuthorityRequestInfo AuthorityRequestInfo::Of(const Hierarchy& hierarchy,
                                              const AuthorityRecord& planned,
                                              const PublicKey& key) {
  const Bytes extensions = EncodeIssuingExtensions(hierarchy, key.SubjectKeyIdentifier());
  const Bytes attribute = DerSequence(Bytes(kExtensionRequest) + EncodeDer(kDerSet, extensions));
  return AuthorityRequestInfo(DerSequence(Bytes(kVersion0) + SubjectNameOf(hierarchy, planned) +
                                          key.spki() + EncodeDer(DerContext(0, true), attribute)));
}

Result<Bytes> SignAuthorityRequest(const SigningKey& key, const AuthorityRequestInfo& info) {
  return key.Sign(info.der());
}

// CertificationRequest ::= SEQUENCE {
//     certificationRequestInfo CertificationRequestInfo,
//     signatureAlgorithm       AlgorithmIdentifier{{ SignatureAlgorithms }},
//     signature                BIT STRING }
Result<Bytes> RequestCertificate(const Hierarchy& hierarchy, const AuthorityRecord& planned,
                                 const SigningKey& key) {
  const PublicKey public_key = TRY(PublicKey::FromSpki(key.spki()));
  const auto info = AuthorityRequestInfo::Of(hierarchy, planned, public_key);
  const Bytes signature = TRY(SignAuthorityRequest(key, info));
  if (!public_key.Verifies(info.der(), signature, EVP_sha256())) {
    return Error(StatusCode::kInternal,
                 "the token's signature for a certification request does not verify; it is not "
                 "released");
  }
  return DerSequence(info.der() + Bytes(kEcdsaWithSha256Der) +
                     EncodeDer(kDerBitString, Bytes(1, '\0') + signature));
}

}  // namespace ca
