#pragma once

#include <gtest/gtest.h>

#include "ca/ceremony/audit.h"
#include "ca/ceremony/ceremony.h"
#include "tests/fakes/fake_clock.h"
#include "tests/fakes/interrupted_ports.h"
#include "tests/fakes/memory_ceremony.h"
#include "tests/fakes/memory_key_store.h"
#include "tests/fakes/must.h"
#include "tests/fakes/refusal.h"
#include "tests/fakes/samples.h"
#include "tests/fakes/stepped_ports.h"
#include "tools/agentpki-ceremony/crl_encoding.h"

// A ceremony over the fakes: its script, its inputs and its outputs.
namespace ca::testing {

using Strings = std::vector<std::string>;

inline IssuingOrder Issuing(int generation) {
  return {.generation = generation,
          .csr = fmt::format("issuing-{}.csr", generation),
          .certificate = fmt::format("issuing-{}.pem", generation),
          .status = {.ca_issuers = "http://pki.acme.example/root.cer",
                     .crl = "http://pki.acme.example/root.crl"}};
}

inline CeremonyScript AcmeRoot() {
  return {
      .file = "acme.yaml",
      .digest = Sha256("as it was reviewed first"),
      .name = "acme-prod-root-2026",
      .hierarchy = AcmeProd(),
      .token_label = "acme-root",
      .root = {.key_label = "acme-prod-root-1", .certificate = "root.pem"},
      .issuing = {Issuing(1)},
      .crls = {{.file = "root-1.crl"}},
      .transcript = "transcript",
      .witnesses = {"Ada", "Grace"},
  };
}

inline std::string CsrPem(const SubjectKey& key) {
  return Pem("CERTIFICATE REQUEST", key.Csr(std::nullopt));
}

class CeremonyTest : public ::testing::Test {
 protected:
  CeremonyTest() { files_.all["issuing-1.csr"] = CsrPem(issuing_key_); }

  Status Run() {
    Ceremony ceremony(script_, {transcript_, files_, crls_,
                                [&]() -> Result<std::shared_ptr<KeyStore>> {
                                  ++opened_;
                                  return std::shared_ptr<KeyStore>(&keys_, [](KeyStore*) {});
                                },
                                attendants_, clock_});
    return ceremony.Run();
  }

  CeremonyRecord Record() { return {script_, transcript_, crls_}; }
  Strings Differences() { return DifferencesOf(Record(), files_); }
  Strings States() {
    Strings states;
    const CeremonyRecord record = Record();
    for (const CeremonyStep& step : Must(CeremonyPlan(record, files_).All())) {
      states.push_back(fmt::format("{} {}", step.name, NameOf(step.state)));
    }
    return states;
  }
  // As a script file says it.
  TimePoint Now() const { return std::chrono::floor<std::chrono::seconds>(clock_.Now()); }
  void Revise() { script_.digest = Sha256(script_.digest); }

  // Adds an issuing authority, and a CRL that revokes the first one.
  void Append() {
    script_.issuing.push_back(Issuing(2));
    files_.all["issuing-2.csr"] = CsrPem(NewSubjectKey());
    script_.crls.push_back(
        {.file = "root-2.crl",
         .revocations = {{"issuing-1.pem", RevocationReason::kSuperseded, Now()}}});
    Revise();
  }

  // Stops at the first step of that name before it is signed, as a crash does.
  void InterruptBeforeSigning(const std::string& step) {
    keys_.Fail(MemoryKeyStore::Fault::kWrongSignature);
    EXPECT_FALSE(Run().ok());
    keys_.Fail(MemoryKeyStore::Fault::kNone);
    ASSERT_TRUE(transcript_.Find(step, kRecorded));
    ASSERT_FALSE(transcript_.Find(step, kSigned));
  }

  // Replaces the recorded certificate of issuing/1 by one for another key, before it is signed.
  void RecordByAnotherHand(const PublicKey& key) {
    InterruptBeforeSigning("issuing/1");
    PutInTheLastEntry(script_.issuing[0], key);
  }
  void PutInTheLastEntry(const IssuingOrder& order, const PublicKey& key) {
    const auto root = Must(Record().Root(Must(keys_.Find("acme-prod-root-1"))));
    const auto prepared = Must(root->PrepareIssuing(
        Record().HierarchyFor(order), Record().RecordOf(order), key, order.status, clock_.Now()));
    transcript_.all.back().der = prepared.record().tbs;
  }
  // Also changes what the entry says about the key.
  void ConfirmByAnotherHand(const PublicKey& key) {
    for (std::string& fact : transcript_.all.back().facts) {
      if (fact.find(".key_sha256: ") != fact.npos) {
        fact = KeyFact(script_.issuing[0], key.fingerprint());
      }
    }
  }
  // Signs the root alone, so that the next interruption is in another step.
  void MakeRoot() {
    const std::string csr = files_.all.extract("issuing-1.csr").mapped();
    Must(Run());
    files_.all["issuing-1.csr"] = csr;
  }

  FakeClock clock_;
  CeremonyScript script_ = AcmeRoot();
  MemoryTranscript transcript_;
  MemoryCarriedFiles files_;
  MemoryKeyStore keys_;
  MemoryAttendants attendants_;
  const ceremony::CrlEncoding crls_;
  const SubjectKey issuing_key_ = NewSubjectKey();
  int opened_ = 0;
};

}  // namespace ca::testing
