// The compiler checks record, then sign, then release. does_not_compile.py compiles this file
// without FORBIDDEN, which must succeed, and with FORBIDDEN, where each marked line must be an
// error for the reason given, and no other line may be one.

#include <memory>
#include <utility>

#include "ca/ceremony/transcript.h"
#include "ca/issuance/authority.h"
#include "ca/issuance/authority_request.h"
#include "ca/ports/authority_store.h"
#include "ca/ports/ledger.h"

namespace {

using ca::Authority;
using ca::Certificate;
using ca::IssuanceRecord;
using ca::Ledger;
using ca::PreparedCertificate;
using ca::RecordedIssuance;
using ca::Result;
using ca::SigningKey;

// The only way to a certificate.
[[maybe_unused]] Result<Certificate> Issue(const Authority& authority, Ledger& ledger,
                                           PreparedCertificate prepared,
                                           const ca::RequestId& request,
                                           const ca::AuditEvent& event) {
  auto recorded =
      TRY(ledger.RecordIntent(std::move(prepared), ca::SystemGrounds{}, request, event));
  auto intent = recorded.TakeValue();
  if (auto* answered = std::get_if<Certificate>(&intent)) return std::move(*answered);
  auto certificate = TRY(authority.Sign(std::get<RecordedIssuance>(std::move(intent))));
  return ledger.RecordCertificate(std::move(certificate));
}

#ifdef FORBIDDEN
// clang-format off

// ---- signing what is not recorded ----

void A1(const Authority& authority, PreparedCertificate prepared) {
  (void)authority.Sign(std::move(prepared));  // error: no matching function for call
}
void A2(const SigningKey& key, PreparedCertificate prepared) {
  (void)ca::SignRecorded(key, std::move(prepared));  // error: could not convert
}
void A3(const SigningKey& key, const PreparedCertificate& prepared) {
  (void)key.Sign(prepared.record().tbs);  // error: is private within this context
}
class ForwardingKey : public SigningKey {
  const ca::Bytes& spki() const override { return inner_->spki(); }
  Result<ca::Bytes> Sign(ca::BytesView message) const override {
    return inner_->Sign(message);  // error: is private within this context
  }
  std::shared_ptr<const SigningKey> inner_;
};

void A4(const Authority& authority, const PreparedCertificate& prepared) {
  (void)authority.Sign(prepared.record().tbs);  // error: no matching function for call
}
void A5(const SigningKey& key, const PreparedCertificate& prepared) {
  (void)ca::SignCertList(key, prepared.record().tbs);  // error: invalid initialization
}
void A6(const SigningKey& key, const PreparedCertificate& prepared) {
  ca::ResponseData data(prepared.record().tbs);  // error: is private within this context
  (void)ca::SignResponseData(key, data);
}

void A7(const SigningKey& key, const PreparedCertificate& prepared) {
  ca::AuthorityRequestInfo info(prepared.record().tbs);  // error: is private within this context
  (void)ca::SignAuthorityRequest(key, info);
}

// ---- saying that it is recorded ----

void B1(const PreparedCertificate& prepared) {
  RecordedIssuance(IssuanceRecord(prepared.record()));  // error: is private within this context
}
void B2(PreparedCertificate prepared) {
  (void)Ledger::ReadyToSign(std::move(prepared));  // error: is protected within this context
}
void B3(IssuanceRecord record) {
  (void)ca::AuthorityStore::ReadyToSign(std::move(record));  // error: is protected within this context
}
class CarelessTranscript : public ca::Transcript {
  RecordedIssuance Recorded(IssuanceRecord record) {
    return RecordedIssuance(std::move(record));  // error: is private within this context
  }
};
RecordedIssuance B4;  // error: no matching function for call

// ---- making up what is to be signed, or changing it ----

void C1(IssuanceRecord record) {
  PreparedCertificate{std::move(record)};  // error: no matching function for call
}
void C1b(ca::LintedIssuance linted) {
  PreparedCertificate{std::move(linted)};  // error: is private within this context
}
void C1c(IssuanceRecord record) {
  ca::LintedIssuance{std::move(record)};  // error: is private within this context
}
void C2(PreparedCertificate prepared) {
  prepared.record_.tbs = "something else";  // error: is private within this context
}
void C3(RecordedIssuance recorded) {
  recorded.record_.tbs = "something else";  // error: is private within this context
}
void C4(PreparedCertificate prepared) {
  prepared.record().tbs.clear();  // error: discards qualifiers
}
const Authority C5;  // error: is private within this context

// ---- doing twice what is done once ----

void D1(const Authority& authority, RecordedIssuance recorded) {
  (void)authority.Sign(recorded);  // error: use of deleted function
}
void D2(const RecordedIssuance& recorded) {
  const RecordedIssuance copy = recorded;  // error: use of deleted function
}
void D3(RecordedIssuance& one, const RecordedIssuance& other) {
  one = other;  // error: use of deleted function
}
void D4(const PreparedCertificate& prepared) {
  const PreparedCertificate copy = prepared;  // error: use of deleted function
}

// clang-format on
#endif

}  // namespace
