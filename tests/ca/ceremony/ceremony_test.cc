// The offline root: what a run does, what it refuses, and that it may be interrupted anywhere.

#include "ca/ceremony/ceremony.h"

#include <limits>
#include <set>

#include "tests/ca/ceremony/ceremony_fixture.h"

namespace ca {
namespace {

using testing::AcmeRoot;
using testing::CeremonyTest;
using testing::CsrPem;
using testing::FakeClock;
using testing::Issuing;
using testing::MemoryCarriedFiles;
using testing::MemoryKeyStore;
using testing::MemoryTranscript;
using testing::Must;
using testing::Says;
using testing::Strings;

// ---- what a run does ----------------------------------------------------------------------------

TEST_F(CeremonyTest, MakesARootAnIssuingAuthorityAndACrl) {
  Must(Run());
  const CeremonyRecord record = Record();
  const auto root = Must(record.Root(nullptr));
  const auto issuing = Must(ParseX509(Must(record.ProductOf(script_.issuing[0])).der));
  EXPECT_EQ(X509_verify(root->x509(), X509_get0_pubkey(root->x509())), 1);
  EXPECT_EQ(X509_verify(issuing.get(), X509_get0_pubkey(root->x509())), 1);
  EXPECT_EQ(Sha256(DerOf<X509_PUBKEY, i2d_X509_PUBKEY>(X509_get_X509_PUBKEY(issuing.get()))),
            Sha256(issuing_key_.Spki()));
  const crl::ReadCrl crl = Must(crl::Read(Must(record.ProductOfCrl(1)).der, *root));
  EXPECT_EQ(crl.number, 1);
  EXPECT_TRUE(crl.revoked.empty());
  EXPECT_EQ(files_.all.at("root.pem"), Pem("CERTIFICATE", root->certificate()));
  EXPECT_EQ(Differences(), Strings());
}

TEST_F(CeremonyTest, SaysInTheTranscriptWhatWasDoneAndWhoWasThere) {
  Must(Run());
  Strings said;
  for (const TranscriptEntry& entry : transcript_.all) {
    said.push_back(entry.step + " " + entry.event);
    EXPECT_EQ(entry.witnesses, script_.witnesses);
  }
  EXPECT_EQ(said,
            (Strings{"file accepted", "key begun", "key made", "root recorded", "root signed",
                     "issuing/1 recorded", "issuing/1 signed", "crl/1 recorded", "crl/1 signed"}));
  EXPECT_EQ(transcript_.Find("root", kSigned)->outputs,
            (Strings{Hex(Sha256(files_.all.at("root.pem"))) + "  root.pem"}));
}

TEST_F(CeremonyTest, DoesNothingASecondTimeAndLeavesTheTokenAlone) {
  Must(Run());
  const auto entries = transcript_.all;
  const auto files = files_.all;
  attendants_.asked.clear();
  opened_ = 0;
  clock_.Advance(std::chrono::hours(24));
  Must(Run());
  EXPECT_EQ(transcript_.all, entries);
  EXPECT_EQ(files_.all, files);
  EXPECT_EQ(attendants_.asked, Strings());
  EXPECT_EQ(opened_, 0);
}

TEST_F(CeremonyTest, DoesWhatItCanWhileACsrIsMissingAndTheRestWhenItCame) {
  const std::string csr = files_.all.at("issuing-1.csr");
  files_.all.erase("issuing-1.csr");
  Must(Run());
  EXPECT_EQ(States(), (Strings{"key done", "root done", "issuing/1 waiting", "crl/1 done"}));
  files_.all["issuing-1.csr"] = csr;
  Must(Run());
  EXPECT_EQ(States(), (Strings{"key done", "root done", "issuing/1 done", "crl/1 done"}));
  EXPECT_EQ(Differences(), Strings());
}

TEST_F(CeremonyTest, TakesWhatIsAppendedYearsLater) {
  Must(Run());
  clock_.Advance(std::chrono::hours(24 * 700));
  Append();
  script_.witnesses = {"Edsger"};
  Must(Run());
  const CeremonyRecord record = Record();
  const auto root = Must(record.Root(nullptr));
  const crl::ReadCrl crl = Must(crl::Read(Must(record.ProductOfCrl(2)).der, *root));
  ASSERT_EQ(crl.revoked.size(), 1u);
  EXPECT_EQ(crl.revoked[0].second, RevocationReason::kSuperseded);
  EXPECT_EQ(transcript_.all.back().witnesses, Strings{"Edsger"});
  EXPECT_EQ(Differences(), Strings());
}

TEST_F(CeremonyTest, RevokesInEveryLaterCrlWhatOneHasRevoked) {
  Must(Run());
  Append();
  script_.crls.push_back({.file = "root-3.crl"});
  Must(Run());
  const CeremonyRecord record = Record();
  const auto root = Must(record.Root(nullptr));
  EXPECT_EQ(Must(crl::Read(Must(record.ProductOfCrl(3)).der, *root)).revoked.size(), 1u);
}

TEST_F(CeremonyTest, WritesAFileAgainThatIsGone) {
  Must(Run());
  const auto files = files_.all;
  files_.all.erase("root.pem");
  EXPECT_EQ(States()[1], "root unwritten");
  Must(Run());
  EXPECT_EQ(files_.all, files);
}

// ---- interruptions ------------------------------------------------------------------------------

// After any interruption, each step signs one thing, and there is one key.
TEST_F(CeremonyTest, EndsInTheSameStateAfterAnInterruptionAtEveryStep) {
  for (int interrupted_at = 0;; ++interrupted_at) {
    SCOPED_TRACE(interrupted_at);
    int steps_left = interrupted_at;
    const auto at_step = [&] {
      return steps_left-- == 0 ? Error(StatusCode::kUnavailable, "interrupted") : Ok();
    };
    MemoryTranscript transcript(at_step);
    MemoryCarriedFiles files(at_step);
    MemoryKeyStore keys;
    std::set<Bytes> signed_octets;
    testing::InterruptedKeyStore signing(
        keys, [&](testing::Step) { return at_step(); },
        [&](BytesView tbs, BytesView) { signed_octets.emplace(tbs); });
    testing::SteppedKeyStore stepped(signing, at_step);
    files.all["issuing-1.csr"] = CsrPem(issuing_key_);
    FakeClock clock;
    const auto run = [&] {
      Ceremony ceremony(script_, {transcript, files, crls_,
                                  [&]() -> Result<std::shared_ptr<KeyStore>> {
                                    return std::shared_ptr<KeyStore>(&stepped, [](KeyStore*) {});
                                  },
                                  attendants_, clock});
      return ceremony.Run();
    };
    const bool is_whole = run().ok();
    steps_left = std::numeric_limits<int>::max();
    clock.Advance(std::chrono::seconds(10));
    Must(run());
    EXPECT_EQ(DifferencesOf(CeremonyRecord(script_, transcript, crls_), files), Strings());
    EXPECT_EQ(signed_octets.size(), 3u) << "a step signed two things";
    EXPECT_EQ(Must(keys.Labels()).size(), 1u);
    EXPECT_EQ(transcript.all.size(), 9u) << "a step is recorded twice";
    if (is_whole) break;
    ASSERT_LT(interrupted_at, 100);
  }
}

TEST_F(CeremonyTest, SaysWhatIsRecordedAndNotSigned) {
  InterruptBeforeSigning("root");
  const CeremonyRecord record = Record();
  const CeremonyStep root = Must(CeremonyPlan(record, files_).ForRoot());
  EXPECT_EQ(root.state, CeremonyStep::State::kDue);
  EXPECT_NE(root.note.find("the same octets are signed"), std::string::npos);
}

TEST_F(CeremonyTest, ReleasesNothingWhoseSignatureDoesNotVerify) {
  keys_.Fail(MemoryKeyStore::Fault::kWrongSignature);
  EXPECT_EQ(Run().code(), StatusCode::kInternal);
  EXPECT_FALSE(files_.all.contains("root.pem"));
}

// An attacker changes the transcript between two runs, and computes its chain of digests anew.
TEST_F(CeremonyTest, DoesNotSignWhatWasRecordedByAnotherHand) {
  CeremonyScript longer = script_;
  longer.hierarchy.root_lifetime += std::chrono::hours(24 * 365);
  InterruptBeforeSigning("root");
  const auto key = Must(keys_.Find("acme-prod-root-1"));
  const auto prepared =
      Must(Authority::PrepareRoot(longer.hierarchy, Record().RootRecord(), *key, clock_.Now()));
  for (TranscriptEntry& entry : transcript_.all) {
    if (entry.step == "root") entry.der = prepared.record().tbs;
  }
  EXPECT_TRUE(testing::IsRefusal(Run(), StatusCode::kInternal, "lint.validity.too-long"));
  EXPECT_FALSE(transcript_.Find("root", kSigned));
}

TEST_F(CeremonyTest, SignsForNoKeyThatWasPutInThePlaceOfTheOneThatTheFilePins) {
  script_.issuing[0].key_fingerprint = Sha256(issuing_key_.Spki());
  MakeRoot();
  const PublicKey another = Must(PublicKey::FromSpki(testing::NewSubjectKey().Spki()));
  RecordByAnotherHand(another);
  EXPECT_TRUE(Says(Run(), StatusCode::kFailedPrecondition, "transcript: what issuing/1 recorded"));
  ConfirmByAnotherHand(another);
  EXPECT_TRUE(Says(Run(), StatusCode::kFailedPrecondition, "issuing.1.key_sha256: it was"));
  EXPECT_FALSE(transcript_.Find("issuing/1", kSigned));
}

TEST_F(CeremonyTest, AsksAgainForAKeyThatWasRecordedAndIsNotPinned) {
  MakeRoot();
  const PublicKey another = Must(PublicKey::FromSpki(testing::NewSubjectKey().Spki()));
  RecordByAnotherHand(another);
  EXPECT_TRUE(Says(Run(), StatusCode::kFailedPrecondition, "transcript: what issuing/1 recorded"));
  ConfirmByAnotherHand(another);
  attendants_.refuses_keys = true;
  EXPECT_EQ(Run().code(), StatusCode::kCancelled);
  EXPECT_EQ(attendants_.asked.back(), "issuing/1 key " + Hex(another.fingerprint()));
  EXPECT_FALSE(transcript_.Find("issuing/1", kSigned));
}

TEST_F(CeremonyTest, SignsForTheRootsOwnKeyNeitherWhenAnotherHandRecordedIt) {
  MakeRoot();
  const PublicKey own = Must(PublicKey::FromSpki(Must(keys_.Find("acme-prod-root-1"))->spki()));
  RecordByAnotherHand(own);
  ConfirmByAnotherHand(own);
  EXPECT_TRUE(Says(Run(), StatusCode::kInvalidArgument, "its key is the root's own"));
  EXPECT_FALSE(transcript_.Find("issuing/1", kSigned));
}

TEST_F(CeremonyTest, SignsForNoOtherStepsKeyThatWasRecordedByAnotherHand) {
  Must(Run());
  Append();
  script_.crls.pop_back();
  std::swap(script_.issuing[0], script_.issuing[1]);
  InterruptBeforeSigning("issuing/2");
  const PublicKey first = Must(PublicKey::FromSpki(issuing_key_.Spki()));
  PutInTheLastEntry(script_.issuing[0], first);
  ConfirmByAnotherHand(first);
  EXPECT_TRUE(Says(Run(), StatusCode::kInvalidArgument, "its key is that of issuing/1 already"));
}

TEST_F(CeremonyTest, DoesNotSignACrlThatWasRecordedByAnotherHand) {
  script_.issuing.clear();
  Must(Run());
  script_.crls.push_back({.file = "root-2.crl"});
  InterruptBeforeSigning("crl/2");
  transcript_.all.back().der = transcript_.Find("crl/1", kRecorded)->der;
  EXPECT_TRUE(Says(Run(), StatusCode::kFailedPrecondition, "crl/2 recorded is not what the file"));
}

// ---- refusals -----------------------------------------------------------------------------------

TEST_F(CeremonyTest, RefusesAChangeOfWhatIsDoneAndNamesTheField) {
  Append();
  Must(Run());
  const std::pair<const char*, std::function<void(CeremonyScript&)>> changes[] = {
      {"name", [](CeremonyScript& s) { s.name = "another"; }},
      {"hierarchy.tenant", [](CeremonyScript& s) { s.hierarchy.tenant = "globex"; }},
      {"hierarchy.environment", [](CeremonyScript& s) { s.hierarchy.environment = "dev"; }},
      {"hierarchy.trust_domain",
       [](CeremonyScript& s) {
         s.hierarchy.trust_domain = Must(TrustDomain::Parse("dev.acme.example"));
       }},
      {"hierarchy.dns_subtrees", [](CeremonyScript& s) { s.hierarchy.dns_subtrees.clear(); }},
      {"hierarchy.ip_ranges", [](CeremonyScript& s) { s.hierarchy.ip_ranges.clear(); }},
      {"token.token_label", [](CeremonyScript& s) { s.token_label = "another"; }},
      {"root.key_label", [](CeremonyScript& s) { s.root.key_label = "another"; }},
      {"root.generation", [](CeremonyScript& s) { s.root.generation = 2; }},
      {"root.lifetime",
       [](CeremonyScript& s) { s.hierarchy.root_lifetime += std::chrono::hours(24); }},
      {"root.certificate", [](CeremonyScript& s) { s.root.certificate = "another.pem"; }},
      {"issuing.1.csr", [](CeremonyScript& s) { s.issuing[0].csr = "another.csr"; }},
      {"issuing.1.lifetime", [](CeremonyScript& s) { s.issuing[0].lifetime /= 2; }},
      {"issuing.1.key_sha256", [](CeremonyScript& s) { s.issuing[0].key_fingerprint = "x"; }},
      {"issuing.1.ocsp", [](CeremonyScript& s) { s.issuing[0].status.ocsp = "http://x.example"; }},
      {"issuing.1.crl", [](CeremonyScript& s) { s.issuing[0].status.crl = ""; }},
      {"issuing.1.ca_issuers", [](CeremonyScript& s) { s.issuing[0].status.ca_issuers = ""; }},
      {"crls.1.file", [](CeremonyScript& s) { s.crls[0].file = "another.crl"; }},
      {"crls.1.lifetime", [](CeremonyScript& s) { s.crls[0].lifetime /= 2; }},
      {"crls.2.revocations", [](CeremonyScript& s) { s.crls[1].revocations.clear(); }},
  };
  for (const auto& [field, change] : changes) {
    script_ = AcmeRoot();
    script_.issuing.push_back(Issuing(2));
    script_.crls.push_back(
        {.file = "root-2.crl",
         .revocations = {{"issuing-1.pem", RevocationReason::kSuperseded, Now()}}});
    Must(Run());
    change(script_);
    EXPECT_TRUE(Says(Run(), StatusCode::kFailedPrecondition, fmt::format("acme.yaml: {}: ", field)))
        << field;
  }
}

TEST_F(CeremonyTest, RefusesAFactWithoutAValue) {
  Must(Run());
  const auto kept = transcript_.all;
  for (TranscriptEntry& entry : transcript_.all) {
    for (std::string& fact : entry.facts) {
      const std::string whole = fact;
      for (const std::string& malformed : {whole.substr(0, whole.find(": ")), std::string()}) {
        if (entry.event != kBegun && entry.event != kRecorded) continue;
        fact = malformed;
        EXPECT_FALSE(Run().ok() && Differences() == Strings()) << whole;
      }
      fact = whole;
    }
  }
  EXPECT_EQ(transcript_.all, kept);
}

TEST_F(CeremonyTest, RefusesAScriptFromWhichWhatIsDoneIsGone) {
  Must(Run());
  script_.issuing.clear();
  EXPECT_TRUE(Says(Run(), StatusCode::kFailedPrecondition, "the transcript has issuing/1"));
}

TEST_F(CeremonyTest, RefusesAKeyOfWhichTheTranscriptDoesNotKnow) {
  Must(keys_.Generate("acme-prod-root-1"));
  EXPECT_TRUE(Says(Run(), StatusCode::kFailedPrecondition, "root.key_label: the token has a key"));
}

TEST_F(CeremonyTest, RefusesAnotherTokensKeyOfTheSameLabel) {
  Must(Run());
  Must(keys_.Destroy("acme-prod-root-1"));
  Must(keys_.Generate("acme-prod-root-1"));
  Append();
  EXPECT_TRUE(Says(Run(), StatusCode::kFailedPrecondition, "is it another token?"));
}

// With yesterday's transcript, one step would get a second certificate.
TEST_F(CeremonyTest, SignsNothingWhenItsFileIsThereAlready) {
  files_.all["root.pem"] = "of yesterday";
  EXPECT_TRUE(Says(Run(), StatusCode::kFailedPrecondition, "is the transcript an old copy?"));
  EXPECT_FALSE(transcript_.Find("root", kRecorded));
}

TEST_F(CeremonyTest, OverwritesNoFileThatDiffers) {
  Must(Run());
  files_.all["root.pem"] = "something else";
  EXPECT_EQ(Run().code(), StatusCode::kAlreadyExists);
  EXPECT_EQ(files_.all["root.pem"], "something else");
}

TEST_F(CeremonyTest, RefusesAClockThatIsBehindTheTranscript) {
  Must(Run());
  clock_.Advance(-std::chrono::hours(1));
  EXPECT_TRUE(Says(Run(), StatusCode::kFailedPrecondition, "set the clock"));
}

// The transcript stays acceptable, and the next run continues the step.
TEST_F(CeremonyTest, WritesNothingByAClockThatIsSetBackDuringTheRun) {
  class Confused final : public Attendants {
   public:
    Confused(FakeClock& clock, std::string at) : clock_(clock), at_(std::move(at)) {}
    Status Confirm(const CeremonyStep& step) override {
      if (step.name == at_) clock_.Advance(-std::chrono::hours(1));
      return Ok();
    }
    Status ConfirmKey(const CeremonyStep&, BytesView) override { return Ok(); }

   private:
    FakeClock& clock_;
    const std::string at_;
  };
  for (const char* const step : {"key", "root", "issuing/1", "crl/1"}) {
    Confused confused(clock_, step);
    Ceremony ceremony(script_, {transcript_, files_, crls_,
                                [&] {
                                  return Result<std::shared_ptr<KeyStore>>(
                                      std::shared_ptr<KeyStore>(&keys_, [](KeyStore*) {}));
                                },
                                confused, clock_});
    EXPECT_TRUE(Says(ceremony.Run(), StatusCode::kFailedPrecondition, "set the clock")) << step;
    EXPECT_EQ(transcript_.CheckOrder(), Ok());
    clock_.Advance(std::chrono::hours(1));
  }
  Must(Run());
  EXPECT_EQ(Differences(), Strings());
}

TEST_F(CeremonyTest, StopsWhereItIsNotConfirmedAndGoesOnFromThere) {
  attendants_.refused_step = "root";
  EXPECT_EQ(Run().code(), StatusCode::kCancelled);
  EXPECT_EQ(States()[0], "key done");
  EXPECT_FALSE(transcript_.Find("root", kRecorded));
  attendants_.refused_step = "";
  Must(Run());
  EXPECT_EQ(Differences(), Strings());
}

TEST_F(CeremonyTest, AsksForEachStepAndForTheKeyThatTheFileDoesNotPin) {
  Must(Run());
  EXPECT_EQ(attendants_.asked,
            (Strings{"file", "key", "root", "issuing/1",
                     "issuing/1 key " + Hex(Sha256(issuing_key_.Spki())), "crl/1"}));
}

TEST_F(CeremonyTest, SignsForNoKeyThatIsNotConfirmed) {
  attendants_.refuses_keys = true;
  EXPECT_EQ(Run().code(), StatusCode::kCancelled);
  EXPECT_FALSE(transcript_.Find("issuing/1", kRecorded));
}

TEST_F(CeremonyTest, DoesNotAskForAKeyThatTheFilePins) {
  script_.issuing[0].key_fingerprint = Sha256(issuing_key_.Spki());
  attendants_.refuses_keys = true;
  Must(Run());
  EXPECT_EQ(Differences(), Strings());
}

TEST_F(CeremonyTest, RefusesACsrForAnotherKeyThanTheFilePins) {
  script_.issuing[0].key_fingerprint = Sha256("another");
  EXPECT_TRUE(Says(Run(), StatusCode::kInvalidArgument, "issuing-1.csr: its key's SHA-256 is"));
}

TEST_F(CeremonyTest, RefusesACsrWhoseKeyIsNoP256) {
  files_.all["issuing-1.csr"] = CsrPem(Must(SubjectKey::Generate(KeyType::kP384)));
  EXPECT_TRUE(Says(Run(), StatusCode::kInvalidArgument, "issuing-1.csr: its key is p384"));
}

TEST_F(CeremonyTest, RefusesACsrThatDoesNotProvePossessionOfItsKey) {
  Bytes der = issuing_key_.Csr(std::nullopt);
  der.back() = static_cast<char>(der.back() ^ 1);
  files_.all["issuing-1.csr"] = Pem("CERTIFICATE REQUEST", der);
  EXPECT_TRUE(Says(Run(), StatusCode::kInvalidArgument, "issuing-1.csr: "));
}

TEST_F(CeremonyTest, RefusesTheCsrOfAnotherAuthority) {
  const auto with_name = [&](const char* name) {
    X509ReqPtr request(X509_REQ_new());
    const EvpPkeyPtr key(EVP_EC_gen("P-256"));
    for (const auto& [type, value] : {std::pair("O", "acme"), {"OU", "prod"}, {"CN", name}}) {
      X509_NAME_add_entry_by_txt(X509_REQ_get_subject_name(request.get()), type, MBSTRING_UTF8,
                                 Octets(value), -1, -1, 0);
    }
    X509_REQ_set_pubkey(request.get(), key.get());
    X509_REQ_sign(request.get(), key.get(), EVP_sha256());
    return DerOf<X509_REQ, i2d_X509_REQ>(request.get());
  };
  files_.all["issuing-1.csr"] = with_name("issuing authority 2");
  EXPECT_TRUE(Says(Run(), StatusCode::kInvalidArgument, "is it the CSR of another authority?"));
  files_.all["issuing-1.csr"] = with_name("issuing authority 1");
  Must(Run());
}

TEST_F(CeremonyTest, RefusesTwoCsrsInOneFile) {
  files_.all["issuing-1.csr"] += CsrPem(testing::NewSubjectKey());
  EXPECT_TRUE(Says(Run(), StatusCode::kInvalidArgument, "more than one CSR"));
}

TEST_F(CeremonyTest, CertifiesOneKeyForOneAuthority) {
  Must(Run());
  Append();
  files_.all["issuing-2.csr"] = files_.all["issuing-1.csr"];
  EXPECT_TRUE(Says(Run(), StatusCode::kInvalidArgument, "its key is that of issuing/1 already"));
}

TEST_F(CeremonyTest, RefusesARevocationThatIsNotYet) {
  Must(Run());
  Append();
  script_.crls[1].revocations[0].at = Now() + std::chrono::hours(1);
  EXPECT_TRUE(Says(Run(), StatusCode::kFailedPrecondition, "crls.2.revocations: issuing-1.pem"));
}

TEST_F(CeremonyTest, LetsACrlWaitForWhatItRevokesAndThoseThatFollowForIt) {
  Append();
  script_.crls[1].revocations[0].certificate = "issuing-2.pem";
  script_.crls.push_back({.file = "root-3.crl"});
  files_.all.erase("issuing-2.csr");
  Must(Run());
  EXPECT_EQ(States(), (Strings{"key done", "root done", "issuing/1 done", "issuing/2 waiting",
                               "crl/1 done", "crl/2 waiting", "crl/3 waiting"}));
}

}  // namespace
}  // namespace ca
