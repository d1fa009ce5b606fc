#include "tests/ocsp/question.h"

#include "ca/base/asn1.h"

namespace ocsp::testing {
namespace {

using ca::RequireAsn1;

ca::X509ExtensionPtr NewExtension(std::string_view oid, bool is_critical, ca::BytesView value) {
  const ca::Asn1ObjectPtr object(OBJ_txt2obj(std::string(oid).c_str(), 1));
  const ca::Asn1OctetStringPtr octets(ASN1_OCTET_STRING_new());
  RequireAsn1(object && octets, "OBJ_txt2obj");
  ca::SetOctets(octets.get(), value);
  ca::X509ExtensionPtr extension(
      X509_EXTENSION_create_by_OBJ(nullptr, object.get(), is_critical ? 1 : 0, octets.get()));
  RequireAsn1(extension != nullptr, "X509_EXTENSION_create_by_OBJ");
  return extension;
}

}  // namespace

Question& Question::AboutOctets(const ca::Authority& issuer, ca::BytesView serial,
                                const EVP_MD* hash) {
  const ca::Asn1IntegerPtr number(ASN1_INTEGER_new());
  RequireAsn1(number != nullptr, "ASN1_INTEGER_new");
  ca::SetOctets(number.get(), serial);
  OCSP_CERTID* const id = OCSP_cert_id_new(hash, X509_get_subject_name(issuer.x509()),
                                           X509_get0_pubkey_bitstr(issuer.x509()), number.get());
  RequireAsn1(id && OCSP_request_add0_id(request_.get(), id), "OCSP_request_add0_id");
  return *this;
}

Question& Question::About(const ca::Authority& issuer, const ca::SerialNumber& serial,
                          const EVP_MD* hash) {
  return AboutOctets(issuer, serial.bytes(), hash);
}

Question& Question::Nonce(ca::BytesView octets) {
  ca::Bytes nonce(octets);
  if (nonce.empty()) return Extension("1.3.6.1.5.5.7.48.1.2", false, std::string_view("\x04\0", 2));
  RequireAsn1(OCSP_request_add1_nonce(request_.get(), ca::MutableOctets(nonce),
                                      static_cast<int>(nonce.size())) == 1,
              "OCSP_request_add1_nonce");
  return *this;
}

Question& Question::Extension(std::string_view oid, bool is_critical, ca::BytesView value) {
  RequireAsn1(
      OCSP_REQUEST_add_ext(request_.get(), NewExtension(oid, is_critical, value).get(), -1) == 1,
      "OCSP_REQUEST_add_ext");
  return *this;
}

Question& Question::SingleExtension(std::string_view oid, bool is_critical, ca::BytesView value) {
  OCSP_ONEREQ* const last =
      OCSP_request_onereq_get0(request_.get(), OCSP_request_onereq_count(request_.get()) - 1);
  RequireAsn1(OCSP_ONEREQ_add_ext(last, NewExtension(oid, is_critical, value).get(), -1) == 1,
              "OCSP_ONEREQ_add_ext");
  return *this;
}

Question& Question::RequestorName(std::string_view common_name) {
  const ca::X509NamePtr name(X509_NAME_new());
  RequireAsn1(
      name &&
          X509_NAME_add_entry_by_txt(name.get(), "CN", MBSTRING_UTF8, ca::Octets(common_name),
                                     static_cast<int>(common_name.size()), -1, 0) &&
          OCSP_request_set1_name(request_.get(), name.get()),
      "OCSP_request_set1_name");
  return *this;
}

Question& Question::Signed(X509* certificate) {
  static EVP_PKEY* const key = EVP_EC_gen("P-256");
  const ca::X509Ptr signer(X509_new());
  // OpenSSL needs the certificate of the key. Other certificates are optional.
  RequireAsn1(key && signer && X509_set_pubkey(signer.get(), key) == 1 &&
                  OCSP_request_sign(request_.get(), signer.get(), key, EVP_sha256(), nullptr,
                                    OCSP_NOCERTS) == 1,
              "OCSP_request_sign");
  if (certificate) {
    RequireAsn1(OCSP_request_add1_cert(request_.get(), certificate) == 1, "OCSP_request_add1_cert");
  }
  return *this;
}

ca::Bytes Question::Der() const {
  return ca::DerOf<OCSP_REQUEST, i2d_OCSP_REQUEST>(request_.get());
}

OcspRequestPtr ParseQuestion(ca::BytesView der) {
  const unsigned char* at = ca::Octets(der);
  OcspRequestPtr request(d2i_OCSP_REQUEST(nullptr, &at, static_cast<long>(der.size())));
  if (request && at == ca::Octets(der) + der.size()) return request;
  ca::DrainOpenSslErrors();
  return nullptr;
}

}  // namespace ocsp::testing
