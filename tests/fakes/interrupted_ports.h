#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "ca/issuance/key_store.h"
#include "ca/ports/ledger.h"

namespace ca::testing {

// The instants at which a test may interrupt an issuance.
enum class Step {
  kBeforeRecordIntent,
  kAfterRecordIntent,  // done, and the answer is on its way
  kBeforeSign,
  kAfterSign,
  kBeforeRecordCertificate,
  kAfterRecordCertificate,
};

inline std::string NameOf(Step step) {
  switch (step) {
    case Step::kBeforeRecordIntent:
      return "BeforeRecordIntent";
    case Step::kAfterRecordIntent:
      return "AfterRecordIntent";
    case Step::kBeforeSign:
      return "BeforeSign";
    case Step::kAfterSign:
      return "AfterSign";
    case Step::kBeforeRecordCertificate:
      return "BeforeRecordCertificate";
    case Step::kAfterRecordCertificate:
      return "AfterRecordCertificate";
  }
  return "";
}

inline constexpr Step kAllSteps[] = {
    Step::kBeforeRecordIntent, Step::kAfterRecordIntent,       Step::kBeforeSign,
    Step::kAfterSign,          Step::kBeforeRecordCertificate, Step::kAfterRecordCertificate,
};

// Called at each step; an error replaces the answer of the step.
using Interruption = std::function<Status(Step)>;

// A ledger that is interrupted.
class InterruptedLedger final : public Ledger {
 public:
  InterruptedLedger(Ledger& inner, Interruption interrupt)
      : inner_(inner), interrupt_(std::move(interrupt)) {}

  Result<Recorded<std::variant<RecordedIssuance, Certificate>>> RecordIntent(
      PreparedCertificate prepared, const Grounds& grounds, const RequestId& request,
      const AuditEvent& event) override {
    TRY(interrupt_(Step::kBeforeRecordIntent));
    auto answer = inner_.RecordIntent(std::move(prepared), grounds, request, event);
    TRY(interrupt_(Step::kAfterRecordIntent));
    return answer;
  }
  Result<Certificate> RecordCertificate(Certificate certificate) override {
    TRY(interrupt_(Step::kBeforeRecordCertificate));
    auto standing = inner_.RecordCertificate(std::move(certificate));
    TRY(interrupt_(Step::kAfterRecordCertificate));
    return standing;
  }
  Result<RecordedDecision> RecordEvent(const AuditEvent& event) override {
    return inner_.RecordEvent(event);
  }
  Result<Certificate> FindCertificate(HierarchyId hierarchy, const SerialNumber& serial) override {
    return inner_.FindCertificate(hierarchy, serial);
  }
  Result<std::vector<CertificateEntry>> ListCertificates(const CertificateQuery& query) override {
    return inner_.ListCertificates(query);
  }
  Result<std::vector<RecordedRequest>> ListRequests(const RequestQuery& query) override {
    return inner_.ListRequests(query);
  }

 private:
  Ledger& inner_;
  const Interruption interrupt_;
};

// A key store whose keys are interrupted, and which tells of each signature that they made.
class InterruptedKeyStore final : public KeyStore {
 public:
  using Witness = std::function<void(BytesView tbs, BytesView signature)>;

  InterruptedKeyStore(KeyStore& inner, Interruption interrupt, Witness witness)
      : inner_(inner), interrupt_(std::move(interrupt)), witness_(std::move(witness)) {}

  Result<std::shared_ptr<const SigningKey>> Find(const std::string& label) override {
    return Wrapped(inner_.Find(label));
  }
  Result<std::shared_ptr<const SigningKey>> Generate(const std::string& label) override {
    return Wrapped(inner_.Generate(label));
  }
  Status Destroy(const std::string& label) override { return inner_.Destroy(label); }
  std::vector<TokenContent> Contents() override { return inner_.Contents(); }
  std::string TokenOf(const std::string& label) const override { return inner_.TokenOf(label); }
  Status CheckHealth() override { return inner_.CheckHealth(); }

 private:
  class Key final : public SigningKey {
   public:
    Key(std::shared_ptr<const SigningKey> inner, const InterruptedKeyStore& store)
        : inner_(std::move(inner)), interrupt_(store.interrupt_), witness_(store.witness_) {}

    const Bytes& spki() const override { return inner_->spki(); }

   private:
    // Nobody may call a key's Sign() but SignRecorded(), not even a key that wraps it.
    struct CarelessLedger : Ledger {
      using Ledger::ReadyToSign;
    };

    Result<Bytes> Sign(BytesView message) const override {
      TRY(interrupt_(Step::kBeforeSign));
      SpiffeId nobody = TRY(SpiffeId::Parse("spiffe://test.example/nobody"));
      IssuanceRecord record{.serial = SerialNumber::New(TimePoint()),
                            .subject = std::move(nobody),
                            .tbs = Bytes(message)};
      const Certificate certificate =
          TRY(SignRecorded(*inner_, CarelessLedger::ReadyToSign(std::move(record))));
      witness_(message, certificate.signature);
      TRY(interrupt_(Step::kAfterSign));
      return certificate.signature;
    }

    const std::shared_ptr<const SigningKey> inner_;
    const Interruption interrupt_;
    const Witness witness_;
  };

  Result<std::shared_ptr<const SigningKey>> Wrapped(
      Result<std::shared_ptr<const SigningKey>> key) const {
    if (!key.ok()) return key;
    return std::make_shared<const Key>(*std::move(key), *this);
  }

  KeyStore& inner_;
  const Interruption interrupt_;
  const Witness witness_;
};

}  // namespace ca::testing
