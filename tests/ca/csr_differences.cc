#include "tests/ca/csr_differences.h"

#include <openssl/err.h>

#include <algorithm>
#include <array>
#include <optional>

#include "ca/base/host_name.h"
#include "ca/base/openssl.h"
#include "ca/csr.h"

namespace ca::testing {
namespace {

constexpr std::string_view kMalformed = "csr.malformed";
constexpr std::string_view kKey = "csr.key";
constexpr std::string_view kAlgorithm = "csr.signature-algorithm";

constexpr auto kDifferences = std::to_array<Difference>({
    // ---- the request as a whole
    {"csr.size", "octets long; send at most",
     "whatever comes from outside is bounded before it is parsed"},
    {kMalformed, "octets after the request",
     "d2i_X509_REQ leaves them to its caller; octets that only some read are a place to hide"},
    {kMalformed, "version is not 0", "RFC 2986 section 4.1: v1(0) is the only version"},

    // ---- its key
    {kKey, "key has algorithm", "no profile allows it: DSA, Ed448, RSASSA-PSS keys, SM2"},
    {kKey, "key is on curve",
     "P-256 and P-384 alone: P-521, secp256k1 and the small ones stay out"},
    {kKey, "does not name its curve",
     "RFC 5480 section 2.1.1: specifiedCurve MUST NOT be used in PKIX; CVE-2020-0601 lived there"},
    {kKey, "no uncompressed point", "a compressed point is the same key with another fingerprint"},
    {kKey, "hybrid point", "RFC 5480 section 2.2 has no hybrid points; as above"},
    {kKey, "key is not in DER", "another spelling of a key would have another fingerprint"},
    {kKey, "RSA exponent other than 65537", "one exponent, as in the Web PKI's own practice"},
    {kKey, "key is RSA with", "NIST SP 800-57: 1024 bits are too few; odd sizes serve nobody"},
    {kKey, "more than any allowed type", "a bound on what reaches OpenSSL's RSA decoder"},
    {kKey, "small order", "anyone can sign for such an Ed25519 key: it proves no possession"},

    // ---- its signature
    {kAlgorithm, "algorithm is not allowed",
     "MD5, SHA-1 and SHA-224 are too weak; RSASSA-PSS and SHA-3 are not worth their code"},
    {kAlgorithm, "algorithm has wrong parameters",
     "RFC 5758 section 3.2: ECDSA has none; RFC 4055 section 5: RSA has NULL or none"},

    // ---- names
    {kMalformed, "a name of", "a bound: Csr::kNamesMax subject attributes"},
    {kMalformed, "name that is not text",
     "an attribute that is no string, or a damaged one, can neither be shown nor compared"},
    {kMalformed, "has control characters",
     "an embedded NUL ends a C string early (CVE-2009-2408); the rest deceives people and logs"},
    {kMalformed, "object identifier of more than", "a bound: Csr::kOidSizeMax octets"},
    {kMalformed, "subjectAltName is not DER GeneralNames",
     "OpenSSL looks into no extension; a name that only some can read must not reach a policy"},
    {kMalformed, "subjectAltNames; ask for at most", "a bound: Csr::kNamesMax names"},
    {kMalformed, "other than printable ASCII",
     "RFC 5280 section 4.2.1.6: URI, DNS and e-mail names are IA5String; controls as above"},
    {kMalformed, "subjectAltName: an IP address has",
     "RFC 5280 section 4.2.1.6: four octets or sixteen"},

    // ---- attributes and extensions
    {kMalformed, "attributes; send at most", "a bound: Csr::kAttributesMax attributes"},
    {kMalformed, "two extensionRequest attributes",
     "OpenSSL reads the first and ignores the second"},
    {kMalformed, "extensionRequest has", "RFC 2985 section 5.4.2: SINGLE VALUE TRUE"},
    {kMalformed, "extensionRequest is not DER Extensions",
     "OpenSSL looks into no attribute; what cannot be read can be neither granted nor refused"},
    {kMalformed, "Microsoft's extension request",
     "OpenSSL takes it for an extensionRequest; a second place to ask from is a place to hide"},
    {kMalformed, "extensions; ask for at most", "a bound: Csr::kExtensionsMax extensions"},
    {kMalformed, "twice; ask once",
     "RFC 5280 section 4.2: not \"more than one instance of a particular extension\""},
});

// ---- both readings as text, so that a difference can be read

std::string NameLine(std::string_view what, std::string_view type, std::string_view value) {
  return fmt::format("{} {}={}\n", what, type, Printable(value));
}
std::string ExtensionLine(std::string_view name, bool critical, BytesView value) {
  return fmt::format("extension {}{} {}\n", name, critical ? " critical" : "", Hex(value));
}

std::string TextOf(const Csr& csr) {
  std::string text = fmt::format("key {}\n", Hex(csr.public_key().spki()));
  for (const auto& [type, value] : csr.subject()) text += NameLine("subject", type, value);
  for (const auto& [kind, value] : csr.alternative_names()) {
    text += NameLine("alternative name", kind, value);
  }
  for (const auto& [name, critical, value] : csr.extensions()) {
    text += ExtensionLine(name, critical, value);
  }
  for (const std::string& name : csr.other_attributes()) text += "attribute " + name + "\n";
  return text;
}

BytesView ContentsOf(const ASN1_STRING* string) {
  return {reinterpret_cast<const char*>(string->data), static_cast<size_t>(string->length)};
}

std::string ObjectText(const ASN1_OBJECT* object) {
  char text[512] = "";
  OBJ_obj2txt(text, sizeof text, object, /*no_name=*/1);
  const char* const short_name = OBJ_nid2sn(OBJ_txt2nid(text));
  return OBJ_txt2nid(text) == NID_undef ? text : short_name;
}

std::string SubjectText(const X509_NAME* subject) {
  std::string text;
  for (int i = 0; i < X509_NAME_entry_count(subject); ++i) {
    const X509_NAME_ENTRY* const entry = X509_NAME_get_entry(subject, i);
    unsigned char* utf8 = nullptr;
    const int size = ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(entry));
    const OpenSslBuffer<unsigned char> owned(utf8);
    const std::string value(reinterpret_cast<char*>(utf8), static_cast<size_t>(std::max(size, 0)));
    text += NameLine("subject", ObjectText(X509_NAME_ENTRY_get_object(entry)), value);
  }
  return text;
}

std::string DirectoryNameText(const X509_NAME* name) {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  X509_NAME_print_ex(bio.get(), name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB);
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &text);
  return {text, static_cast<size_t>(size)};
}

std::string AlternativeNameText(GENERAL_NAME* name) {
  constexpr std::string_view kLine = "alternative name";
  int type = 0;
  void* const value = GENERAL_NAME_get0_value(name, &type);
  switch (type) {
    case GEN_URI:
      return NameLine(kLine, "URI", ContentsOf(static_cast<ASN1_STRING*>(value)));
    case GEN_DNS:
      return NameLine(kLine, "DNS", ContentsOf(static_cast<ASN1_STRING*>(value)));
    case GEN_EMAIL:
      return NameLine(kLine, "email", ContentsOf(static_cast<ASN1_STRING*>(value)));
    case GEN_IPADD: {
      const auto address = IpAddress::FromBytes(ContentsOf(static_cast<ASN1_STRING*>(value)));
      return NameLine(kLine, "IP", address.ok() ? address->ToString() : "of a wrong size");
    }
    case GEN_DIRNAME:
      return NameLine(kLine, "dirName", DirectoryNameText(static_cast<X509_NAME*>(value)));
    case GEN_RID:
      return NameLine(kLine, "RID", ObjectText(static_cast<ASN1_OBJECT*>(value)));
    case GEN_X400:
      return NameLine(kLine, "x400Address", "");
    case GEN_EDIPARTY:
      return NameLine(kLine, "ediPartyName", "");
    default:
      return NameLine(kLine, "otherName", "");
  }
}

std::string ExtensionsText(const STACK_OF(X509_EXTENSION) * extensions) {
  std::string names_text;
  const GeneralNamesPtr names(static_cast<GENERAL_NAMES*>(
      X509V3_get_d2i(extensions, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
    names_text += AlternativeNameText(sk_GENERAL_NAME_value(names.get(), i));
  }
  std::string text;
  for (int i = 0; i < sk_X509_EXTENSION_num(extensions); ++i) {
    X509_EXTENSION* const extension = sk_X509_EXTENSION_value(extensions, i);
    const std::string name = ObjectText(X509_EXTENSION_get_object(extension));
    if (name == SN_subject_alt_name) continue;
    text += ExtensionLine(name, X509_EXTENSION_get_critical(extension) != 0,
                          ContentsOf(X509_EXTENSION_get_data(extension)));
  }
  return names_text + text;
}

std::string TextOf(X509_REQ* request) {
  std::string text = fmt::format(
      "key {}\n", Hex(DerOf<X509_PUBKEY, i2d_X509_PUBKEY>(X509_REQ_get_X509_PUBKEY(request))));
  text += SubjectText(X509_REQ_get_subject_name(request));
  const ExtensionsPtr extensions(X509_REQ_get_extensions(request));
  text += ExtensionsText(extensions.get());
  for (int i = 0; i < X509_REQ_get_attr_count(request); ++i) {
    const std::string name = ObjectText(X509_ATTRIBUTE_get0_object(X509_REQ_get_attr(request, i)));
    if (name != SN_ext_req) text += "attribute " + name + "\n";
  }
  return text;
}

// Null unless d2i_X509_REQ and X509_REQ_verify accept `der`.
X509ReqPtr AcceptedByOpenSsl(BytesView der) {
  const unsigned char* cursor = Octets(der);
  X509ReqPtr request(d2i_X509_REQ(nullptr, &cursor, static_cast<long>(der.size())));
  if (request && X509_REQ_verify(request.get(), X509_REQ_get0_pubkey(request.get())) != 1) {
    request.reset();
  }
  ERR_clear_error();
  return request;
}

bool IsProperRefusal(const Status& refusal) {
  constexpr std::array<std::string_view, 5> kRules = {"csr.size", kMalformed, kKey, kAlgorithm,
                                                      "csr.proof-of-possession"};
  const std::string message = MessageOf(refusal);
  return refusal.code() == StatusCode::kInvalidArgument &&
         std::ranges::find(kRules, RuleOf(refusal)) != kRules.end() &&
         message.starts_with("csr ") &&
         std::ranges::all_of(message, [](char c) { return c >= 0x20 && c < 0x7f; });
}

const Difference* DifferenceOf(const Status& refusal) {
  const std::string rule = RuleOf(refusal);
  const std::string message = MessageOf(refusal);
  const auto* const found = std::ranges::find_if(kDifferences, [&](const Difference& difference) {
    return difference.rule == rule && message.find(difference.message) != std::string::npos;
  });
  return found == kDifferences.end() ? nullptr : found;
}

std::string DisagreementOf(const Result<Csr>& ours, X509_REQ* theirs) {
  if (!ours.ok()) {
    if (!IsProperRefusal(ours.status())) return "refused improperly: " + ours.status().ToString();
    if (theirs == nullptr || DifferenceOf(ours.status()) != nullptr) return "";
    return "refused by us alone: " + ours.status().ToString();
  }
  if (theirs == nullptr) return "accepted by us alone";
  const std::string our_text = TextOf(*ours);
  const std::string their_text = TextOf(theirs);
  if (our_text == their_text) return "";
  return fmt::format("seen differently; by us:\n{}by OpenSSL:\n{}", our_text, their_text);
}

}  // namespace

std::span<const Difference> Differences() { return kDifferences; }

CsrComparison CompareCsr(BytesView der) {
  const auto ours = Csr::Parse(der);
  const X509ReqPtr theirs = AcceptedByOpenSsl(der);
  CsrComparison comparison;
  comparison.accepted_by_us = ours.ok();
  comparison.accepted_by_openssl = theirs != nullptr;
  if (theirs && !ours.ok()) comparison.difference = DifferenceOf(ours.status());
  comparison.disagreement = DisagreementOf(ours, theirs.get());
  return comparison;
}

}  // namespace ca::testing
