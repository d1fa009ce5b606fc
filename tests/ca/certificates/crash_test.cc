// Invariant 1: record, then sign, then release. A server over the real PostgreSQL and a real
// SoftHSM is killed at each step of an issuance. Every certificate that it signed is on record, and
// a retry gets one certificate, never a second serial.
//
// Each server is a process of its own: this program, run anew as the victim.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <set>

#include "ca/certificates/enrollment.h"
#include "ca/x509/credentials.h"
#include "ca/x509/csr.h"
#include "hsm/token_key_store.h"
#include "tests/db/database_test.h"
#include "tests/fakes/interrupted_ports.h"
#include "tests/fakes/temporary_folder.h"
#include "tests/hsm/soft_hsm.h"

namespace ca {
namespace {

namespace fs = std::filesystem;
using hsm::testing::SoftHsm;
using testing::Must;
using testing::Step;

constexpr char kVictim[] = "--victim";
constexpr char kNever[] = "never";

// The orders for one server: its database, the folder for its output, and one request.
struct Orders {
  std::string killed_at;  // a Step's name, or kNever
  std::string database;
  fs::path folder;
  std::string request_id;
  std::string secret;  // in hex

  fs::path csr() const { return folder / "csr"; }                  // DER
  fs::path signatures() const { return folder / "signatures"; }    // a line each: hex of the TBS
  fs::path certificate() const { return folder / "certificate"; }  // DER, when it was released

  std::vector<std::string> Words() const {
    return {killed_at, database, folder.string(), request_id, secret};
  }
};

// ---- the victim ---------------------------------------------------------------------------------

Status KilledAt(const std::string& killed_at, Step step) {
  if (killed_at == NameOf(step)) raise(SIGKILL);
  return Ok();
}

void WriteAtOnce(const fs::path& path, const std::string& text) {
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (file < 0 || write(file, text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    std::perror(path.c_str());
    std::abort();
  }
  close(file);
}

Status Serve(const Orders& orders) {
  const SystemClock clock;
  const db::Endpoint database{orders.database};
  db::PostgresHierarchyPorts stores(database);
  db::PostgresRegistry registry(database);
  db::PostgresLedger real_ledger(database, clock);
  const auto token = TRY(hsm::TokenKeyStore::Open(SoftHsm::Options()));

  const auto interrupt = [&](Step step) { return KilledAt(orders.killed_at, step); };
  testing::InterruptedLedger ledger(real_ledger, interrupt);
  testing::InterruptedKeyStore keys(*token, interrupt, [&](BytesView tbs, BytesView) {
    WriteAtOnce(orders.signatures(), Hex(tbs) + "\n");
  });
  const auto catalogs = TRY(LiveCatalog::Load(stores, keys));
  const Enrollment enrollment(*catalogs, registry, ledger, testing::Directory(), clock);

  RequestId id = TRY(RequestId::Parse(orders.request_id, clock.Now()));
  Bytes csr = TRY(ReadFile(orders.csr(), Csr::kSizeMax));
  Bytes secret = TRY(FromHex(orders.secret));
  Call call(Action::kEnroll, testing::EventAt(clock.Now(), "Enroll"));
  const EnrollmentRequest request{std::move(id), std::move(csr), Secret(std::move(secret))};
  const auto issued = TRY(enrollment.Enroll(call, request));
  WriteAtOnce(orders.certificate(), issued->certificate.Der());
  return Ok();
}

int RunVictim(char** words) {
  const Orders orders{words[0], words[1], words[2], words[3], words[4]};
  const Status status = Serve(orders);
  if (status.ok()) return 0;
  fmt::print(stderr, "{}\n", status.ToString());
  return 1;
}

// ---- the tests ----------------------------------------------------------------------------------

class CrashTest : public db::testing::DatabaseTest, public ::testing::WithParamInterface<Step> {
 protected:
  CrashTest() {
    hsm_.InitToken();
    // Closed before a child process starts: PKCS#11 does not survive a fork.
    const auto token = Must(hsm::TokenKeyStore::Open(SoftHsm::Options()));
    const SystemClock clock;
    db::PostgresHierarchyPorts stores(database_.server());
    db::PostgresRegistry registry(database_.server());
    db::PostgresLedger ledger(database_.server(), clock);
    testing::Deployment deployment({stores, registry, ledger, *token}, clock);
    const Agent agent = deployment.Register(deployment.acme, "billing/invoice-bot");

    orders_ = {
        .killed_at = kNever,
        .database = database_.server().conninfo,
        .folder = folder_.path(),
        .request_id = RequestId::New(clock.Now()).ToString(),
        .secret = Hex(deployment.Invite(agent).secret.Reveal()),
    };
    std::ofstream(orders_.csr()) << testing::NewSubjectKey().Csr(agent.id);
  }

  // Runs a server to its end, and returns its wait status.
  int RunServer(const std::string& killed_at) {
    Orders orders = orders_;
    orders.killed_at = killed_at;
    std::vector<std::string> words = orders.Words();
    words.insert(words.begin(), {"/proc/self/exe", kVictim});
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    pid_t child = 0;
    EXPECT_EQ(posix_spawn(&child, argv[0], nullptr, nullptr, argv.data(), environ), 0);
    int status = 0;
    EXPECT_EQ(waitpid(child, &status, 0), child);
    return status;
  }

  // The TBSCertificates that the token signed, in hex.
  std::set<std::string> Signed() const {
    std::set<std::string> all;
    std::ifstream file(orders_.signatures());
    for (std::string line; std::getline(file, line);) all.insert(line);
    return all;
  }
  std::set<std::string> Recorded() {
    std::set<std::string> all;
    for (const pqxx::row& row :
         database_.Query("SELECT encode(tbs, 'hex') FROM agentpki.issuances")) {
      all.insert(row[0].c_str());
    }
    return all;
  }

  void ExpectOnRecordWhateverWasSigned() {
    const auto recorded = Recorded();
    for (const std::string& tbs : Signed()) EXPECT_TRUE(recorded.contains(tbs)) << tbs;
  }

 private:
  SoftHsm hsm_;
  const testing::TemporaryFolder folder_;

 protected:
  Orders orders_;
};

TEST_P(CrashTest, WhateverWasSignedIsOnRecordAndARetryGetsOneCertificate) {
  const int status = RunServer(NameOf(GetParam()));
  ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << "it ended by itself";
  EXPECT_FALSE(fs::exists(orders_.certificate())) << "it was released";
  EXPECT_EQ(Recorded().size(), GetParam() == Step::kBeforeRecordIntent ? 0u : 1u);
  EXPECT_EQ(Signed().size(), GetParam() < Step::kAfterSign ? 0u : 1u);
  EXPECT_EQ(Count("agentpki.signatures"), GetParam() == Step::kAfterRecordCertificate ? 1 : 0);
  EXPECT_EQ(Count("agentpki.join_tokens WHERE used_at IS NOT NULL"),
            GetParam() == Step::kBeforeRecordIntent ? 0 : 1);
  ExpectOnRecordWhateverWasSigned();
  const auto recorded_before = Recorded();

  ASSERT_EQ(RunServer(kNever), 0) << "the same request, sent again";

  ExpectOnRecordWhateverWasSigned();
  EXPECT_EQ(Recorded().size(), 1u) << "one serial, once and for all";
  if (!recorded_before.empty()) {
    EXPECT_EQ(Recorded(), recorded_before) << "the serial of the first attempt";
  }
  EXPECT_EQ(Signed(), Recorded()) << "and nothing else was ever signed";
  EXPECT_EQ(Count("agentpki.signatures"), 1);
  const Bytes released = Must(ReadFile(orders_.certificate(), 10'000));
  EXPECT_NE(Hex(released).find(*Recorded().begin()), std::string::npos);
  EXPECT_TRUE(
      Hex(released).ends_with(Value("SELECT encode(signature, 'hex') FROM agentpki.signatures")));
}

INSTANTIATE_TEST_SUITE_P(, CrashTest, ::testing::ValuesIn(testing::kAllSteps),
                         [](const auto& param) { return NameOf(param.param); });

}  // namespace
}  // namespace ca

int main(int argc, char** argv) {
  if (argc == 7 && std::string_view(argv[1]) == ca::kVictim) return ca::RunVictim(argv + 2);
  ::testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
