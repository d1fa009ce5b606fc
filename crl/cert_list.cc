#include "crl/cert_list.h"

#include <algorithm>
#include <map>

#include "ca/base/asn1.h"
#include "ca/issuance/tbs_cert_list_asn1.h"

namespace crl {
namespace {

using ca::Asn1Object;
using ca::Bytes;
using ca::BytesView;
using ca::Owned;
using ca::RequireAsn1;
using ca::TbsCertListAsn1;

// RFC 5280 section 5.1:
//
//   CertificateList  ::=  SEQUENCE  {
//        tbsCertList          TBSCertList,
//        signatureAlgorithm   AlgorithmIdentifier,
//        signatureValue       BIT STRING  }
//
//   TBSCertList  ::=  SEQUENCE  {
//        version                 Version OPTIONAL,
//                                     -- if present, MUST be v2
//        signature               AlgorithmIdentifier,
//        issuer                  Name,
//        thisUpdate              Time,
//        nextUpdate              Time OPTIONAL,
//        revokedCertificates     SEQUENCE OF SEQUENCE  {
//             userCertificate         CertificateSerialNumber,
//             revocationDate          Time,
//             crlEntryExtensions      Extensions OPTIONAL
//                                      -- if present, version MUST be v2
//                                  }  OPTIONAL,
//        crlExtensions           [0]  EXPLICIT Extensions OPTIONAL
//                                      -- if present, version MUST be v2
//                                  }
//
// OpenSSL's X509_CRL allocates an object for each entry and for each extension of an entry. Here
// one entry object is reused for all, and its extensions are octets that equal entries share.
struct CrlEntryAsn1 {
  ASN1_INTEGER* serial;
  ASN1_TIME* revocation_date;
  ASN1_STRING* extensions;
};

struct CertificateListAsn1 {
  ASN1_STRING* tbs;
  X509_ALGOR* signature_algorithm;
  ASN1_BIT_STRING* signature;
};

// clang-format off
ASN1_SEQUENCE(CrlEntryAsn1) = {
    ASN1_SIMPLE(CrlEntryAsn1, serial, ASN1_INTEGER),
    ASN1_SIMPLE(CrlEntryAsn1, revocation_date, ASN1_TIME),
    ASN1_OPT(CrlEntryAsn1, extensions, ASN1_SEQUENCE),
} static_ASN1_SEQUENCE_END(CrlEntryAsn1)

ASN1_SEQUENCE(CertificateListAsn1) = {
    ASN1_SIMPLE(CertificateListAsn1, tbs, ASN1_SEQUENCE),
    ASN1_SIMPLE(CertificateListAsn1, signature_algorithm, X509_ALGOR),
    ASN1_SIMPLE(CertificateListAsn1, signature, ASN1_BIT_STRING),
} static_ASN1_SEQUENCE_END(CertificateListAsn1)

using Extensions = STACK_OF(X509_EXTENSION);
// clang-format on

// ---- entries ------------------------------------------------------------------------------------

// RFC 5280 section 5.3, both not critical: reasonCode, which "SHOULD be absent instead of using the
// unspecified (0) reasonCode value", and invalidityDate. "" if there is neither.
Bytes EncodeEntryExtensions(ca::RevocationReason reason,
                            const std::optional<ca::TimePoint>& invalidity_date) {
  Extensions* made = nullptr;
  if (reason != ca::RevocationReason::kUnspecified) {
    const Owned<ASN1_ENUMERATED, ASN1_ENUMERATED_free> code(ASN1_ENUMERATED_new());
    RequireAsn1(code && ASN1_ENUMERATED_set(code.get(), static_cast<long>(reason)) == 1,
                "ASN1_ENUMERATED_set");
    ca::AddExtension(&made, NID_crl_reason, code.get(), false);
  }
  if (invalidity_date) {
    const Owned<ASN1_GENERALIZEDTIME, ASN1_GENERALIZEDTIME_free> date(ASN1_GENERALIZEDTIME_new());
    RequireAsn1(date != nullptr, "ASN1_GENERALIZEDTIME_new");
    ca::SetGeneralizedTime(date.get(), *invalidity_date);
    ca::AddExtension(&made, NID_invalidity_date, date.get(), false);
  }
  const ca::ExtensionsPtr extensions(made);
  return extensions ? ca::DerOf<X509_EXTENSIONS, i2d_X509_EXTENSIONS>(extensions.get()) : Bytes();
}

class EntryEncoder {
 public:
  void Append(const ca::Revocation& revocation, Bytes& entries) {
    // OpenSSL writes the magnitude of an INTEGER. A serial begins with 01, so its octets are that.
    ca::SetOctets(entry_->serial, revocation.serial.bytes());
    ca::SetTime(entry_->revocation_date, revocation.revoked_at);
    SetExtensions(ExtensionsFor(revocation));
    const auto* entry = reinterpret_cast<const ASN1_VALUE*>(entry_.operator->());
    const int size = ASN1_item_i2d(entry, nullptr, ASN1_ITEM_rptr(CrlEntryAsn1));
    RequireAsn1(size > 0, "ASN1_item_i2d");
    entries.resize(entries.size() + static_cast<size_t>(size));
    unsigned char* at = ca::MutableOctets(entries) + entries.size() - size;
    RequireAsn1(ASN1_item_i2d(entry, &at, ASN1_ITEM_rptr(CrlEntryAsn1)) == size, "ASN1_item_i2d");
  }

 private:
  // The kinds are few: without a date one for each reason, and certificates that are revoked
  // together have the same date.
  using Kind = std::pair<ca::RevocationReason, std::optional<ca::TimePoint>>;

  const Bytes& ExtensionsFor(const ca::Revocation& revocation) {
    const Kind kind(revocation.reason, revocation.invalidity_date);
    const auto [at, is_new] = extensions_.try_emplace(kind);
    if (is_new) at->second = EncodeEntryExtensions(kind.first, kind.second);
    return at->second;
  }

  void SetExtensions(BytesView der) {
    if (der.empty()) {
      ASN1_STRING_free(std::exchange(entry_->extensions, nullptr));
      return;
    }
    if (!entry_->extensions) entry_->extensions = ASN1_STRING_type_new(V_ASN1_SEQUENCE);
    RequireAsn1(entry_->extensions != nullptr, "ASN1_STRING_type_new");
    ca::SetOctets(entry_->extensions, der);
  }

  Asn1Object<CrlEntryAsn1> entry_{ASN1_ITEM_rptr(CrlEntryAsn1)};
  std::map<Kind, Bytes> extensions_;
};

// The SEQUENCE OF entries, with its header.
Bytes EncodeEntries(const std::vector<ca::Revocation>& revoked) {
  constexpr size_t kHeaderMax = 8;
  constexpr size_t kEntryUsual = 55;  // with a reason
  Bytes entries;
  entries.reserve(kHeaderMax + revoked.size() * kEntryUsual);
  EntryEncoder encoder;
  for (const ca::Revocation& revocation : revoked) encoder.Append(revocation, entries);

  const int content = static_cast<int>(entries.size());
  const int size = ASN1_object_size(1, content, V_ASN1_SEQUENCE);
  RequireAsn1(size > content, "ASN1_object_size");
  entries.insert(0, static_cast<size_t>(size - content), '\0');
  unsigned char* at = ca::MutableOctets(entries);
  ASN1_put_object(&at, 1, content, V_ASN1_SEQUENCE, V_ASN1_UNIVERSAL);
  return entries;
}

// ---- extensions ---------------------------------------------------------------------------------

void AddAuthorityKeyIdentifier(Extensions** extensions, BytesView identifier) {
  const Owned<AUTHORITY_KEYID, AUTHORITY_KEYID_free> authority(AUTHORITY_KEYID_new());
  RequireAsn1(authority != nullptr, "AUTHORITY_KEYID_new");
  authority->keyid = ASN1_OCTET_STRING_new();
  RequireAsn1(authority->keyid != nullptr, "ASN1_OCTET_STRING_new");
  ca::SetOctets(authority->keyid, identifier);
  ca::AddExtension(extensions, NID_authority_key_identifier, authority.get(), false);
}

void AddNumber(Extensions** extensions, int nid, std::int64_t number, bool critical) {
  const ca::Asn1IntegerPtr integer(ASN1_INTEGER_new());
  RequireAsn1(integer && ASN1_INTEGER_set_int64(integer.get(), number) == 1,
              "ASN1_INTEGER_set_int64");
  ca::AddExtension(extensions, nid, integer.get(), critical);
}

// A fullName with one URL.
DIST_POINT_NAME* NewPointName(BytesView url) {
  DIST_POINT_NAME* const point = DIST_POINT_NAME_new();
  GENERAL_NAMES* const names = GENERAL_NAMES_new();
  GENERAL_NAME* const name = GENERAL_NAME_new();
  ASN1_STRING* const value = ASN1_IA5STRING_new();
  RequireAsn1(point && names && name && value && sk_GENERAL_NAME_push(names, name) > 0,
              "DIST_POINT_NAME_new");
  ca::SetOctets(value, url);
  GENERAL_NAME_set0_value(name, GEN_URI, value);
  point->type = 0;  // fullName
  point->name.fullname = names;
  return point;
}

// RFC 5280 section 5.2.5: "The identical encoding MUST be used in the distributionPoint fields of
// the certificate and the CRL." All other fields have their defaults: all reasons, all kinds of
// certificates.
void AddIssuingDistributionPoint(Extensions** extensions, BytesView url) {
  const Owned<ISSUING_DIST_POINT, ISSUING_DIST_POINT_free> point(ISSUING_DIST_POINT_new());
  RequireAsn1(point != nullptr, "ISSUING_DIST_POINT_new");
  point->distpoint = NewPointName(url);
  ca::AddExtension(extensions, NID_issuing_distribution_point, point.get(), true);
}

void AddFreshestCrl(Extensions** extensions, BytesView url) {
  const Owned<CRL_DIST_POINTS, CRL_DIST_POINTS_free> points(CRL_DIST_POINTS_new());
  DIST_POINT* const point = DIST_POINT_new();
  RequireAsn1(points && point && sk_DIST_POINT_push(points.get(), point) > 0, "DIST_POINT_new");
  point->distpoint = NewPointName(url);
  ca::AddExtension(extensions, NID_freshest_crl, points.get(), false);
}

// ---- reading ------------------------------------------------------------------------------------

using X509CrlPtr = Owned<X509_CRL, X509_CRL_free>;

ca::Status Unreadable(std::string_view what) {
  ca::DrainOpenSslErrors();
  return ca::Error(ca::StatusCode::kInvalidArgument, "crl: {}", what);
}

ca::Result<X509CrlPtr> ParseCrl(BytesView der) {
  const unsigned char* at = ca::Octets(der);
  X509CrlPtr parsed(d2i_X509_CRL(nullptr, &at, static_cast<long>(der.size())));
  if (!parsed || at != ca::Octets(der) + der.size())
    return Unreadable("it is not the DER of a CRL");
  return parsed;
}

// 0 if the CRL has no such extension.
ca::Result<std::int64_t> ReadNumber(const X509_CRL* crl, int nid) {
  int critical = 0;
  const ca::Asn1IntegerPtr integer(
      static_cast<ASN1_INTEGER*>(X509_CRL_get_ext_d2i(crl, nid, &critical, nullptr)));
  if (!integer && critical == -1) return 0;
  std::int64_t number = 0;
  if (!integer || ASN1_INTEGER_get_int64(&number, integer.get()) != 1 || number < 1) {
    return Unreadable("its number is not a positive 64-bit integer");
  }
  return number;
}

ca::Result<ca::RevocationReason> ReadReason(const X509_REVOKED* entry) {
  int critical = 0;
  const Owned<ASN1_ENUMERATED, ASN1_ENUMERATED_free> code(static_cast<ASN1_ENUMERATED*>(
      X509_REVOKED_get_ext_d2i(entry, NID_crl_reason, &critical, nullptr)));
  if (!code && critical == -1) return ca::RevocationReason::kUnspecified;
  const auto reason =
      ca::RevocationReasonFrom(code ? static_cast<int>(ASN1_ENUMERATED_get(code.get())) : -1);
  if (!reason) return Unreadable("an entry has a reason that agentpki never writes");
  return *reason;
}

}  // namespace

Bytes CertList::EncodeTbs() const {
  Asn1Object<TbsCertListAsn1> list(ca::TbsCertListItem());
  RequireAsn1(ASN1_INTEGER_set(list->version, TbsCertListAsn1::kVersion2) == 1, "ASN1_INTEGER_set");
  ca::SetEcdsaWithSha256(list->signature_algorithm);
  ca::SetOctets(list->issuer, issuer);
  ca::SetTime(list->this_update, this_update);
  ca::SetTime(list->next_update, next_update);
  // RFC 5280 section 5.1.2.6: "When there are no revoked certificates, the revoked certificates
  // list MUST be absent."
  if (!revoked.empty()) {
    list->revoked = ASN1_STRING_type_new(V_ASN1_SEQUENCE);
    RequireAsn1(list->revoked != nullptr, "ASN1_STRING_type_new");
    ca::SetOctets(list->revoked, EncodeEntries(revoked));
  }
  AddAuthorityKeyIdentifier(&list->extensions, authority_key_identifier);
  AddNumber(&list->extensions, NID_crl_number, number, false);
  const bool is_delta = base_number != 0;
  if (is_delta) AddNumber(&list->extensions, NID_delta_crl, base_number, true);
  if (!distribution_point.empty()) {
    AddIssuingDistributionPoint(&list->extensions, distribution_point);
  }
  // Section 5.2.6: "This extension MUST NOT appear in delta CRLs."
  if (!freshest_crl.empty() && !is_delta) AddFreshestCrl(&list->extensions, freshest_crl);
  return list.Der();
}

Bytes EncodeCrl(BytesView tbs, BytesView signature) {
  Asn1Object<CertificateListAsn1> crl(ASN1_ITEM_rptr(CertificateListAsn1));
  ca::SetOctets(crl->tbs, tbs);
  ca::SetEcdsaWithSha256(crl->signature_algorithm);
  ca::SetBitString(crl->signature, signature);
  return crl.Der();
}

bool IsSignedBy(const ca::Authority& issuer, BytesView tbs, BytesView signature) {
  const ca::EvpMdCtxPtr context(EVP_MD_CTX_new());
  const bool is_good = context &&
                       EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr,
                                            X509_get0_pubkey(issuer.x509())) == 1 &&
                       EVP_DigestVerify(context.get(), ca::Octets(signature), signature.size(),
                                        ca::Octets(tbs), tbs.size()) == 1;
  if (!is_good) ca::DrainOpenSslErrors();
  return is_good;
}

ca::Result<ReadCrl> Read(BytesView der, const ca::Authority& issuer) {
  const X509CrlPtr crl = TRY(ParseCrl(der));
  if (X509_NAME_cmp(X509_CRL_get_issuer(crl.get()), X509_get_subject_name(issuer.x509())) != 0) {
    return Unreadable("another authority issued it");
  }
  if (X509_CRL_get_signature_nid(crl.get()) != NID_ecdsa_with_SHA256 ||
      X509_CRL_verify(crl.get(), X509_get0_pubkey(issuer.x509())) != 1) {
    return Unreadable("its signature is not by the issuer's key");
  }
  ReadCrl read;
  read.number = TRY(ReadNumber(crl.get(), NID_crl_number));
  read.base_number = TRY(ReadNumber(crl.get(), NID_delta_crl));
  read.this_update = TRY(ca::TimeOf(X509_CRL_get0_lastUpdate(crl.get())));
  if (read.number == 0) return Unreadable("it has no number");
  if (!X509_CRL_get0_nextUpdate(crl.get())) return Unreadable("it has no nextUpdate");
  read.next_update = TRY(ca::TimeOf(X509_CRL_get0_nextUpdate(crl.get())));
  STACK_OF(X509_REVOKED)* const entries = X509_CRL_get_REVOKED(crl.get());
  for (int i = 0; i < sk_X509_REVOKED_num(entries); ++i) {
    const X509_REVOKED* const entry = sk_X509_REVOKED_value(entries, i);
    auto serial =
        TRY(ca::SerialNumber::FromBytes(ca::OctetsOf(X509_REVOKED_get0_serialNumber(entry))));
    const auto reason = TRY(ReadReason(entry));
    read.revoked.emplace_back(std::move(serial), reason);
  }
  std::sort(read.revoked.begin(), read.revoked.end());
  return read;
}

}  // namespace crl
