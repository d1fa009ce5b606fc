#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ca/base/bytes.h"
#include "ca/base/clock.h"
#include "ca/base/openssl.h"

// Certificates that another CA signed, read and verified as relying parties do.
namespace ca {

// The largest DER certificate that is read or issued, signature included, in octets. An agent with
// the most host names and the longest path needs a third of it.
inline constexpr size_t kCertificateSizeMax = 32 * 1024;

struct CertificateChain {
  X509StackPtr certificates;  // from the certificate that was verified to a root

  int size() const { return sk_X509_num(certificates.get()); }
  X509* at(int index) const { return sk_X509_value(certificates.get(), index); }
  X509* leaf() const { return at(0); }
  X509* root() const { return at(size() - 1); }
};

// kInvalidArgument, with the rule `import.size` when it has more than kCertificateSizeMax octets,
// or `import.malformed` when it is not one certificate in DER.
Result<X509Ptr> ParseExternalCertificate(BytesView der);

// The chain from `certificate` over `others` to one of `roots`, by RFC 5280 section 6.1, with keys
// and signatures of OpenSSL's security level 2 (112 bits: no SHA-1, no RSA under 2048 bits).
// Validity is judged at `now`; without it, validity is not judged. kInvalidArgument with OpenSSL's
// reason.
Result<CertificateChain> VerifyChain(X509* certificate, STACK_OF(X509) * others,
                                     const std::vector<X509Ptr>& roots,
                                     std::optional<TimePoint> now);

// For people: "O = acme, CN = root".
std::string SubjectOf(const X509* certificate);

Bytes SpkiOf(const X509* certificate);
Bytes DerOfCertificate(const X509* certificate);

}  // namespace ca
