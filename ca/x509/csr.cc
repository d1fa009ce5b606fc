#include "ca/x509/csr.h"

#include <openssl/asn1t.h>
#include <openssl/err.h>

#include <algorithm>
#include <array>

#include "ca/base/asn1.h"
#include "ca/base/host_name.h"
#include "ca/base/rules.h"

namespace ca {
namespace {

// RFC 2986 section 4:
//
//   CertificationRequest ::= SEQUENCE {
//        certificationRequestInfo CertificationRequestInfo,
//        signatureAlgorithm AlgorithmIdentifier{{ SignatureAlgorithms }},
//        signature          BIT STRING }
//
//   CertificationRequestInfo ::= SEQUENCE {
//        version       INTEGER { v1(0) } (v1,...),
//        subject       Name,
//        subjectPKInfo SubjectPublicKeyInfo{{ PKInfoAlgorithms }},
//        attributes    [0] Attributes{{ CRIAttributes }} }
//
// OpenSSL's X509_REQ is the same, but it decodes subjectPKInfo, which takes twice as long as the
// verification of the signature (see PublicKey). Here subjectPKInfo stays in its octets.
struct CertificationRequestInfo {
  ASN1_ENCODING received;  // the signed octets
  ASN1_INTEGER* version;
  X509_NAME* subject;
  ASN1_STRING* public_key_info;
  STACK_OF(X509_ATTRIBUTE) * attributes;
};

struct CertificationRequest {
  CertificationRequestInfo* info;
  X509_ALGOR* signature_algorithm;
  ASN1_BIT_STRING* signature;
};

// RFC 2986 requires the attributes. OpenSSL lets requesters that have none leave them out, and so
// do we.
// clang-format off
ASN1_SEQUENCE_enc(CertificationRequestInfo, received, nullptr) = {
    ASN1_SIMPLE(CertificationRequestInfo, version, ASN1_INTEGER),
    ASN1_SIMPLE(CertificationRequestInfo, subject, X509_NAME),
    ASN1_SIMPLE(CertificationRequestInfo, public_key_info, ASN1_SEQUENCE),
    ASN1_IMP_SET_OF_OPT(CertificationRequestInfo, attributes, X509_ATTRIBUTE, 0),
} static_ASN1_SEQUENCE_END_ref(CertificationRequestInfo, CertificationRequestInfo)

ASN1_SEQUENCE(CertificationRequest) = {
    ASN1_SIMPLE(CertificationRequest, info, CertificationRequestInfo),
    ASN1_SIMPLE(CertificationRequest, signature_algorithm, X509_ALGOR),
    ASN1_SIMPLE(CertificationRequest, signature, ASN1_BIT_STRING),
} static_ASN1_SEQUENCE_END(CertificationRequest)

void FreeRequest(CertificationRequest* request) {
  ASN1_item_free(reinterpret_cast<ASN1_VALUE*>(request), ASN1_ITEM_rptr(CertificationRequest));
}
// clang-format on
using RequestPtr = Owned<CertificationRequest, FreeRequest>;

template <typename... Args>
Status Malformed(fmt::format_string<Args...> format, Args&&... args) {
  ERR_clear_error();
  return Refusal<kCsrMalformed>(fmt::format(format, std::forward<Args>(args)...));
}

// Checks the outer structure alone.
Result<RequestPtr> Decode(BytesView der) {
  if (der.size() > Csr::kSizeMax) {
    return Refusal<kCsrSize>(der.size(), Csr::kSizeMax);
  }
  const unsigned char* cursor = Octets(der);
  RequestPtr request(reinterpret_cast<CertificationRequest*>(ASN1_item_d2i(
      nullptr, &cursor, static_cast<long>(der.size()), ASN1_ITEM_rptr(CertificationRequest))));
  if (!request) return Malformed("is not a DER PKCS #10 request (RFC 2986)");
  if (cursor != Octets(der) + der.size()) {
    return Malformed("has octets after the request; send the request alone");
  }
  if (ASN1_INTEGER_get(request->info->version) != 0) {
    return Malformed("version is not 0; RFC 2986 section 4.1 knows no other");
  }
  // X.690 section 8.6.2: the low three bits count the unused bits of the last octet.
  if ((request->signature->flags & 0x07) != 0) {
    return Malformed("signature is not a whole number of octets");
  }
  return request;
}

// ---- the key and the signature

struct SignatureAlgorithm {
  int nid;
  int key;                    // OpenSSL's type of the keys that may use it
  const EVP_MD* (*digest)();  // null if the algorithm includes its digest
};
constexpr std::array<SignatureAlgorithm, 7> kSignatureAlgorithms = {{
    {NID_ecdsa_with_SHA256, EVP_PKEY_EC, EVP_sha256},
    {NID_ecdsa_with_SHA384, EVP_PKEY_EC, EVP_sha384},
    {NID_ecdsa_with_SHA512, EVP_PKEY_EC, EVP_sha512},
    {NID_sha256WithRSAEncryption, EVP_PKEY_RSA, EVP_sha256},
    {NID_sha384WithRSAEncryption, EVP_PKEY_RSA, EVP_sha384},
    {NID_sha512WithRSAEncryption, EVP_PKEY_RSA, EVP_sha512},
    {NID_ED25519, EVP_PKEY_ED25519, nullptr},
}};

// RFC 5758 section 3.2, of ECDSA: "the encoding MUST omit the parameters field"; RFC 8410 section
// 3, of Ed25519: "the parameters MUST be absent". RFC 4055 section 5, of RSA: "the parameters MUST
// be NULL. Implementations MUST accept the parameters being absent as well as present."
bool AllowsParameters(const SignatureAlgorithm& algorithm, int type) {
  return type == V_ASN1_UNDEF || (algorithm.key == EVP_PKEY_RSA && type == V_ASN1_NULL);
}

// The digest to verify with; null for Ed25519.
Result<const EVP_MD*> DigestOf(const X509_ALGOR* identifier, const PublicKey& key) {
  const auto refuse = [](std::string_view why) { return Refusal<kCsrSignatureAlgorithm>(why); };
  const ASN1_OBJECT* object = nullptr;
  int parameters_type = V_ASN1_UNDEF;
  X509_ALGOR_get0(&object, &parameters_type, nullptr, identifier);
  const auto* const algorithm =
      std::ranges::find(kSignatureAlgorithms, OBJ_obj2nid(object), &SignatureAlgorithm::nid);
  if (algorithm == kSignatureAlgorithms.end()) return refuse("is not allowed");
  if (algorithm->key != EVP_PKEY_get_base_id(key.evp())) return refuse("does not fit the key");
  if (!AllowsParameters(*algorithm, parameters_type)) return refuse("has wrong parameters");
  return algorithm->digest == nullptr ? nullptr : algorithm->digest();
}

Result<PublicKey> KeyOf(const CertificationRequestInfo& info) {
  auto key = PublicKey::FromSpki(OctetsOf(info.public_key_info));
  if (!key.ok()) return Refusal<kCsrKey>(MessageOf(key.status()));
  return key;
}

// ---- names

// The short name of an object identifier, or its dotted form, which is never shortened: different
// identifiers have different names.
Result<std::string> ObjectName(const ASN1_OBJECT* object) {
  if (const int nid = OBJ_obj2nid(object); nid != NID_undef) return std::string(OBJ_nid2sn(nid));
  // An octet holds seven bits of an arc, so no octet needs more than three digits and a dot.
  char text[Csr::kOidSizeMax * 4 + 1];
  if (OBJ_length(object) > Csr::kOidSizeMax ||
      OBJ_obj2txt(text, sizeof text, object, /*no_name=*/1) <= 0) {
    return Malformed("has an object identifier of more than {} octets", Csr::kOidSizeMax);
  }
  return std::string(text);
}

// C0, DEL, and C1 in its UTF-8 form.
bool HasControlCharacters(std::string_view utf8) {
  for (size_t i = 0; i < utf8.size(); ++i) {
    const auto octet = static_cast<unsigned char>(utf8[i]);
    if (octet < 0x20 || octet == 0x7f) return true;
    const bool may_be_c1 = octet == 0xc2 && i + 1 < utf8.size();
    if (may_be_c1 && static_cast<unsigned char>(utf8[i + 1]) < 0xa0) return true;
  }
  return false;
}

Result<std::string> Utf8Of(const ASN1_STRING* string) {
  unsigned char* utf8 = nullptr;
  const int size = ASN1_STRING_to_UTF8(&utf8, string);
  if (size < 0) return Malformed("has a name that is not text; write it as UTF8String");
  const OpenSslBuffer<unsigned char> owned(utf8);
  std::string text(reinterpret_cast<const char*>(utf8), static_cast<size_t>(size));
  if (HasControlCharacters(text)) {
    return Malformed("name '{}' has control characters; leave them out", Printable(text));
  }
  return text;
}

// RFC 5280 section 4.2.1.6: dNSName, rfc822Name and uniformResourceIdentifier are IA5String.
Result<std::string> Ia5Of(const ASN1_STRING* string) {
  const BytesView text = OctetsOf(string);
  const bool is_ascii = std::ranges::all_of(text, [](char c) { return c >= 0x20 && c < 0x7f; });
  if (!is_ascii) {
    return Malformed("subjectAltName '{}' has characters other than printable ASCII",
                     Printable(text));
  }
  return std::string(text);
}

Result<std::vector<Csr::SubjectAttribute>> AttributesOfName(const X509_NAME* name) {
  const int count = X509_NAME_entry_count(name);
  if (count > static_cast<int>(Csr::kNamesMax)) {
    return Malformed("has a name of {} attributes; write at most {}", count, Csr::kNamesMax);
  }
  std::vector<Csr::SubjectAttribute> attributes;
  for (int i = 0; i < count; ++i) {
    const X509_NAME_ENTRY* const entry = X509_NAME_get_entry(name, i);
    Csr::SubjectAttribute attribute;
    attribute.type = TRY(ObjectName(X509_NAME_ENTRY_get_object(entry)));
    attribute.value = TRY(Utf8Of(X509_NAME_ENTRY_get_data(entry)));
    attributes.push_back(std::move(attribute));
  }
  return attributes;
}

// RFC 4514's form; characters beyond ASCII stay in UTF-8.
Result<std::string> TextOfName(const X509_NAME* name) {
  TRY(AttributesOfName(name));
  const BioPtr bio(BIO_new(BIO_s_mem()));
  if (!bio) AbortOnOpenSslFailure("BIO_new");
  if (X509_NAME_print_ex(bio.get(), name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB) < 0) {
    return Malformed("has a directoryName that cannot be printed; write it as UTF8String");
  }
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &text);
  return std::string(text, static_cast<size_t>(size));
}

Result<std::string> IpTextOf(const ASN1_OCTET_STRING* octets) {
  const auto address = IpAddress::FromBytes(OctetsOf(octets));
  if (!address.ok()) return Malformed("subjectAltName: {}", MessageOf(address.status()));
  return address->ToString();
}

// The index is OpenSSL's number of the kind, which is its tag in GeneralName.
constexpr std::array<std::string_view, 9> kAlternativeNameKinds = {
    "otherName", "email", "DNS", "x400Address", "dirName", "ediPartyName", "URI", "IP", "RID"};

Result<std::string> TextOfAlternativeName(const GENERAL_NAME& name) {
  switch (name.type) {
    case GEN_EMAIL:
    case GEN_DNS:
    case GEN_URI:
      return Ia5Of(name.d.ia5);
    case GEN_IPADD:
      return IpTextOf(name.d.iPAddress);
    case GEN_DIRNAME:
      return TextOfName(name.d.directoryName);
    case GEN_RID:
      return ObjectName(name.d.registeredID);
    default:
      return std::string();
  }
}

// GeneralNames ::= SEQUENCE SIZE (1..MAX) OF GeneralName (RFC 5280 section 4.2.1.6).
Result<std::vector<Csr::AlternativeName>> AlternativeNamesOf(BytesView der) {
  const unsigned char* cursor = Octets(der);
  const GeneralNamesPtr names(d2i_GENERAL_NAMES(nullptr, &cursor, static_cast<long>(der.size())));
  if (!names || cursor != Octets(der) + der.size()) {
    return Malformed("subjectAltName is not DER GeneralNames (RFC 5280 section 4.2.1.6)");
  }
  const int count = sk_GENERAL_NAME_num(names.get());
  if (count > static_cast<int>(Csr::kNamesMax)) {
    return Malformed("has {} subjectAltNames; ask for at most {}", count, Csr::kNamesMax);
  }
  std::vector<Csr::AlternativeName> alternative_names;
  for (int i = 0; i < count; ++i) {
    const GENERAL_NAME& name = *sk_GENERAL_NAME_value(names.get(), i);
    Csr::AlternativeName alternative_name;
    alternative_name.kind = kAlternativeNameKinds[static_cast<size_t>(name.type)];
    alternative_name.value = TRY(TextOfAlternativeName(name));
    alternative_names.push_back(std::move(alternative_name));
  }
  return alternative_names;
}

// ---- attributes and extensions

struct Attributes {
  X509_ATTRIBUTE* extension_request = nullptr;  // null when there is none
  std::vector<std::string> others;
};

Result<Attributes> AttributesOf(const STACK_OF(X509_ATTRIBUTE) * received) {
  // OpenSSL says -1 if the attributes are left out.
  const int count = std::max(sk_X509_ATTRIBUTE_num(received), 0);
  if (count > static_cast<int>(Csr::kAttributesMax)) {
    return Malformed("has {} attributes; send at most {}", count, Csr::kAttributesMax);
  }
  Attributes attributes;
  for (int i = 0; i < count; ++i) {
    X509_ATTRIBUTE* const attribute = sk_X509_ATTRIBUTE_value(received, i);
    const ASN1_OBJECT* const type = X509_ATTRIBUTE_get0_object(attribute);
    switch (OBJ_obj2nid(type)) {
      case NID_ext_req:
        if (attributes.extension_request != nullptr) {
          return Malformed("has two extensionRequest attributes; send one");
        }
        attributes.extension_request = attribute;
        break;
      case NID_ms_ext_req:
        // The policy would not see the extensions in there.
        return Malformed("has Microsoft's extension request; use RFC 2985's extensionRequest");
      default: {
        std::string name = TRY(ObjectName(type));
        attributes.others.push_back(std::move(name));
      }
    }
  }
  return attributes;
}

// RFC 2985 section 5.4.2: extensionRequest ATTRIBUTE ::= { WITH SYNTAX ExtensionRequest,
// SINGLE VALUE TRUE, ... }, and ExtensionRequest ::= Extensions.
Result<ExtensionsPtr> DecodeExtensions(X509_ATTRIBUTE* extension_request) {
  const int value_count = X509_ATTRIBUTE_count(extension_request);
  if (value_count != 1) {
    return Malformed("extensionRequest has {} values; write one", value_count);
  }
  ExtensionsPtr extensions;
  const ASN1_TYPE* const value = X509_ATTRIBUTE_get0_type(extension_request, 0);
  if (value->type == V_ASN1_SEQUENCE) {
    const BytesView der = OctetsOf(value->value.sequence);
    const unsigned char* cursor = Octets(der);
    extensions.reset(d2i_X509_EXTENSIONS(nullptr, &cursor, static_cast<long>(der.size())));
  }
  if (!extensions) {
    return Malformed("extensionRequest is not DER Extensions (RFC 5280 section 4.1)");
  }
  return extensions;
}

Result<std::vector<Csr::Extension>> ExtensionsOf(X509_ATTRIBUTE* extension_request) {
  std::vector<Csr::Extension> extensions;
  if (extension_request == nullptr) return extensions;
  const ExtensionsPtr received = TRY(DecodeExtensions(extension_request));
  const int count = sk_X509_EXTENSION_num(received.get());
  if (count > static_cast<int>(Csr::kExtensionsMax)) {
    return Malformed("asks for {} extensions; ask for at most {}", count, Csr::kExtensionsMax);
  }
  for (int i = 0; i < count; ++i) {
    X509_EXTENSION* const extension = sk_X509_EXTENSION_value(received.get(), i);
    std::string name = TRY(ObjectName(X509_EXTENSION_get_object(extension)));
    // RFC 5280 section 4.2: "A certificate MUST NOT include more than one instance of a particular
    // extension."
    if (std::ranges::find(extensions, name, &Csr::Extension::name) != extensions.end()) {
      return Malformed("asks for extension {} twice; ask once", name);
    }
    extensions.push_back({std::move(name), X509_EXTENSION_get_critical(extension) == 1,
                          Bytes(OctetsOf(X509_EXTENSION_get_data(extension)))});
  }
  return extensions;
}

}  // namespace

Result<Csr> Csr::Parse(BytesView der) {
  const RequestPtr request = TRY(Decode(der));
  const CertificationRequestInfo& info = *request->info;
  PublicKey public_key = TRY(KeyOf(info));
  const EVP_MD* const digest = TRY(DigestOf(request->signature_algorithm, public_key));

  Csr csr(std::move(public_key));
  csr.subject_ = TRY(AttributesOfName(info.subject));
  Attributes attributes = TRY(AttributesOf(info.attributes));
  csr.other_attributes_ = std::move(attributes.others);
  csr.extensions_ = TRY(ExtensionsOf(attributes.extension_request));
  const auto alternative_names =
      std::ranges::find(csr.extensions_, SN_subject_alt_name, &Extension::name);
  if (alternative_names != csr.extensions_.end()) {
    csr.alternative_names_ = TRY(AlternativeNamesOf(alternative_names->value));
    csr.extensions_.erase(alternative_names);
  }

  // The signature comes last, because it costs more than all checks above.
  const BytesView signed_octets(reinterpret_cast<const char*>(info.received.enc),
                                static_cast<size_t>(info.received.len));
  if (!csr.public_key_.Verifies(signed_octets, OctetsOf(request->signature), digest)) {
    return Refusal<kCsrProofOfPossession>();
  }
  return csr;
}

}  // namespace ca
