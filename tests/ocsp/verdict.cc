#include "tests/ocsp/verdict.h"

#include "ca/base/asn1.h"
#include "tests/fakes/must.h"
#include "tests/ocsp/question.h"

namespace ocsp::testing {
namespace {

using OcspResponsePtr = ca::Owned<OCSP_RESPONSE, OCSP_RESPONSE_free>;
using BasicResponsePtr = ca::Owned<OCSP_BASICRESP, OCSP_BASICRESP_free>;

OcspResponsePtr Parse(ca::BytesView der) {
  const unsigned char* at = ca::Octets(der);
  OcspResponsePtr response(d2i_OCSP_RESPONSE(nullptr, &at, static_cast<long>(der.size())));
  if (response && at == ca::Octets(der) + der.size()) return response;
  ca::DrainOpenSslErrors();
  return nullptr;
}

ca::TimePoint TimeOf(const ASN1_GENERALIZEDTIME* time) {
  return ca::testing::Must(ca::TimeOf(time));
}

Single Find(OCSP_BASICRESP* basic, OCSP_CERTID* id) {
  Single single;
  int status = -1;
  int reason = -1;
  ASN1_GENERALIZEDTIME* revoked_at = nullptr;
  ASN1_GENERALIZEDTIME* this_update = nullptr;
  ASN1_GENERALIZEDTIME* next_update = nullptr;
  if (OCSP_resp_find_status(basic, id, &status, &reason, &revoked_at, &this_update, &next_update) !=
      1) {
    return single;
  }
  single.status = OCSP_cert_status_str(status);
  if (reason >= 0) single.reason = reason;
  if (revoked_at) single.revoked_at = TimeOf(revoked_at);
  single.this_update = TimeOf(this_update);
  if (next_update) single.next_update = TimeOf(next_update);
  return single;
}

}  // namespace

Verdict Read(const Answer& answer, ca::BytesView request_der) {
  Verdict verdict;
  const OcspResponsePtr response = Parse(answer.der);
  if (!response) return verdict;
  verdict.response = OCSP_response_status_str(OCSP_response_status(response.get()));
  const BasicResponsePtr basic(OCSP_response_get1_basic(response.get()));
  const OcspRequestPtr request = ParseQuestion(request_der);
  ca::DrainOpenSslErrors();
  if (!basic || !request) return verdict;
  for (int i = 0; i < OCSP_request_onereq_count(request.get()); ++i) {
    verdict.singles.push_back(
        Find(basic.get(), OCSP_onereq_get0_id(OCSP_request_onereq_get0(request.get(), i))));
  }
  verdict.nonce = OCSP_check_nonce(request.get(), basic.get());
  verdict.produced_at = TimeOf(OCSP_resp_get0_produced_at(basic.get()));
  return verdict;
}

std::string Verify(const Answer& answer, const ca::Authority& issuer, const ca::Authority& root,
                   ca::TimePoint now) {
  const OcspResponsePtr response = Parse(answer.der);
  const BasicResponsePtr basic(response ? OCSP_response_get1_basic(response.get()) : nullptr);
  const ca::X509StorePtr store(X509_STORE_new());
  const ca::X509StackPtr untrusted(sk_X509_new_null());
  ca::RequireAsn1(store && untrusted && X509_up_ref(issuer.x509()) &&
                      sk_X509_push(untrusted.get(), issuer.x509()) > 0 &&
                      X509_STORE_add_cert(store.get(), root.x509()) == 1,
                  "X509_STORE_add_cert");
  X509_VERIFY_PARAM_set_time(X509_STORE_get0_param(store.get()), ca::SecondsOf(now));
  if (basic && OCSP_basic_verify(basic.get(), untrusted.get(), store.get(), 0) == 1) return "";
  return "not verified: " + ca::DrainOpenSslErrors();
}

}  // namespace ocsp::testing
