#include "tests/ca/forgery.h"

#include <algorithm>

#include "ca/base/serial_number.h"
#include "tests/ca/csr_builder.h"
#include "tests/fakes/must.h"

namespace ca::testing {
namespace {

// Most of the calls below return 1, and a null pointer or less when they fail.
template <typename T>
void Check(const T& outcome, std::string_view what) {
  if (!(outcome > T{})) AbortOnOpenSslFailure(what);
}

time_t Seconds(TimePoint time) {
  return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
}

void AddExtension(X509* certificate, X509* issuer, const std::string& name,
                  const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const X509ExtensionPtr extension(
      X509V3_EXT_nconf(nullptr, &context, name.c_str(), value.c_str()));
  Check(extension.get(), "X509V3_EXT_nconf");
  Check(X509_add_ext(certificate, extension.get(), -1), "X509_add_ext");
}

}  // namespace

Bytes Forgery::Der() const {
  const EvpPkeyPtr new_key(key ? nullptr : NewKey(KeyType::kP256));
  EVP_PKEY* const subject_key = key ? key : new_key.get();
  const X509Ptr certificate(X509_new());
  X509* const x509 = certificate.get();
  X509* const issuing = issuer ? issuer : x509;
  Check(X509_set_version(x509, X509_VERSION_3), "X509_set_version");
  const Bytes octets = serial.empty() ? SerialNumber::New(validity.not_after).bytes() : serial;
  const BignumPtr number(BN_bin2bn(Octets(octets), static_cast<int>(octets.size()), nullptr));
  Check(BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(x509)), "BN_to_ASN1_INTEGER");
  if (!subject.empty()) {
    const unsigned char* at = Octets(subject);
    const X509NamePtr name(d2i_X509_NAME(nullptr, &at, static_cast<long>(subject.size())));
    Check(X509_set_subject_name(x509, name.get()), "X509_set_subject_name");
  } else {
    Check(X509_NAME_add_entry_by_txt(X509_get_subject_name(x509), "CN", MBSTRING_UTF8,
                                     Octets(common_name), static_cast<int>(common_name.size()), -1,
                                     0),
          "X509_NAME_add_entry_by_txt");
  }
  Check(X509_set_issuer_name(x509, X509_get_subject_name(issuing)), "X509_set_issuer_name");
  ASN1_TIME_set(X509_getm_notBefore(x509), Seconds(validity.not_before));
  ASN1_TIME_set(X509_getm_notAfter(x509), Seconds(validity.not_after));
  Check(X509_set_pubkey(x509, subject_key), "X509_set_pubkey");
  const bool has_own_identifier =
      std::any_of(extensions.begin(), extensions.end(),
                  [](const auto& extension) { return extension.first == "subjectKeyIdentifier"; });
  if (!has_own_identifier) AddExtension(x509, issuing, "subjectKeyIdentifier", "hash");
  if (issuer) AddExtension(x509, issuing, "authorityKeyIdentifier", "keyid:always");
  for (const auto& [name, value] : extensions) AddExtension(x509, issuing, name, value);
  Check(X509_sign(x509, issuer_key ? issuer_key : subject_key, EVP_sha256()), "X509_sign");
  return DerOf<X509, i2d_X509>(x509);
}

std::vector<std::pair<std::string, std::string>> LeafExtensionsWith(std::string alternative_names) {
  return {{"basicConstraints", "critical,CA:FALSE"},
          {"keyUsage", "critical,digitalSignature"},
          {"extendedKeyUsage", "clientAuth,serverAuth"},
          {"subjectAltName", std::move(alternative_names)}};
}

}  // namespace ca::testing
