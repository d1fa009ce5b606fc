#include "tools/agentpki-bench/revocation_status.h"

#include <openssl/ocsp.h>

namespace bench {
namespace {

using ca::Bytes;
using ca::BytesView;
using ca::Error;
using ca::Octets;
using ca::Owned;
using ca::Result;
using ca::StatusCode;

using BasicResponsePtr = Owned<OCSP_BASICRESP, OCSP_BASICRESP_free>;
using CertIdPtr = Owned<OCSP_CERTID, OCSP_CERTID_free>;
using CrlPtr = Owned<X509_CRL, X509_CRL_free>;
using DistributionPointsPtr = Owned<CRL_DIST_POINTS, CRL_DIST_POINTS_free>;
using RequestPtr = Owned<OCSP_REQUEST, OCSP_REQUEST_free>;
using ResponsePtr = Owned<OCSP_RESPONSE, OCSP_RESPONSE_free>;

std::string OcspUrlOf(X509& certificate) {
  STACK_OF(OPENSSL_STRING)* const urls = X509_get1_ocsp(&certificate);
  std::string url = sk_OPENSSL_STRING_num(urls) > 0 ? sk_OPENSSL_STRING_value(urls, 0) : "";
  X509_email_free(urls);
  return url;
}

std::string CrlUrlOf(const X509& certificate) {
  const DistributionPointsPtr points(static_cast<CRL_DIST_POINTS*>(
      X509_get_ext_d2i(&certificate, NID_crl_distribution_points, nullptr, nullptr)));
  if (!points || sk_DIST_POINT_num(points.get()) == 0) return "";
  const DIST_POINT_NAME* const name = sk_DIST_POINT_value(points.get(), 0)->distpoint;
  if (name == nullptr || name->type != 0) return "";
  const GENERAL_NAME* const first = sk_GENERAL_NAME_value(name->name.fullname, 0);
  if (first == nullptr || first->type != GEN_URI) return "";
  const ASN1_STRING* const uri = first->d.uniformResourceIdentifier;
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(uri)),
          static_cast<size_t>(ASN1_STRING_length(uri))};
}

std::string HexOf(const ASN1_INTEGER& serial) {
  return ca::Hex({reinterpret_cast<const char*>(ASN1_STRING_get0_data(&serial)),
                  static_cast<size_t>(ASN1_STRING_length(&serial))});
}

CertIdPtr CertIdOf(const X509& issuer, const ASN1_INTEGER& serial) {
  return CertIdPtr(OCSP_cert_id_new(EVP_sha1(), X509_get_subject_name(&issuer),
                                    X509_get0_pubkey_bitstr(&issuer), &serial));
}

}  // namespace

Bytes OcspRequestFor(const X509& issuer, const ASN1_INTEGER& serial, BytesView nonce) {
  const RequestPtr request(OCSP_REQUEST_new());
  OCSP_request_add0_id(request.get(), CertIdOf(issuer, serial).release());
  if (!nonce.empty()) {
    Bytes octets(nonce);
    OCSP_request_add1_nonce(request.get(), ca::MutableOctets(octets),
                            static_cast<int>(octets.size()));
  }
  return ca::DerOf<OCSP_REQUEST, i2d_OCSP_REQUEST>(request.get());
}

std::string Base64(BytesView bytes) {
  std::string text(4 * ((bytes.size() + 2) / 3) + 1, '\0');
  EVP_EncodeBlock(ca::MutableOctets(text), Octets(bytes), static_cast<int>(bytes.size()));
  text.pop_back();  // EVP_EncodeBlock writes a NUL
  return text;
}

std::string OcspPathPart(BytesView request) {
  std::string part;
  for (const char character : Base64(request)) {
    switch (character) {
      case '+':
        part += "%2B";
        break;
      case '/':
        part += "%2F";
        break;
      case '=':
        part += "%3D";
        break;
      default:
        part += character;
    }
  }
  return part;
}

Result<std::set<std::string>> SerialsOf(BytesView der) {
  const unsigned char* at = Octets(der);
  const CrlPtr crl(d2i_X509_CRL(nullptr, &at, static_cast<long>(der.size())));
  if (!crl) {
    ca::DrainOpenSslErrors();
    return Error(StatusCode::kFailedPrecondition, "the server's CRL is not a DER CRL");
  }
  std::set<std::string> serials;
  STACK_OF(X509_REVOKED)* const entries = X509_CRL_get_REVOKED(crl.get());
  for (int i = 0; i < sk_X509_REVOKED_num(entries); ++i) {
    serials.insert(HexOf(*X509_REVOKED_get0_serialNumber(sk_X509_REVOKED_value(entries, i))));
  }
  return serials;
}

Result<StatusSubject> StatusSubject::Of(BytesView certificate, BytesView issuer) {
  StatusSubject subject;
  subject.certificate_ = TRY(ca::ParseX509(certificate));
  subject.issuer_ = TRY(ca::ParseX509(issuer));
  subject.ocsp_url_ = OcspUrlOf(*subject.certificate_);
  subject.crl_url_ = CrlUrlOf(*subject.certificate_);
  if (!subject.ocsp_url_.empty() && !subject.crl_url_.empty()) return subject;
  return Error(StatusCode::kFailedPrecondition,
               "the server's certificates have no OCSP or CRL URL; set status.url in its "
               "configuration");
}

std::string StatusSubject::serial() const {
  return HexOf(*X509_get0_serialNumber(certificate_.get()));
}

Bytes StatusSubject::OcspRequest(BytesView nonce) const {
  return OcspRequestFor(*issuer_, *X509_get0_serialNumber(certificate_.get()), nonce);
}

Result<bool> StatusSubject::IsRevoked(BytesView der) const {
  const unsigned char* at = Octets(der);
  const ResponsePtr response(d2i_OCSP_RESPONSE(nullptr, &at, static_cast<long>(der.size())));
  const BasicResponsePtr basic(response ? OCSP_response_get1_basic(response.get()) : nullptr);
  const CertIdPtr id = CertIdOf(*issuer_, *X509_get0_serialNumber(certificate_.get()));
  int status = V_OCSP_CERTSTATUS_UNKNOWN;
  const bool is_found = basic && OCSP_resp_find_status(basic.get(), id.get(), &status, nullptr,
                                                       nullptr, nullptr, nullptr) == 1;
  ca::DrainOpenSslErrors();
  if (is_found && status != V_OCSP_CERTSTATUS_UNKNOWN) return status == V_OCSP_CERTSTATUS_REVOKED;
  return Error(StatusCode::kFailedPrecondition,
               "the OCSP answer for {} is neither good nor revoked", serial());
}

}  // namespace bench
