#include <openssl/provider.h>

#include "ca/base/der.h"
#include "ca/base/openssl.h"
#include "ca/issuance/lint_findings.h"

namespace ca::lint {
namespace {

// A library without a provider for keys: OpenSSL then reads all of a certificate but its key, in 20
// us instead of 140, because it does not try its slow key decoder (openssl issues 17950, 19119,
// 20051). PublicKey::FromSpki has read the key. It is never freed, because a thread may still be
// reading while the process ends.
OSSL_LIB_CTX* KeylessLibrary() {
  static OSSL_LIB_CTX* const library = [] {
    OSSL_LIB_CTX* const created = OSSL_LIB_CTX_new();
    if (!created || !OSSL_PROVIDER_load(created, "null")) {
      AbortOnOpenSslFailure("OSSL_LIB_CTX_new");
    }
    return created;
  }();
  return library;
}

// A certificate needs a signature to be read; it need not verify. This one is by a key that is made
// on first use, signs nothing else, and is deleted at once.
const Bytes& ThrowAwaySignature() {
  static const Bytes signature = [] {
    const EvpPkeyPtr key(EVP_EC_gen("P-256"));
    const EvpMdCtxPtr context(EVP_MD_CTX_new());
    Bytes octets(static_cast<size_t>(key ? EVP_PKEY_get_size(key.get()) : 0), '\0');
    size_t size = octets.size();
    if (!key || !context ||
        EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key.get()) != 1 ||
        EVP_DigestSign(context.get(), MutableOctets(octets), &size, nullptr, 0) != 1) {
      AbortOnOpenSslFailure("EVP_DigestSign");
    }
    octets.resize(size);
    return octets;
  }();
  return signature;
}

X509Ptr Read(BytesView certificate) {
  X509* x509 = X509_new_ex(KeylessLibrary(), nullptr);
  if (!x509) AbortOnOpenSslFailure("X509_new_ex");
  const unsigned char* cursor = Octets(certificate);
  // On failure d2i_X509 frees `x509`.
  X509Ptr read(d2i_X509(&x509, &cursor, static_cast<long>(certificate.size())));
  if (!read || cursor != Octets(certificate) + certificate.size()) return nullptr;
  return read;
}

// It does not call EncodeCertificate, which belongs to the builder.
Bytes Assemble(const Parts& parts) {
  Bytes content(parts.whole);
  content += parts.signature_algorithm;
  content += EncodeDer(kDerBitString, Bytes(1, '\0') + ThrowAwaySignature());
  return EncodeDer(kDerSequence, content);
}

}  // namespace

void CheckAsRelyingParty(const Parts& parts, const LintTerms& terms, Findings& findings) {
  const X509Ptr x509 = Read(Assemble(parts));
  if (!x509) {
    findings.Add("openssl.unreadable", kRfc5280, "{}", DrainOpenSslErrors());
    return;
  }
  const uint32_t flags = X509_get_extension_flags(x509.get());
  if ((flags & EXFLAG_INVALID) != 0 || (flags & EXFLAG_CRITICAL) != 0) {
    findings.Add("openssl.extensions", "RFC 5280 section 4.2",
                 "OpenSSL finds an extension malformed, or critical and unknown");
  }
  if (((flags & EXFLAG_CA) != 0) != IsCa(terms)) {
    findings.Add("openssl.ca", "RFC 5280 section 4.2.1.9",
                 "OpenSSL reads it as a CA's and it is none, or the reverse");
  }
  if (((flags & EXFLAG_SI) != 0) != Is(terms, AuthorityKind::kRoot)) {
    findings.Add("openssl.self-issued", "RFC 5280 section 3.2",
                 "OpenSSL reads it as self-issued and it is not, or the reverse");
  }
  unsigned char* octets = nullptr;
  const int size = i2d_re_X509_tbs(x509.get(), &octets);
  const OpenSslBuffer<unsigned char> owned(octets);
  if (size < 0 ||
      BytesView(reinterpret_cast<const char*>(octets), static_cast<size_t>(size)) != parts.whole) {
    findings.Add("openssl.round-trip", "X.690 section 10",
                 "OpenSSL writes it back in other octets");
  }
  DrainOpenSslErrors();
}

}  // namespace ca::lint
