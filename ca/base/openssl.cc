#include "ca/base/openssl.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include <cstdio>
#include <cstdlib>
#include <ctime>

namespace ca {

std::string DrainOpenSslErrors() {
  std::string text;
  for (unsigned long code = ERR_get_error(); code != 0; code = ERR_get_error()) {
    char line[256];
    ERR_error_string_n(code, line, sizeof line);
    if (!text.empty()) text += "; ";
    text += line;
  }
  return text.empty() ? "no detail" : text;
}

Status OpenSslError(std::string_view what) {
  return Error(StatusCode::kInternal, "{}: {}", what, DrainOpenSslErrors());
}

void AbortOnOpenSslFailure(std::string_view what) {
  fmt::print(stderr, "agentpki: {} failed where it cannot: {}\n", what, DrainOpenSslErrors());
  std::abort();
}

bool PemReaderIsAtEnd() {
  const unsigned long code = ERR_peek_last_error();
  ERR_clear_error();
  return ERR_GET_LIB(code) == ERR_LIB_PEM && ERR_GET_REASON(code) == PEM_R_NO_START_LINE;
}

Result<TimePoint> TimeOf(const ASN1_TIME* time) {
  tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return OpenSslError("ASN1_TIME_to_tm");
  return TimePoint(std::chrono::seconds(timegm(&parts)));
}

Result<TimePoint> HalfLifeOf(const X509* certificate) {
  const TimePoint not_before = TRY(TimeOf(X509_get0_notBefore(certificate)));
  const TimePoint not_after = TRY(TimeOf(X509_get0_notAfter(certificate)));
  return not_before + (not_after - not_before) / 2;
}

Result<X509Ptr> ParseX509(std::string_view der) {
  const unsigned char* cursor = Octets(der);
  X509Ptr certificate(d2i_X509(nullptr, &cursor, static_cast<long>(der.size())));
  if (!certificate) {
    DrainOpenSslErrors();
    return Error(StatusCode::kInvalidArgument, "not a DER-encoded X.509 certificate");
  }
  if (cursor != Octets(der) + der.size()) {
    return Error(StatusCode::kInvalidArgument, "octets after the certificate");
  }
  return certificate;
}

}  // namespace ca
