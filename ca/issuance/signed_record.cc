#include "ca/issuance/signed_record.h"

#include "ca/base/asn1.h"
#include "ca/base/der.h"
#include "ca/issuance/der_identifiers.h"

namespace ca {
namespace {

using namespace std::string_view_literals;

// OBJECT IDENTIFIER id-signedData (RFC 5652 section 5.1).
constexpr auto kSignedData = "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02"sv;

// AlgorithmIdentifier id-sha256, parameters absent (RFC 5754 section 2).
constexpr auto kSha256 = "\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01"sv;

constexpr auto kVersion1 = "\x02\x01\x01"sv;

Bytes Explicit0(BytesView content) { return EncodeDer(DerContext(0, true), content); }

// IssuerAndSerialNumber (RFC 5652 section 10.2.4).
Bytes SignerIdentifier(const Authority& recorder) {
  return DerSequence(DerOf<X509_NAME, i2d_X509_NAME>(X509_get_issuer_name(recorder.x509())) +
                     EncodeDer(kDerInteger, recorder.serial()->bytes()));
}

// SignerInfo ::= SEQUENCE {
//     version CMSVersion,
//     sid SignerIdentifier,
//     digestAlgorithm DigestAlgorithmIdentifier,
//     signedAttrs [0] IMPLICIT SignedAttributes OPTIONAL,
//     signatureAlgorithm SignatureAlgorithmIdentifier,
//     signature SignatureValue,
//     unsignedAttrs [1] IMPLICIT UnsignedAttributes OPTIONAL }
Bytes SignerInfo(const Authority& recorder, const SignedAttributes& attributes,
                 BytesView signature) {
  const BytesView set = *OnlyDer(kDerSet, attributes.der());
  return DerSequence(Bytes(kVersion1) + SignerIdentifier(recorder) + Bytes(kSha256) +
                     EncodeDer(DerContext(0, true), set) + Bytes(kEcdsaWithSha256Der) +
                     EncodeDer(kDerOctetString, signature));
}

// SignedData ::= SEQUENCE {
//     version CMSVersion,
//     digestAlgorithms DigestAlgorithmIdentifiers,
//     encapContentInfo EncapsulatedContentInfo,
//     certificates [0] IMPLICIT CertificateSet OPTIONAL,
//     crls [1] IMPLICIT RevocationInfoChoices OPTIONAL,
//     signerInfos SignerInfos }
Bytes SignedData(BytesView document, const Authority& recorder, BytesView signer_info) {
  return DerSequence(
      Bytes(kVersion1) + EncodeDer(kDerSet, kSha256) +
      DerSequence(Bytes(kIdDataDer) + Explicit0(EncodeDer(kDerOctetString, document))) +
      EncodeDer(DerContext(0, true), recorder.certificate()) + EncodeDer(kDerSet, signer_info));
}

}  // namespace

Result<Bytes> SignRecord(const Authority& recorder, BytesView document, TimePoint now) {
  const SignedAttributes attributes = SignedAttributes::Of(document, now);
  const Bytes signature = TRY(recorder.Sign(attributes));
  const PublicKey key = TRY(PublicKey::FromSpki(
      DerOf<X509_PUBKEY, i2d_X509_PUBKEY>(X509_get_X509_PUBKEY(recorder.x509()))));
  if (!key.Verifies(attributes.der(), signature, EVP_sha256())) {
    return Error(StatusCode::kInternal,
                 "the token's signature for a record does not verify; it is not released");
  }
  return DerSequence(
      Bytes(kSignedData) +
      Explicit0(SignedData(document, recorder, SignerInfo(recorder, attributes, signature))));
}

}  // namespace ca
