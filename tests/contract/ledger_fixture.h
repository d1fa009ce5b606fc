#pragma once

#include <string>
#include <variant>

#include "tests/contract/contract_test.h"

namespace contract {

// Two agents of acme/prod, one of globex/prod, and the steps of their issuances.
class LedgerContract : public DeployedContractTest {
 protected:
  using Answer = ca::Result<std::variant<ca::RecordedIssuance, ca::Certificate>>;

  LedgerContract()
      : bot_(deployment_.Register(deployment_.acme, "billing/invoice-bot")),
        other_(deployment_.Register(deployment_.acme, "support/triage-bot")),
        stranger_(deployment_.Register(deployment_.globex, "billing/invoice-bot")) {}

  ca::RequestId NewRequest() const { return ca::RequestId::New(clock_.Now()); }

  static ca::JoinTokenGrounds By(const ca::JoinToken& token) {
    return {ca::Sha256(token.secret.Reveal())};
  }

  ca::PublicKey NewKey() const { return ca::testing::PublicHalf(ca::testing::NewSubjectKey()); }

  Answer Record(const ca::Agent& agent, const ca::PublicKey& key, const ca::Grounds& grounds,
                const ca::RequestId& request) {
    return Record(deployment_.Prepare(agent, key), grounds, request);
  }
  Answer Record(const ca::Agent& agent, const ca::PublicKey& key, const ca::Grounds& grounds) {
    return Record(agent, key, grounds, NewRequest());
  }
  Answer Record(ca::PreparedCertificate prepared, const ca::Grounds& grounds,
                const ca::RequestId& request) {
    return ca::testing::ValueOf(ledger().RecordIntent(std::move(prepared), grounds, request,
                                                      EventIn(deployment_.acme, "Enroll")));
  }

  ca::RecordedIssuance Recorded(Answer answer) {
    return std::get<ca::RecordedIssuance>(ca::testing::Must(std::move(answer)));
  }
  ca::Certificate SignAndRecord(ca::RecordedIssuance recorded) {
    return ca::testing::Must(ledger().RecordCertificate(deployment_.Sign(std::move(recorded))));
  }

  ca::JoinTokenRecord TokenRecord(const ca::JoinToken& token) {
    return ca::testing::Must(registry().FindInvitation(By(token).secret_hash)).token;
  }

  ca::CertificateQuery QueryOf(const ca::Hierarchy& hierarchy) const {
    return {.hierarchy = hierarchy.id, .now = clock_.Now()};
  }
  std::vector<ca::CertificateEntry> List(const ca::CertificateQuery& query) {
    return ca::testing::Must(ledger().ListCertificates(query));
  }

  // A refusal leaves nothing; its event is the caller's to record.
  void ExpectRefused(const Answer& answer, ca::StatusCode code, std::string_view rule) {
    EXPECT_TRUE(ca::testing::IsRefusal(answer.status(), code, rule));
  }

  const ca::Agent bot_;
  const ca::Agent other_;
  const ca::Agent stranger_;
};

}  // namespace contract
