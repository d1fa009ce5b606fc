#include "ca/server/run/server.h"

#include <signal.h>
#include <spdlog/spdlog.h>

#include <cstring>

#include "ca/server/run/backends.h"
#include "ca/server/run/grpc_server.h"
#include "ca/server/run/server_identity.h"
#include "ca/server/run/services.h"
#include "ca/server/run/status_plane.h"
#include "ca/server/run/stop_deadline.h"
#include "ca/server/run/upkeep_loops.h"
#include "ca/server/run/use_cases.h"

namespace server {
namespace {

using ca::Status;

sigset_t BlockTerminationSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return signals;
}

Status Serve(const Config& config) {
  const sigset_t signals = BlockTerminationSignals();

  // Each object needs those before it. They are destroyed in the opposite order, so the token is
  // closed when nothing can sign any more.
  StopDeadline stop_deadline;
  const ca::SystemClock clock;
  const Backends backends = TRY(Backends::Open(config, clock, TenantTokens::kMayBeUnavailable));
  PartitionKeeper partitions(*backends.ledger, clock);
  TRY(partitions.Keep());
  const auto catalogs = TRY(ca::LiveCatalog::Load(*backends.stores, *backends.keys));
  const auto status = TRY(StatusPlane::Create(config, backends, *catalogs, clock));
  UseCases use_cases(config, backends, *catalogs, status->directory(), status->index(), clock);
  const auto identity = TRY(
      ServerIdentity::Create(config, *catalogs, use_cases.own_agents, use_cases.enrollment, clock));
  GrpcHealth grpc_health;
  UpkeepLoops upkeep(
      config, backends, partitions, *catalogs, use_cases, *status, *identity,
      [&grpc_health](bool is_healthy) { grpc_health.SetServing(is_healthy); }, clock);
  Services services(config, backends, *catalogs, use_cases, *status, upkeep, clock);
  const auto grpc = TRY(GrpcServer::Start(config, *identity, services));

  status->Follow();
  upkeep.Start();
  TRY(status->Listen());
  services.bundle_watch().Start();
  grpc_health.Attach(grpc->health_service());
  spdlog::info("agentpki-server {} serves gRPC on {}", AGENTPKI_VERSION, grpc->address());

  int signal = 0;
  sigwait(&signals, &signal);
  stop_deadline.Begin();
  spdlog::info("stopping on {}", strsignal(signal));
  grpc_health.ShutDown();
  services.bundle_watch().Stop();
  grpc->Stop();
  status->StopListening();
  return ca::Ok();
}

}  // namespace

Status RunServer(const Config& config) {
  TRY(Serve(config));
  spdlog::info("stopped");  // the last line: every thread has ended, and the token is closed
  return ca::Ok();
}

}  // namespace server
