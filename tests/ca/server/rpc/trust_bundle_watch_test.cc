// Streams of trust bundles over TLS: the bundles that they send, their limits, and why they end.

#include "ca/server/rpc/trust_bundle_watch.h"

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>

#include <atomic>
#include <thread>

#include "ca/server/rpc/trust_bundle_service.h"
#include "ca/x509/credentials.h"
#include "tests/fixtures/use_case_test.h"

namespace server {
namespace {

using agentpki::v1::TrustBundleService;
using agentpki::v1::WatchTrustBundleResponse;
using ca::testing::Must;
using ::testing::HasSubstr;
using Stub = TrustBundleService::Stub;

constexpr char kServerName[] = "ca.svc.acme.example";

// The client's side of one stream.
class Watcher {
 public:
  explicit Watcher(Stub& stub, const std::string& hierarchy = "") {
    context_.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(30));
    agentpki::v1::WatchTrustBundleRequest request;
    request.set_hierarchy(hierarchy);
    stream_ = stub.WatchTrustBundle(&context_, request);
  }

  // Waits for the next version; 0 if the stream has ended.
  int Next() {
    WatchTrustBundleResponse response;
    return stream_->Read(&response) ? response.bundle().version() : 0;
  }
  // Why the stream ended: the rule of the refusal, or else the code, such as "UNAVAILABLE".
  std::string End() {
    while (Next() != 0) continue;
    const grpc::Status status = stream_->Finish();
    const auto& metadata = context_.GetServerTrailingMetadata();
    const auto rule = metadata.find(CallGate::kRuleMetadata);
    if (rule != metadata.end()) return {rule->second.data(), rule->second.size()};
    return absl::StatusCodeToString(static_cast<absl::StatusCode>(status.error_code()));
  }
  void Cancel() { context_.TryCancel(); }

 private:
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReader<WatchTrustBundleResponse>> stream_;
};

// gRPC uses the machine's clock.
class TrustBundleWatchTest : public ca::testing::StoryTest {
 protected:
  TrustBundleWatchTest() : StoryTest(ca::SystemClock().Now()) {
    Must(bundles_.Publish(*deployment_.Now(acme_), "conductor"));
    ca::Agent server = ca::testing::AgentOf(acme_, "server");
    server.profile = "service";
    server.dns_names = {kServerName};
    const Identity identity = IdentityOf(deployment_.Register(server));
    grpc::SslServerCredentialsOptions options(GRPC_SSL_REQUEST_CLIENT_CERTIFICATE_BUT_DONT_VERIFY);
    options.pem_key_cert_pairs.push_back({identity.key, identity.chain});
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::SslServerCredentials(options), &port_);
    builder.RegisterService(&service_);
    server_ = builder.BuildAndStart();
  }
  ~TrustBundleWatchTest() override {
    watch_.Stop();
    server_->Shutdown();
  }

  struct Identity {
    std::string key;
    std::string chain;
    ca::Certificate certificate;
  };
  Identity IdentityOf(const ca::Agent& agent) {
    const ca::SubjectKey key = ca::testing::NewSubjectKey();
    ca::Certificate certificate = deployment_.Issue(agent, ca::testing::PublicHalf(key));
    const auto issuer = Must(deployment_.catalog->Find(agent.hierarchy)->ActiveIssuer());
    return {key.ToPem().Reveal(), ca::PemOf({certificate.Der(), issuer->certificate()}),
            certificate};
  }

  std::unique_ptr<Stub> StubOf(const Identity& identity) {
    grpc::SslCredentialsOptions options;
    options.pem_root_certs = ca::PemOf(deployment_.catalog->Find(acme_.id)->Roots());
    options.pem_private_key = identity.key;
    options.pem_cert_chain = identity.chain;
    grpc::ChannelArguments arguments;
    arguments.SetSslTargetNameOverride(kServerName);
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    return TrustBundleService::NewStub(grpc::CreateCustomChannel(
        fmt::format("127.0.0.1:{}", port_), grpc::SslCredentials(options), arguments));
  }
  std::unique_ptr<Stub> NewStub(const ca::Hierarchy& hierarchy, std::string_view path) {
    return StubOf(IdentityOf(deployment_.Register(hierarchy, path)));
  }

  void PublishNext() {
    deployment_.ActivateSuccessor(acme_);
    Must(bundles_.Publish(*deployment_.Now(acme_), "conductor"));
  }
  // One look may skip a stream that is still sending the version before, so look again.
  int NextWhileLooking(Watcher& watcher) {
    std::atomic<bool> has_come = false;
    std::thread looking([&] {
      while (!has_come) {
        watch_.Look();
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
      }
    });
    const int version = watcher.Next();
    has_come = true;
    looking.join();
    return version;
  }

  ca::AuditEvent LastEvent() { return ports_.events.All().back(); }

  const ca::Hierarchy& acme_ = deployment_.acme;
  ca::RevocationIndex revocations_;
  const ca::Authorization authorization_{ports_.registry};
  ca::TrustBundles bundles_{*deployment_.catalogs,
                            authorization_,
                            ports_.activations,
                            ports_.acknowledgements,
                            ports_.registry,
                            revocations_,
                            clock_};
  const ca::CallerVerifier callers_{*deployment_.catalogs, revocations_, clock_};
  Metrics metrics_;
  WorkerPool workers_{16};
  CallGate call_gate_{callers_, ports_.ledger, metrics_, clock_, workers_};
  TrustBundleWatch watch_{call_gate_, bundles_};  // not started: tests call Look()
  server::TrustBundleService service_{call_gate_, bundles_, watch_};
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

TEST_F(TrustBundleWatchTest, SendsTheNewestVersionAtOnceAndThenEachNewOne) {
  const auto stub = NewStub(acme_, "billing/bot");
  Watcher watcher(*stub);
  EXPECT_EQ(watcher.Next(), 1);
  EXPECT_EQ(LastEvent().action, "WatchTrustBundle");
  EXPECT_EQ(LastEvent().decision, ca::Decision::kAllowed);
  EXPECT_EQ(LastEvent().subject, "acme/prod");
  watch_.Look();  // there is no new version
  PublishNext();
  EXPECT_EQ(NextWhileLooking(watcher), 2);
}

TEST_F(TrustBundleWatchTest, SendsTheNewestVersionToASlowReader) {
  const auto stub = NewStub(acme_, "billing/bot");
  Watcher watcher(*stub);
  EXPECT_EQ(watcher.Next(), 1);
  PublishNext();
  PublishNext();
  EXPECT_EQ(NextWhileLooking(watcher), 3);
}

TEST_F(TrustBundleWatchTest, NeedsARoleForAnotherHierarchy) {
  const auto stub = NewStub(acme_, "billing/bot");
  Watcher watcher(*stub, "globex/prod");
  EXPECT_EQ(watcher.End(), "caller.role");
  EXPECT_EQ(LastEvent().decision, ca::Decision::kDenied);
  EXPECT_THAT(metrics_.Scrape(),
              HasSubstr("code=\"PERMISSION_DENIED\",method=\"WatchTrustBundle\"} 1"));
}

TEST_F(TrustBundleWatchTest, EndsWhenTheCertificateExpires) {
  const auto stub = NewStub(acme_, "billing/bot");
  Watcher watcher(*stub);
  EXPECT_EQ(watcher.Next(), 1);
  clock_.Advance(acme_.LongestLifetime() + std::chrono::seconds(1));
  watch_.Look();
  EXPECT_EQ(watcher.End(), "caller.expired");
  EXPECT_EQ(LastEvent().decision, ca::Decision::kDenied);
  EXPECT_EQ(LastEvent().rule, "caller.expired");
  EXPECT_EQ(LastEvent().action, "WatchTrustBundle");
  EXPECT_THAT(metrics_.Scrape(),
              HasSubstr("code=\"UNAUTHENTICATED\",method=\"WatchTrustBundle\"} 1"));
}

TEST_F(TrustBundleWatchTest, EndsWhenTheCertificateIsRevoked) {
  const Identity identity = IdentityOf(deployment_.Register(acme_, "billing/bot"));
  const auto stub = StubOf(identity);
  Watcher watcher(*stub);
  EXPECT_EQ(watcher.Next(), 1);
  revocations_.Add(ca::Revocation{.serial = identity.certificate.record.serial,
                                  .hierarchy = acme_.id,
                                  .authority = identity.certificate.record.authority,
                                  .not_after = identity.certificate.record.validity.not_after,
                                  .revoked_at = clock_.Now(),
                                  .invalidity_date = std::nullopt});
  watch_.Look();
  EXPECT_EQ(watcher.End(), "caller.revoked");
}

TEST_F(TrustBundleWatchTest, ChecksPermissionAgainBeforeEachVersion) {
  const ca::Agent agent = deployment_.Register(acme_, "billing/bot");
  const auto stub = StubOf(IdentityOf(agent));
  Watcher watcher(*stub);
  EXPECT_EQ(watcher.Next(), 1);
  ports_.registry.Disable(agent.id);
  PublishNext();
  EXPECT_EQ(NextWhileLooking(watcher), 0);
  EXPECT_EQ(watcher.End(), "agent.disabled");
}

TEST_F(TrustBundleWatchTest, EndsEveryStreamAndTakesNoneWhenTheServerStops) {
  const auto stub = NewStub(acme_, "billing/bot");
  Watcher watcher(*stub);
  EXPECT_EQ(watcher.Next(), 1);
  watch_.Stop();
  EXPECT_EQ(watcher.End(), "UNAVAILABLE");
  EXPECT_EQ(Watcher(*stub).End(), "UNAVAILABLE");
}

TEST_F(TrustBundleWatchTest, BoundsTheStreamsOfOneCallerAndForgetsEndedOnes) {
  const auto stub = NewStub(acme_, "billing/bot");
  std::vector<std::unique_ptr<Watcher>> watchers;
  for (size_t i = 0; i < TrustBundleWatch::kStreamsPerCallerMax; ++i) {
    watchers.push_back(std::make_unique<Watcher>(*stub));
    EXPECT_EQ(watchers.back()->Next(), 1);
  }
  EXPECT_EQ(Watcher(*stub).End(), "RESOURCE_EXHAUSTED");
  const auto other = NewStub(acme_, "billing/other");
  Watcher others(*other);
  EXPECT_EQ(others.Next(), 1);

  watchers[0]->Cancel();
  EXPECT_EQ(watchers[0]->End(), "CANCELLED");
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  int next = 0;
  while (next == 0 && std::chrono::steady_clock::now() < deadline) {
    Watcher again(*stub);
    next = again.Next();
  }
  EXPECT_EQ(next, 1);
}

}  // namespace
}  // namespace server
