#include "ca/server/run/server.h"

#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_credentials_options.h>
#include <signal.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <thread>

#include "ca/server/rpc/approval_service.h"
#include "ca/server/rpc/authority_service.h"
#include "ca/server/rpc/call_gate.h"
#include "ca/server/rpc/certificate_service.h"
#include "ca/server/rpc/doctor_service.h"
#include "ca/server/rpc/enrollment_service.h"
#include "ca/server/rpc/hierarchy_service.h"
#include "ca/server/rpc/operator_service.h"
#include "ca/server/rpc/policy_service.h"
#include "ca/server/rpc/registry_service.h"
#include "ca/server/rpc/revocation_service.h"
#include "ca/server/rpc/status_service.h"
#include "ca/server/rpc/trust_bundle_service.h"
#include "ca/server/run/backends.h"
#include "ca/server/run/server_identity.h"
#include "ca/server/run/status_plane.h"
#include "ca/server/upkeep/health_monitor.h"

namespace server {
namespace {

using ca::Error;
using ca::Result;
using ca::Status;
using ca::StatusCode;

constexpr int kMessageSizeMax = 64 * 1024;  // the largest request is a CSR of 16 KiB
constexpr int kHandshakeTimeoutMs = 10'000;
constexpr int kStreamsPerConnectionMax = 256;
constexpr unsigned kCertificateRefreshSeconds = 1;
constexpr std::chrono::seconds kGracePeriod(10);
constexpr std::chrono::seconds kStopMax(15);  // after which nothing is waited for
constexpr std::chrono::hours kPartitionInterval(1);

// gRPC 1.51 lets nobody set the lowest TLS version. But it does let the TLS 1.2 cipher suites be
// set, and one that needs a pre-shared key, which nobody has, leaves TLS 1.3 alone. It reads the
// variable once, when the first credentials are made.
void AllowTls13Only() { setenv("GRPC_SSL_CIPHER_SUITES", "ECDHE-PSK-CHACHA20-POLY1305", 1); }

// The TLS layer asks for a client certificate and proves that the peer has its key; whether it is
// to be trusted is asked at each call (ca::CallerVerifier), by today's roots.
std::shared_ptr<grpc::ServerCredentials> TlsCredentials(const ServerIdentity& identity) {
  auto files = std::make_shared<grpc::experimental::FileWatcherCertificateProvider>(
      identity.key_file(), identity.chain_file(), kCertificateRefreshSeconds);
  grpc::experimental::TlsServerCredentialsOptions options(std::move(files));
  options.watch_identity_key_cert_pairs();
  options.set_cert_request_type(GRPC_SSL_REQUEST_CLIENT_CERTIFICATE_BUT_DONT_VERIFY);
  return grpc::experimental::TlsServerCredentials(options);
}

sigset_t BlockTerminationSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return signals;
}

// A story that hangs, in a database or token that does, must not keep the process from ending. What
// is then abandoned is what a crash would abandon: the ledger knows of it.
class StopDeadline {
 public:
  ~StopDeadline() {
    {
      const std::lock_guard lock(mutex_);
      is_over_ = true;
    }
    changed_.notify_one();
    if (thread_.joinable()) thread_.join();
  }

  void Begin() {
    thread_ = std::thread([this] { Watch(); });
  }

 private:
  void Watch() {
    std::unique_lock lock(mutex_);
    if (changed_.wait_for(lock, kStopMax, [this] { return is_over_; })) return;
    spdlog::critical("not stopped within {} s: calls in progress are abandoned", kStopMax.count());
    _exit(75);  // EX_TEMPFAIL of sysexits.h
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  bool is_over_ = false;
  std::thread thread_;
};

// Every hour; asked by the health monitor, which is there anyway.
class PartitionKeeper {
 public:
  PartitionKeeper(db::PostgresLedger& ledger, const ca::Clock& clock)
      : ledger_(ledger), clock_(clock) {}

  Status Keep() {
    if (clock_.Now() < due_) return ca::Ok();
    TRY(ledger_.MaintainPartitions());
    due_ = clock_.Now() + kPartitionInterval;
    return ca::Ok();
  }

 private:
  db::PostgresLedger& ledger_;
  const ca::Clock& clock_;
  ca::TimePoint due_;
};

// A token that is there may lack a key: the catalog goes on without it.
Status CheckTenantToken(const hsm::TenantKeyStore::Token& token, const ca::KeyStore& keys,
                        const ca::LiveCatalog& catalogs) {
  TRY(hsm::TenantKeyStore::CheckHealth(token));
  const auto catalog = catalogs.Snapshot();
  for (const ca::Catalog::LackingKey& key : catalog->lacking_keys()) {
    if (keys.TokenOf(key.label) == token.label) return key.why;
  }
  return ca::Ok();
}

Status Serve(const Config& config) {
  const sigset_t signals = BlockTerminationSignals();
  AllowTls13Only();

  StopDeadline stop_deadline;
  // In the order in which each needs those before it; destroyed in the opposite order, so the token
  // goes when nobody can sign any more.
  const ca::SystemClock clock;
  const Backends backends = TRY(Backends::Open(config, clock, TenantTokens::kMayBeAway));
  PartitionKeeper partitions(*backends.ledger, clock);
  TRY(partitions.Keep());
  const auto catalogs = TRY(ca::LiveCatalog::Load(*backends.hierarchies, *backends.keys));
  ca::StatusDirectory directory(config.status.urls);
  const ca::Quotas quotas(config.quotas);
  const ca::Enrollment enrollment(*catalogs, *backends.registry, *backends.ledger, directory, clock,
                                  quotas);
  const ca::Authorization authorization(*backends.registry);
  const ca::Registration registration(*catalogs, authorization, *backends.registry, clock,
                                      config.advertise, quotas);
  ca::Provisioning provisioning(*backends.hierarchies, *backends.keys, *backends.registry,
                                directory, clock, "server");
  const ca::Approvals approvals(*catalogs, authorization, *backends.hierarchies,
                                *backends.approvals, clock);
  const auto status = TRY(
      StatusPlane::Create(config, backends, *catalogs, authorization, directory, approvals, clock));
  const ca::Revocations revocations(*catalogs, authorization, *backends.registry, *backends.ledger,
                                    *backends.revocations, approvals, clock);
  const auto identity =
      TRY(ServerIdentity::Create(config, *catalogs, provisioning, enrollment, clock));

  const ca::CallerVerifier callers(*catalogs, status->index(), clock);
  WorkerPool workers(config.concurrent_calls);
  CallGate call_gate(callers, *backends.ledger, status->metrics(), clock, workers);
  EnrollmentService enrollment_service(call_gate, enrollment, clock);
  RegistryService registry_service(call_gate, *catalogs, authorization, registration,
                                   *backends.registry, clock);
  CertificateService certificate_service(call_gate, *catalogs, authorization, *backends.ledger,
                                         status->index(), clock);
  PolicyService policy_service(call_gate, *catalogs, authorization, *backends.ledger, clock);
  RevocationService revocation_service(call_gate, revocations);
  ca::Hierarchies hierarchies(*catalogs, authorization, *backends.hierarchies, *backends.keys,
                              *backends.registry, directory, approvals, clock);
  HierarchyService hierarchy_service(
      call_gate, *catalogs, hierarchies, status->decommissioning(),
      [&](const ca::Authority& authority) { return status->MissingFor(authority); });
  const ca::Operators operators(*catalogs, authorization, *backends.registry, approvals);
  OperatorService operator_service(call_gate, *catalogs, operators);
  ca::ExternalIssuing external_issuing(*catalogs, authorization, *backends.hierarchies,
                                       *backends.keys, *backends.registry, *backends.ledger,
                                       directory, status->bundles(), clock);
  AuthorityService authority_service(call_gate, *catalogs, authorization, status->rotation(),
                                     external_issuing, status->bundles(), clock);

  ApprovalService approval_service(call_gate, *catalogs, approvals, clock);

  TrustBundleWatch bundle_watch(call_gate, status->bundles());
  TrustBundleService bundle_service(call_gate, status->bundles(), bundle_watch);

  std::atomic<grpc::HealthCheckServiceInterface*> health_service = nullptr;
  std::vector<HealthMonitor::Check> checks = {
      {"database", [&] { return backends.ledger->CheckHealth(); }},
      {"partitions", [&] { return partitions.Keep(); }},
      {"token", [&] { return backends.keys->common().CheckHealth(); }},
      {"status", [&] { return status->CheckHealth(); }},
      {"certificate", [&] { return identity->CheckHealth(); }},
  };
  for (const hsm::TenantKeyStore::Token& token : backends.keys->dedicated()) {
    checks.push_back({.name = "token " + token.label,
                      .look = [&] { return CheckTenantToken(token, *backends.keys, *catalogs); },
                      .tenants = token.tenants});
  }
  HealthMonitor health(std::move(checks), [&](bool is_well) {
    if (auto* const service = health_service.load()) service->SetServingStatus(is_well);
  });
  StatusService status_service(call_gate, *catalogs, authorization, health, status->consistency(),
                               status->metrics(), clock);

  const Doctor doctor(*backends.hierarchies, *backends.keys, *backends.crls, status->crl_cache(),
                      clock);
  DoctorService doctor_service(call_gate, *catalogs, authorization, doctor, clock);

  grpc::EnableDefaultHealthCheckService(true);
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  grpc::ServerBuilder builder;
  builder.SetMaxReceiveMessageSize(kMessageSizeMax);
  // Two servers that share a port by accident would answer in turn.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, kHandshakeTimeoutMs);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kStreamsPerConnectionMax);
  int port = 0;
  builder.AddListeningPort(config.listen_grpc, TlsCredentials(*identity), &port);
  builder.RegisterService(&enrollment_service);
  builder.RegisterService(&registry_service);
  builder.RegisterService(&certificate_service);
  builder.RegisterService(&policy_service);
  builder.RegisterService(&revocation_service);
  builder.RegisterService(&hierarchy_service);
  builder.RegisterService(&operator_service);
  builder.RegisterService(&authority_service);
  builder.RegisterService(&approval_service);
  builder.RegisterService(&status_service);
  builder.RegisterService(&doctor_service);
  builder.RegisterService(&bundle_service);
  const std::unique_ptr<grpc::Server> grpc_server = builder.BuildAndStart();
  if (!grpc_server || port == 0) {
    return Error(StatusCode::kFailedPrecondition,
                 "listen: grpc: {} cannot be listened on; is another program on that port?",
                 config.listen_grpc);
  }
  TRY(status->Start());
  bundle_watch.Start();
  health_service = grpc_server->GetHealthCheckService();
  const std::string host = config.listen_grpc.substr(0, config.listen_grpc.rfind(':'));
  spdlog::info("agentpki-server {} serves gRPC on {}:{}", AGENTPKI_VERSION, host, port);

  int signal = 0;
  sigwait(&signals, &signal);
  stop_deadline.Begin();
  spdlog::info("stopping on {}", strsignal(signal));
  health_service = nullptr;
  grpc_server->GetHealthCheckService()->Shutdown();
  bundle_watch.Stop();
  grpc_server->Shutdown(std::chrono::system_clock::now() + kGracePeriod);
  grpc_server->Wait();
  return ca::Ok();
}

}  // namespace

Status RunServer(const Config& config) {
  TRY(Serve(config));
  spdlog::info("stopped");  // the last word: every thread has ended, and the token is closed
  return ca::Ok();
}

}  // namespace server
