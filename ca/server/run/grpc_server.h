#pragma once

#include <grpcpp/grpcpp.h>

#include <atomic>
#include <memory>
#include <string>
#include <utility>

#include "ca/server/run/server_identity.h"
#include "ca/server/run/services.h"

namespace server {

// gRPC's own health service, which SetServing() tells. Before the server starts and after it begins
// to stop there is none, and SetServing() does nothing. Thread-safe.
class GrpcHealth {
 public:
  void SetServing(bool is_serving) {
    if (auto* const service = service_.load()) service->SetServingStatus(is_serving);
  }
  void Attach(grpc::HealthCheckServiceInterface* service) { service_ = service; }
  // From now on every caller is told NOT_SERVING.
  void ShutDown() {
    if (auto* const service = service_.exchange(nullptr)) service->Shutdown();
  }

 private:
  std::atomic<grpc::HealthCheckServiceInterface*> service_ = nullptr;
};

// The gRPC listener.
class GrpcServer {
 public:
  // Serves over TLS 1.3 on config.listen_grpc, with `identity` as the server's certificate. Both
  // and `services` outlive it. kFailedPrecondition if another program has the port. No other code
  // of the process may use gRPC's TLS credentials before.
  static ca::Result<std::unique_ptr<GrpcServer>> Start(const Config& config,
                                                       const ServerIdentity& identity,
                                                       Services& services);

  const std::string& address() const { return address_; }  // HOST:PORT, with the port in use
  grpc::HealthCheckServiceInterface* health_service() { return server_->GetHealthCheckService(); }

  // Takes no new calls, waits at most 10 seconds for calls in progress, and cancels the others.
  void Stop();

 private:
  GrpcServer(std::unique_ptr<grpc::Server> server, std::string address)
      : server_(std::move(server)), address_(std::move(address)) {}

  const std::unique_ptr<grpc::Server> server_;
  const std::string address_;
};

}  // namespace server
