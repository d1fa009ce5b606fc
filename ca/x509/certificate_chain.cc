#include "ca/x509/certificate_chain.h"

#include "ca/base/asn1.h"
#include "ca/base/rules.h"

namespace ca {
namespace {

constexpr int kSecurityLevel = 2;

}  // namespace

std::string SubjectOf(const X509* certificate) {
  const BioPtr text(BIO_new(BIO_s_mem()));
  if (!text || X509_NAME_print_ex(text.get(), X509_get_subject_name(certificate), 0,
                                  XN_FLAG_ONELINE & ~ASN1_STRFLGS_ESC_MSB) < 0) {
    AbortOnOpenSslFailure("X509_NAME_print_ex");
  }
  char* octets = nullptr;
  const long size = BIO_get_mem_data(text.get(), &octets);
  return Printable(std::string_view(octets, static_cast<size_t>(size)));
}

Bytes SpkiOf(const X509* certificate) {
  return DerOf<X509_PUBKEY, i2d_X509_PUBKEY>(X509_get_X509_PUBKEY(certificate));
}

Bytes DerOfCertificate(const X509* certificate) { return DerOf<X509, i2d_X509>(certificate); }

Result<CertificateChain> VerifyChain(X509* certificate, STACK_OF(X509) * others,
                                     const std::vector<X509Ptr>& roots,
                                     std::optional<TimePoint> now) {
  const X509StorePtr store(X509_STORE_new());
  const X509StoreCtxPtr context(X509_STORE_CTX_new());
  if (!store || !context) AbortOnOpenSslFailure("X509_STORE_new");
  for (const X509Ptr& root : roots) X509_STORE_add_cert(store.get(), root.get());
  if (X509_STORE_CTX_init(context.get(), store.get(), certificate, others) != 1) {
    AbortOnOpenSslFailure("X509_STORE_CTX_init");
  }
  X509_VERIFY_PARAM* const parameters = X509_STORE_CTX_get0_param(context.get());
  X509_VERIFY_PARAM_set_auth_level(parameters, kSecurityLevel);
  X509_VERIFY_PARAM_set_flags(parameters, X509_V_FLAG_X509_STRICT);
  if (now) {
    X509_VERIFY_PARAM_set_time(parameters, SecondsOf(*now));
  } else {
    X509_VERIFY_PARAM_set_flags(parameters, X509_V_FLAG_NO_CHECK_TIME);
  }
  if (X509_verify_cert(context.get()) == 1) {
    return CertificateChain{X509StackPtr(X509_STORE_CTX_get1_chain(context.get()))};
  }
  DrainOpenSslErrors();
  const X509* const culprit = X509_STORE_CTX_get_current_cert(context.get());
  return Error(StatusCode::kInvalidArgument, "{} (at {})",
               X509_verify_cert_error_string(X509_STORE_CTX_get_error(context.get())),
               culprit ? SubjectOf(culprit) : "none");
}

Result<X509Ptr> ParseExternalCertificate(BytesView der) {
  if (der.size() > kCertificateSizeMax) {
    return Refusal<kImportSize>(
        fmt::format("{} octets; at most {}", der.size(), kCertificateSizeMax));
  }
  auto parsed = ParseX509(der);
  if (!parsed.ok()) return Refusal<kImportMalformed>(MessageOf(parsed.status()));
  // OpenSSL reads BER as well, but stored certificates are compared octet for octet.
  if (DerOfCertificate(parsed->get()) != der) return Refusal<kImportMalformed>("it is not in DER");
  return parsed;
}

}  // namespace ca
