#include "tests/ocsp/request_differences.h"

#include <array>

#include "ca/base/asn1.h"
#include "ocsp/request.h"
#include "tests/fixtures/der_tree.h"
#include "tests/ocsp/question.h"

namespace ocsp::testing {
namespace {

using ca::Bytes;
using ca::BytesView;

constexpr int kNonce = NID_id_pkix_OCSP_Nonce;

// ---- as OpenSSL parses it

// The octets of a nonce. None if they are not an OCTET STRING.
std::optional<Bytes> NonceIn(OCSP_REQUEST* request, int index) {
  const BytesView value =
      ca::OctetsOf(X509_EXTENSION_get_data(OCSP_REQUEST_get_ext(request, index)));
  const unsigned char* at = ca::Octets(value);
  const ca::Asn1OctetStringPtr nonce(
      d2i_ASN1_OCTET_STRING(nullptr, &at, static_cast<long>(value.size())));
  ca::DrainOpenSslErrors();
  if (!nonce) return std::nullopt;
  const Bytes octets(ca::OctetsOf(nonce.get()));
  // In DER, without further octets.
  if (ca::DerOf<ASN1_OCTET_STRING, i2d_ASN1_OCTET_STRING>(nonce.get()) != value)
    return std::nullopt;
  return octets;
}

bool HasUnknownCritical(OCSP_REQUEST* request) {
  for (int i = 0; i < OCSP_REQUEST_get_ext_count(request); ++i) {
    X509_EXTENSION* const extension = OCSP_REQUEST_get_ext(request, i);
    if (X509_EXTENSION_get_critical(extension) &&
        OBJ_obj2nid(X509_EXTENSION_get_object(extension)) != kNonce) {
      return true;
    }
  }
  for (int i = 0; i < OCSP_request_onereq_count(request); ++i) {
    if (OCSP_ONEREQ_get_ext_by_critical(OCSP_request_onereq_get0(request, i), 1, -1) >= 0) {
      return true;
    }
  }
  return false;
}

int CountNonces(OCSP_REQUEST* request) {
  int count = 0;
  for (int at = -1; (at = OCSP_REQUEST_get_ext_by_NID(request, kNonce, at)) >= 0;) ++count;
  return count;
}

bool HasBadNonce(OCSP_REQUEST* request) {
  for (int at = -1; (at = OCSP_REQUEST_get_ext_by_NID(request, kNonce, at)) >= 0;) {
    const auto nonce = NonceIn(request, at);
    if (!nonce || nonce->empty() || nonce->size() > Request::kNonceMax) return true;
  }
  return false;
}

// ---- requests that only ocsp::Request refuses

using Sees = bool (*)(OCSP_REQUEST* request, BytesView der);
struct Refusal {
  Difference difference;
  Sees sees;  // whether OpenSSL finds the refused content, too
};

constexpr std::array kRefusals = {
    Refusal{{"is longer than 16 KiB", "nobody asks about so many certificates at once"},
            [](OCSP_REQUEST*, BytesView der) { return der.size() > Request::kSizeMax; }},
    Refusal{
        {"is not a DER OCSPRequest", "RFC 6960 section 4.1: DER, not the BER that OpenSSL takes"},
        [](OCSP_REQUEST* request, BytesView der) {
          return ca::DerOf<OCSP_REQUEST, i2d_OCSP_REQUEST>(request) != der;
        }},
    Refusal{{"has an entry that is not a CertID", "likewise"},
            [](OCSP_REQUEST* request, BytesView der) {
              return ca::DerOf<OCSP_REQUEST, i2d_OCSP_REQUEST>(request) != der;
            }},
    // OpenSSL has no function for the version. It is the first element: 30 .. 30 .. a0.
    Refusal{{"is not version 1", "RFC 6960 section 4.1.1 knows no other"},
            [](OCSP_REQUEST*, BytesView der) {
              const auto tree = ca::testing::TryParseDer(der);
              return tree && tree->children.at(0).children.at(0).tag == 0xa0;
            }},
    Refusal{
        {"asks for no certificate", "there is nothing to say"},
        [](OCSP_REQUEST* request, BytesView) { return OCSP_request_onereq_count(request) == 0; }},
    Refusal{{"asks for more than 32 certificates", "each costs a look into the ledger"},
            [](OCSP_REQUEST* request, BytesView) {
              return OCSP_request_onereq_count(request) > int{Request::kCertIdsMax};
            }},
    Refusal{{"has an unknown critical extension", "a critical one must not be skipped"},
            [](OCSP_REQUEST* request, BytesView) { return HasUnknownCritical(request); }},
    Refusal{{"has two nonces", "only one could be repeated"},
            [](OCSP_REQUEST* request, BytesView) { return CountNonces(request) > 1; }},
    Refusal{{"has a nonce that is not a DER Nonce", "RFC 9654 section 2.1: an OCTET STRING"},
            [](OCSP_REQUEST* request, BytesView) { return HasBadNonce(request); }},
    Refusal{{"has a nonce that is not 1 to 128", "RFC 9654 section 2.1: malformedRequest"},
            [](OCSP_REQUEST* request, BytesView) { return HasBadNonce(request); }},
};

// ---- both parse the same content

std::string DifferenceIn(const CertId& ours, OCSP_CERTID* theirs) {
  ASN1_OCTET_STRING* name = nullptr;
  ASN1_OCTET_STRING* key = nullptr;
  ASN1_OBJECT* algorithm = nullptr;
  ASN1_INTEGER* serial = nullptr;
  OCSP_id_get0_info(&name, &algorithm, &key, &serial, theirs);
  const int nid = OBJ_obj2nid(algorithm);
  const auto hash = nid == NID_sha1     ? HashAlgorithm::kSha1
                    : nid == NID_sha256 ? HashAlgorithm::kSha256
                                        : HashAlgorithm::kOther;
  if (ours.der != ca::DerOf<OCSP_CERTID, i2d_OCSP_CERTID>(theirs)) return "another CertID";
  if (ours.hash != hash) return "another hash algorithm";
  if (ours.issuer_name_hash != ca::OctetsOf(name)) return "another name hash";
  if (ours.issuer_key_hash != ca::OctetsOf(key)) return "another key hash";
  const ca::BignumPtr number(ASN1_INTEGER_to_BN(serial, nullptr));
  if (!ours.serial) {
    const bool is_of_our_form = !BN_is_negative(number.get()) &&
                                BN_num_bytes(number.get()) == int{ca::SerialNumber::kSize} &&
                                *ASN1_STRING_get0_data(serial) == 1;
    return is_of_our_form ? "no serial" : "";
  }
  Bytes octets(static_cast<size_t>(BN_num_bytes(number.get())), '\0');
  BN_bn2bin(number.get(), ca::MutableOctets(octets));
  const bool is_same = !BN_is_negative(number.get()) && octets == ours.serial->bytes();
  return is_same ? "" : "another serial";
}

std::string DifferenceIn(const Request& ours, OCSP_REQUEST* theirs) {
  if (static_cast<int>(ours.cert_ids.size()) != OCSP_request_onereq_count(theirs)) {
    return "another number of CertIDs";
  }
  for (size_t i = 0; i < ours.cert_ids.size(); ++i) {
    const std::string difference =
        DifferenceIn(ours.cert_ids[i],
                     OCSP_onereq_get0_id(OCSP_request_onereq_get0(theirs, static_cast<int>(i))));
    if (!difference.empty()) return difference;
  }
  const int at = OCSP_REQUEST_get_ext_by_NID(theirs, kNonce, -1);
  const auto nonce = at < 0 ? std::nullopt : NonceIn(theirs, at);
  if (ours.nonce != nonce) return "another nonce";
  if (HasUnknownCritical(theirs)) return "a critical extension was skipped";
  return "";
}

// The plain request must ask the same, and its own plain request must be equal to it.
std::string DefectOfPlain(const Request& request) {
  const auto plain = Request::Parse(request.plain_der);
  if (!plain.ok()) return "the plain request is refused: " + ca::MessageOf(plain.status());
  if (plain->nonce || plain->plain_der != request.plain_der)
    return "the plain request is not plain";
  for (size_t i = 0; i < request.cert_ids.size(); ++i) {
    if (plain->cert_ids.at(i).der != request.cert_ids[i].der) return "the plain request asks else";
  }
  return "";
}

// The first element in `octets`, and its content.
struct Element {
  BytesView whole;
  BytesView content;
};
Element FirstElement(BytesView octets) {
  const auto* const begin = reinterpret_cast<const unsigned char*>(octets.data());
  const auto* content = begin;
  long length = 0;
  int tag = 0;
  int tag_class = 0;
  const int bits =
      ASN1_get_object(&content, &length, &tag, &tag_class, static_cast<long>(octets.size()));
  ca::DrainOpenSslErrors();
  if ((bits & 0x80) != 0) return {};
  const auto head = static_cast<size_t>(content - begin);
  const auto size = static_cast<size_t>(length);
  return {octets.substr(0, head + size), octets.substr(head, size)};
}

// No octet of a CertID may change. A tree that is encoded again is DER, but an ANY in a CertID need
// not be.
Bytes WithoutCertificates(BytesView der) {
  auto tree = ca::testing::TryParseDer(der);
  if (!tree || tree->children.size() != 2) return "";
  auto& signature = tree->children[1];
  if (signature.children.size() != 1 || signature.children[0].children.size() != 3) return "";
  signature.children[0].children.pop_back();
  const Element asked = FirstElement(FirstElement(der).content);
  return ca::testing::Tlv(0x30, Bytes(asked.whole) + ca::testing::Encode(signature));
}

}  // namespace

std::span<const Difference> Differences() {
  static const auto differences = [] {
    std::array<Difference, kRefusals.size()> all{};
    for (size_t i = 0; i < all.size(); ++i) all[i] = kRefusals[i].difference;
    return all;
  }();
  return differences;
}

Comparison Compare(BytesView der) {
  Comparison comparison;
  const auto ours = Request::Parse(der);
  OcspRequestPtr theirs = ParseQuestion(der);
  comparison.accepted_by_us = ours.ok();
  comparison.accepted_by_openssl = theirs != nullptr;
  if (!ours.ok() && !theirs) return comparison;
  if (ours.ok()) {
    if (!theirs) theirs = ParseQuestion(WithoutCertificates(der));
    comparison.disagreement = theirs ? DifferenceIn(*ours, theirs.get()) : "accepted here alone";
    if (comparison.disagreement.empty()) comparison.disagreement = DefectOfPlain(*ours);
    return comparison;
  }
  const std::string message = ca::MessageOf(ours.status());
  for (size_t i = 0; i < kRefusals.size(); ++i) {
    if (message.find(kRefusals[i].difference.message) == std::string::npos) continue;
    comparison.difference = &Differences()[i];
    if (kRefusals[i].sees(theirs.get(), der)) return comparison;
  }
  comparison.disagreement = "accepted by OpenSSL alone: " + message;
  return comparison;
}

}  // namespace ocsp::testing
