#include "ca/issuance/tbs_certificate.h"

#include "ca/base/asn1.h"

namespace ca {
namespace {

// RFC 5280 section 4.1:
//
//   Certificate  ::=  SEQUENCE  {
//        tbsCertificate       TBSCertificate,
//        signatureAlgorithm   AlgorithmIdentifier,
//        signatureValue       BIT STRING  }
//
//   TBSCertificate  ::=  SEQUENCE  {
//        version         [0]  EXPLICIT Version DEFAULT v1,
//        serialNumber         CertificateSerialNumber,
//        signature            AlgorithmIdentifier,
//        issuer               Name,
//        validity             Validity,
//        subject              Name,
//        subjectPublicKeyInfo SubjectPublicKeyInfo,
//        issuerUniqueID  [1]  IMPLICIT UniqueIdentifier OPTIONAL,
//        subjectUniqueID [2]  IMPLICIT UniqueIdentifier OPTIONAL,
//        extensions      [3]  EXPLICIT Extensions OPTIONAL }
//
// OpenSSL's X509 is the same, but it decodes and encodes the public key, which costs more than the
// signature. Here the names and the key stay in their octets. There are no unique identifiers
// (section 4.1.2.8: "CAs conforming to this profile MUST NOT generate certificates with unique
// identifiers").
struct TbsCertificateAsn1 {
  ASN1_INTEGER* version;
  ASN1_INTEGER* serial;
  X509_ALGOR* signature_algorithm;
  ASN1_STRING* issuer;
  X509_VAL* validity;
  ASN1_STRING* subject;
  ASN1_STRING* public_key_info;
  STACK_OF(X509_EXTENSION) * extensions;
};

struct CertificateAsn1 {
  ASN1_STRING* tbs;
  X509_ALGOR* signature_algorithm;
  ASN1_BIT_STRING* signature;
};

// clang-format off
ASN1_SEQUENCE(TbsCertificateAsn1) = {
    ASN1_EXP(TbsCertificateAsn1, version, ASN1_INTEGER, 0),
    ASN1_SIMPLE(TbsCertificateAsn1, serial, ASN1_INTEGER),
    ASN1_SIMPLE(TbsCertificateAsn1, signature_algorithm, X509_ALGOR),
    ASN1_SIMPLE(TbsCertificateAsn1, issuer, ASN1_SEQUENCE),
    ASN1_SIMPLE(TbsCertificateAsn1, validity, X509_VAL),
    ASN1_SIMPLE(TbsCertificateAsn1, subject, ASN1_SEQUENCE),
    ASN1_SIMPLE(TbsCertificateAsn1, public_key_info, ASN1_SEQUENCE),
    ASN1_EXP_SEQUENCE_OF(TbsCertificateAsn1, extensions, X509_EXTENSION, 3),
} static_ASN1_SEQUENCE_END(TbsCertificateAsn1)

ASN1_SEQUENCE(CertificateAsn1) = {
    ASN1_SIMPLE(CertificateAsn1, tbs, ASN1_SEQUENCE),
    ASN1_SIMPLE(CertificateAsn1, signature_algorithm, X509_ALGOR),
    ASN1_SIMPLE(CertificateAsn1, signature, ASN1_BIT_STRING),
} static_ASN1_SEQUENCE_END(CertificateAsn1)

// ---- extensions ---------------------------------------------------------------------------------

using Extensions = STACK_OF(X509_EXTENSION);
// clang-format on

void Add(Extensions* extensions, int nid, void* value, bool critical) {
  AddExtension(&extensions, nid, value, critical);
}

void AddBasicConstraints(Extensions* extensions, std::optional<int> path_length) {
  const BasicConstraintsPtr constraints(BASIC_CONSTRAINTS_new());
  RequireAsn1(constraints != nullptr, "BASIC_CONSTRAINTS_new");
  if (path_length) {
    constraints->ca = 0xff;
    constraints->pathlen = ASN1_INTEGER_new();
    RequireAsn1(constraints->pathlen && ASN1_INTEGER_set(constraints->pathlen, *path_length) == 1,
                "ASN1_INTEGER_set");
  }
  Add(extensions, NID_basic_constraints, constraints.get(), true);
}

// Bits are numbered as in RFC 5280 section 4.2.1.3.
constexpr int kDigitalSignature = 0;
constexpr int kKeyCertSign = 5;
constexpr int kCrlSign = 6;

void AddKeyUsage(Extensions* extensions, std::initializer_list<int> bits) {
  const Owned<ASN1_BIT_STRING, ASN1_BIT_STRING_free> usage(ASN1_BIT_STRING_new());
  RequireAsn1(usage != nullptr, "ASN1_BIT_STRING_new");
  for (const int bit : bits) {
    RequireAsn1(ASN1_BIT_STRING_set_bit(usage.get(), bit, 1) == 1, "ASN1_BIT_STRING_set_bit");
  }
  Add(extensions, NID_key_usage, usage.get(), true);
}

void AddExtendedKeyUsage(Extensions* extensions, const LeafExtensions& leaf) {
  const Owned<EXTENDED_KEY_USAGE, EXTENDED_KEY_USAGE_free> usage(EXTENDED_KEY_USAGE_new());
  RequireAsn1(usage != nullptr, "EXTENDED_KEY_USAGE_new");
  const auto add = [&](int nid) {
    RequireAsn1(sk_ASN1_OBJECT_push(usage.get(), OBJ_nid2obj(nid)) > 0, "sk_ASN1_OBJECT_push");
  };
  if (leaf.client_auth) add(NID_client_auth);
  if (leaf.server_auth) add(NID_server_auth);
  Add(extensions, NID_ext_key_usage, usage.get(), false);
}

void AddSubjectKeyIdentifier(Extensions* extensions, BytesView key_identifier) {
  const Asn1OctetStringPtr subject(ASN1_OCTET_STRING_new());
  RequireAsn1(subject != nullptr, "ASN1_OCTET_STRING_new");
  SetOctets(subject.get(), key_identifier);
  Add(extensions, NID_subject_key_identifier, subject.get(), false);
}

void AddKeyIdentifiers(Extensions* extensions, const TbsCertificate& tbs) {
  AddSubjectKeyIdentifier(extensions, tbs.subject_key_identifier);
  if (tbs.authority_key_identifier.empty()) return;
  const Owned<AUTHORITY_KEYID, AUTHORITY_KEYID_free> authority(AUTHORITY_KEYID_new());
  RequireAsn1(authority != nullptr, "AUTHORITY_KEYID_new");
  authority->keyid = ASN1_OCTET_STRING_new();
  RequireAsn1(authority->keyid != nullptr, "ASN1_OCTET_STRING_new");
  SetOctets(authority->keyid, tbs.authority_key_identifier);
  Add(extensions, NID_authority_key_identifier, authority.get(), false);
}

GENERAL_NAME* NewName(int type, BytesView octets) {
  GENERAL_NAME* name = GENERAL_NAME_new();
  ASN1_STRING* value = type == GEN_IPADD ? ASN1_OCTET_STRING_new() : ASN1_IA5STRING_new();
  RequireAsn1(name != nullptr && value != nullptr, "GENERAL_NAME_new");
  SetOctets(value, octets);
  GENERAL_NAME_set0_value(name, type, value);
  return name;
}

// Not critical, because the subject is never empty (RFC 5280 section 4.2.1.6).
void AddAlternativeNames(Extensions* extensions, const SpiffeId& id,
                         const std::vector<std::string>& dns_names,
                         const std::vector<IpAddress>& ip_addresses) {
  const GeneralNamesPtr names(GENERAL_NAMES_new());
  RequireAsn1(names != nullptr, "GENERAL_NAMES_new");
  const auto add = [&](int type, BytesView octets) {
    RequireAsn1(sk_GENERAL_NAME_push(names.get(), NewName(type, octets)) > 0,
                "sk_GENERAL_NAME_push");
  };
  add(GEN_URI, id.ToString());
  for (const std::string& name : dns_names) add(GEN_DNS, name);
  for (const IpAddress& address : ip_addresses) add(GEN_IPADD, address.bytes());
  Add(extensions, NID_subject_alt_name, names.get(), false);
}

// RFC 5280 section 4.2.1.10. A kind of name that is not listed is unconstrained, so this lists each
// kind that a relying party may act on: URIs and mail addresses by the trust domain's host, DNS
// names by the trust domain and the other subtrees, and addresses by their ranges. If an IP version
// has no range, all its addresses are excluded, because GnuTLS takes the two versions for two
// kinds.
void AddNameConstraints(Extensions* extensions, const Hierarchy& hierarchy) {
  const Owned<NAME_CONSTRAINTS, NAME_CONSTRAINTS_free> constraints(NAME_CONSTRAINTS_new());
  RequireAsn1(constraints != nullptr, "NAME_CONSTRAINTS_new");
  const auto add = [](STACK_OF(GENERAL_SUBTREE) * *subtrees, int type, BytesView octets) {
    if (!*subtrees) *subtrees = sk_GENERAL_SUBTREE_new_null();
    GENERAL_SUBTREE* subtree = GENERAL_SUBTREE_new();
    RequireAsn1(*subtrees && subtree, "GENERAL_SUBTREE_new");
    GENERAL_NAME_free(subtree->base);
    subtree->base = NewName(type, octets);
    RequireAsn1(sk_GENERAL_SUBTREE_push(*subtrees, subtree) > 0, "sk_GENERAL_SUBTREE_push");
  };
  const std::string& host = hierarchy.trust_domain.name();
  add(&constraints->permittedSubtrees, GEN_URI, host);
  add(&constraints->permittedSubtrees, GEN_DNS, host);
  for (const std::string& subtree : hierarchy.dns_subtrees) {
    add(&constraints->permittedSubtrees, GEN_DNS, subtree);
  }
  add(&constraints->permittedSubtrees, GEN_EMAIL, host);
  const Bytes every_ipv4(8, '\0');   // 0.0.0.0/0
  const Bytes every_ipv6(32, '\0');  // ::/0
  for (const Bytes& every : {every_ipv4, every_ipv6}) {
    bool is_permitted = false;
    for (const IpRange& range : hierarchy.ip_ranges) {
      if (range.AddressAndMask().size() != every.size()) continue;
      add(&constraints->permittedSubtrees, GEN_IPADD, range.AddressAndMask());
      is_permitted = true;
    }
    if (!is_permitted) add(&constraints->excludedSubtrees, GEN_IPADD, every);
  }
  Add(extensions, NID_name_constraints, constraints.get(), true);
}

// The extensions of a key that signs for one purpose; `purpose` is its OID in dots.
void AddDelegateExtensions(Extensions* extensions, const char* purpose) {
  AddBasicConstraints(extensions, std::nullopt);
  AddKeyUsage(extensions, {kDigitalSignature});
  const Owned<EXTENDED_KEY_USAGE, EXTENDED_KEY_USAGE_free> usage(EXTENDED_KEY_USAGE_new());
  Asn1ObjectPtr oid(OBJ_txt2obj(purpose, 1));
  RequireAsn1(usage && oid && sk_ASN1_OBJECT_push(usage.get(), oid.get()) > 0,
              "EXTENDED_KEY_USAGE_new");
  static_cast<void>(oid.release());  // the stack owns it
  Add(extensions, NID_ext_key_usage, usage.get(), false);
}

// RFC 6960 section 4.2.2.2.
void AddExtensionsOf(Extensions* extensions, const ResponderExtensions&) {
  AddDelegateExtensions(extensions, "1.3.6.1.5.5.7.3.9");
  const Owned<ASN1_NULL, ASN1_NULL_free> null(ASN1_NULL_new());
  Add(extensions, NID_id_pkix_OCSP_noCheck, null.get(), false);
}

// RFC 9336 section 3.1. OpenSSL 3.0 has no name for the purpose.
void AddExtensionsOf(Extensions* extensions, const RecorderExtensions&) {
  AddDelegateExtensions(extensions, "1.3.6.1.5.5.7.3.36");
}

// RFC 9608 section 2: id-ce-noRevAvail, 2.5.29.56, NULL and not critical. OpenSSL 3.0 has no name
// for it.
void AddNoRevAvail(Extensions* extensions) {
  const Asn1ObjectPtr oid(OBJ_txt2obj("2.5.29.56", 1));
  const Asn1OctetStringPtr null(ASN1_OCTET_STRING_new());
  RequireAsn1(oid && null, "OBJ_txt2obj");
  SetOctets(null.get(), std::string_view("\x05\x00", 2));
  X509ExtensionPtr extension(X509_EXTENSION_create_by_OBJ(nullptr, oid.get(), 0, null.get()));
  RequireAsn1(extension && sk_X509_EXTENSION_push(extensions, extension.get()) > 0,
              "X509_EXTENSION_create_by_OBJ");
  static_cast<void>(extension.release());  // the stack owns it
}

void AddExtensionsOf(Extensions* extensions, const LeafExtensions& leaf) {
  AddBasicConstraints(extensions, std::nullopt);
  AddKeyUsage(extensions, {kDigitalSignature});
  AddExtendedKeyUsage(extensions, leaf);
  AddAlternativeNames(extensions, leaf.id, leaf.dns_names, leaf.ip_addresses);
  if (leaf.no_rev_avail) AddNoRevAvail(extensions);
}

// RFC 5280 section 4.2.2.1.
void AddAuthorityInformationAccess(Extensions* extensions, const StatusPointers& status) {
  const Owned<AUTHORITY_INFO_ACCESS, AUTHORITY_INFO_ACCESS_free> access(
      AUTHORITY_INFO_ACCESS_new());
  RequireAsn1(access != nullptr, "AUTHORITY_INFO_ACCESS_new");
  const auto add = [&](int method, const std::string& url) {
    if (url.empty()) return;
    ACCESS_DESCRIPTION* description = ACCESS_DESCRIPTION_new();
    RequireAsn1(description && sk_ACCESS_DESCRIPTION_push(access.get(), description) > 0,
                "ACCESS_DESCRIPTION_new");
    ASN1_OBJECT_free(description->method);
    description->method = OBJ_nid2obj(method);
    GENERAL_NAME_free(description->location);
    description->location = NewName(GEN_URI, url);
  };
  add(NID_ad_OCSP, status.ocsp);
  add(NID_ad_ca_issuers, status.ca_issuers);
  Add(extensions, NID_info_access, access.get(), false);
}

// RFC 5280 section 4.2.1.13.
void AddCrlDistributionPoint(Extensions* extensions, const std::string& url) {
  const Owned<CRL_DIST_POINTS, CRL_DIST_POINTS_free> points(CRL_DIST_POINTS_new());
  DIST_POINT* point = DIST_POINT_new();
  RequireAsn1(points && point && sk_DIST_POINT_push(points.get(), point) > 0, "DIST_POINT_new");
  point->distpoint = DIST_POINT_NAME_new();
  RequireAsn1(point->distpoint != nullptr, "DIST_POINT_NAME_new");
  point->distpoint->type = 0;  // fullName
  point->distpoint->name.fullname = GENERAL_NAMES_new();
  RequireAsn1(point->distpoint->name.fullname &&
                  sk_GENERAL_NAME_push(point->distpoint->name.fullname, NewName(GEN_URI, url)) > 0,
              "GENERAL_NAMES_new");
  Add(extensions, NID_crl_distribution_points, points.get(), false);
}

void AddStatusPointers(Extensions* extensions, const StatusPointers& status) {
  if (!status.ocsp.empty() || !status.ca_issuers.empty()) {
    AddAuthorityInformationAccess(extensions, status);
  }
  if (!status.crl.empty()) AddCrlDistributionPoint(extensions, status.crl);
}

void AddExtensionsOf(Extensions* extensions, const AuthorityExtensions& authority) {
  AddBasicConstraints(extensions, authority.path_length);
  AddKeyUsage(extensions, {kKeyCertSign, kCrlSign});
  AddAlternativeNames(extensions, authority.trust_domain, {}, {});
  if (authority.name_constraints) AddNameConstraints(extensions, *authority.name_constraints);
}

}  // namespace

Bytes TbsCertificate::Encode() const {
  Asn1Object<TbsCertificateAsn1> tbs(ASN1_ITEM_rptr(TbsCertificateAsn1));
  RequireAsn1(ASN1_INTEGER_set(tbs->version, 2) == 1, "ASN1_INTEGER_set");  // v3
  // An INTEGER holds the magnitude alone. A serial number begins with 01, so its octets are the
  // magnitude of a positive number.
  SetOctets(tbs->serial, serial.bytes());
  SetEcdsaWithSha256(tbs->signature_algorithm);
  SetOctets(tbs->issuer, issuer);
  SetTime(tbs->validity->notBefore, validity.not_before);
  SetTime(tbs->validity->notAfter, validity.not_after);
  SetOctets(tbs->subject, subject);
  SetOctets(tbs->public_key_info, spki);
  std::visit([&](const auto& kind) { AddExtensionsOf(tbs->extensions, kind); }, extensions);
  AddKeyIdentifiers(tbs->extensions, *this);
  AddStatusPointers(tbs->extensions, status);
  return tbs.Der();
}

Bytes EncodeIssuingExtensions(const Hierarchy& hierarchy, BytesView subject_key_identifier) {
  const ExtensionsPtr extensions(sk_X509_EXTENSION_new_null());
  RequireAsn1(extensions != nullptr, "sk_X509_EXTENSION_new_null");
  AddExtensionsOf(extensions.get(),
                  AuthorityExtensions{SpiffeId::OfTrustDomain(hierarchy.trust_domain),
                                      kIssuingPathLength, &hierarchy});
  AddSubjectKeyIdentifier(extensions.get(), subject_key_identifier);
  return DerOf<X509_EXTENSIONS, i2d_X509_EXTENSIONS>(extensions.get());
}

Bytes EncodeName(const std::vector<std::pair<std::string, std::string>>& attributes) {
  const X509NamePtr name(X509_NAME_new());
  RequireAsn1(name != nullptr, "X509_NAME_new");
  for (const auto& [type, value] : attributes) {
    RequireAsn1(X509_NAME_add_entry_by_txt(name.get(), type.c_str(), MBSTRING_UTF8, Octets(value),
                                           static_cast<int>(value.size()), -1, 0) == 1,
                "X509_NAME_add_entry_by_txt");
  }
  return DerOf<X509_NAME, i2d_X509_NAME>(name.get());
}

Bytes EncodeCertificate(BytesView tbs, BytesView signature) {
  Asn1Object<CertificateAsn1> certificate(ASN1_ITEM_rptr(CertificateAsn1));
  SetOctets(certificate->tbs, tbs);
  SetEcdsaWithSha256(certificate->signature_algorithm);
  SetBitString(certificate->signature, signature);
  return certificate.Der();
}

}  // namespace ca
