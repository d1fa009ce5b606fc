#pragma once

#include <initializer_list>

#include "ca/authorities/provisioning.h"
#include "ocsp/responder.h"
#include "tests/fixtures/use_case_test.h"
#include "tests/ocsp/question.h"
#include "tests/ocsp/verdict.h"

namespace ocsp::testing {

using ca::testing::Must;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

// An OCSP responder for the root and the issuing authority of acme/prod, in memory.
class ResponderFixture : public ca::testing::StoryTest {
 protected:
  ResponderFixture() { Appoint(); }

  // Ensures that each authority has its OCSP responder, and gives them to `responder_`.
  void Appoint() {
    auto authorities = std::make_shared<AnsweredAuthorities>();
    for (const auto& authority : {root_, issuer_}) {
      authorities->emplace(authority->id(), AnsweredAuthority{authority, ResponderOf(*authority)});
      authorities->at(authority->id()).lifetime = lifetime_;
    }
    authorities->at(root_->id()).issued_authorities = {*issuer_->serial()};
    responder_.SetAuthorities(std::move(authorities));
  }

  std::shared_ptr<const ca::Authority> ResponderOf(const ca::Authority& authority) {
    ca::Provisioning provisioning(ports_.stores(), ports_.keys, ca::testing::Directory(), clock_);
    return Must(provisioning.delegates.EnsureResponder(*deployment_.Reloaded(deployment_.acme),
                                                       authority, "conductor"));
  }

  ca::SerialNumber Issue() { return deployment_.Issue(agent_).record.serial; }

  // Revokes in the ledger. Reconcile() brings the revocation into the index.
  ca::Revocation RevokeInTheLedger(
      const ca::SerialNumber& serial,
      ca::RevocationReason reason = ca::RevocationReason::kSuperseded) {
    const ca::RevocationOrder order{
        .hierarchy = deployment_.acme.id, .target = serial, .reason = reason, .now = clock_.Now()};
    return *Must(ports_.revocations.Revoke(order, ca::testing::EventAt(clock_.Now(), "Revoke")))
                .standing;
  }

  void Reconcile() {
    for (const auto& revocation : Must(ports_.revocations.ReadSince(cursor_, clock_.Now()))) {
      index_.Add(revocation);
    }
  }

  ca::Revocation Revoke(const ca::SerialNumber& serial,
                        ca::RevocationReason reason = ca::RevocationReason::kSuperseded) {
    ca::Revocation revocation = RevokeInTheLedger(serial, reason);
    Reconcile();
    return revocation;
  }

  // Recall() and then Make(), as the HTTP edge does.
  std::shared_ptr<const Answer> Ask(const ca::Bytes& request) {
    auto answer = responder_.Recall(issuer_->id(), request);
    return answer ? answer : responder_.Make(issuer_->id(), request);
  }

  Question About(const ca::SerialNumber& serial, const EVP_MD* hash = EVP_sha1()) {
    return std::move(Question().About(*issuer_, serial, hash));
  }

  // good, revoked or unknown; or the status of the whole response.
  std::string StatusIn(const Answer& answer, const ca::Bytes& request) {
    const Verdict verdict = Read(answer, request);
    return verdict.singles.empty() ? verdict.response : verdict.singles.front().status;
  }
  std::string Status(const ca::Bytes& request) { return StatusIn(*Ask(request), request); }

  std::string Verified(const Answer& answer) {
    return Verify(answer, *issuer_, *root_, clock_.Now());
  }

  std::optional<seconds> lifetime_;  // of answers after the next Appoint()
  const std::shared_ptr<const ca::Authority> issuer_ =
      Must(deployment_.catalog->Find(deployment_.acme.id)->ActiveIssuer());
  const std::shared_ptr<const ca::Authority> root_ =
      Must(deployment_.catalog->FindAuthority(issuer_->issuer()));
  const ca::Agent agent_ = deployment_.Register(deployment_.acme, "billing/invoice-bot");
  ca::RevocationIndex index_;
  ca::RevocationCursor cursor_;
  Responder responder_{index_, ports_.revocations, clock_, {}};
};

}  // namespace ocsp::testing
