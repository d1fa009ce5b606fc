#include "ca/issuance/signed_attributes.h"

#include <algorithm>
#include <vector>

#include "ca/base/asn1.h"
#include "ca/base/der.h"
#include "ca/issuance/der_identifiers.h"

namespace ca {
namespace {

using namespace std::string_view_literals;

// OBJECT IDENTIFIERs, whole.
constexpr auto kContentType = "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x09\x03"sv;
constexpr auto kMessageDigest = "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x09\x04"sv;
constexpr auto kSigningTime = "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x09\x05"sv;

// Attribute ::= SEQUENCE { attrType OBJECT IDENTIFIER, attrValues SET OF AttributeValue }
Bytes Attribute(BytesView type, BytesView value) {
  return DerSequence(Bytes(type) + EncodeDer(kDerSet, value));
}

Bytes TimeDer(TimePoint time) {
  const Owned<ASN1_TIME, ASN1_TIME_free> asn1(ASN1_TIME_new());
  RequireAsn1(asn1 != nullptr, "ASN1_TIME_new");
  SetTime(asn1.get(), time);
  return DerOf<ASN1_TIME, i2d_ASN1_TIME>(asn1.get());
}

}  // namespace

SignedAttributes SignedAttributes::Of(BytesView document, TimePoint now) {
  std::vector<Bytes> attributes = {
      Attribute(kContentType, kIdDataDer),
      Attribute(kSigningTime, TimeDer(now)),
      Attribute(kMessageDigest, EncodeDer(kDerOctetString, Sha256(document))),
  };
  // X.690 section 11.6: the elements of a SET OF in DER are in the order of their octets.
  std::sort(attributes.begin(), attributes.end());
  Bytes content;
  for (const Bytes& attribute : attributes) content += attribute;
  return SignedAttributes(EncodeDer(kDerSet, content));
}

Result<Bytes> SignAttributes(const SigningKey& key, const SignedAttributes& attributes) {
  return key.Sign(attributes.der());
}

}  // namespace ca
