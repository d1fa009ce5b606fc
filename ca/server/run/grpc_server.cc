#include "ca/server/run/grpc_server.h"

#include <fmt/format.h>
#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_credentials_options.h>

#include <cstdlib>

namespace server {
namespace {

constexpr int kMessageSizeMax = 64 * 1024;  // the largest request is a CSR of 16 KiB
constexpr int kHandshakeTimeoutMs = 10'000;
constexpr int kStreamsPerConnectionMax = 256;
constexpr unsigned kCertificateRefreshSeconds = 1;
constexpr std::chrono::seconds kGracePeriod(10);

// gRPC 1.51 has no option for the lowest TLS version. It has one for the TLS 1.2 cipher suites:
// with a suite that needs a pre-shared key, which no peer has, only TLS 1.3 remains. gRPC reads the
// variable once, when the first credentials are made.
void AllowTls13Only() { setenv("GRPC_SSL_CIPHER_SUITES", "ECDHE-PSK-CHACHA20-POLY1305", 1); }

// The TLS layer asks for a client certificate and proves that the peer has its key.
// ca::CallerVerifier decides at each call, with the current roots, whether to trust it.
std::shared_ptr<grpc::ServerCredentials> TlsCredentials(const ServerIdentity& identity) {
  auto files = std::make_shared<grpc::experimental::FileWatcherCertificateProvider>(
      identity.key_file(), identity.chain_file(), kCertificateRefreshSeconds);
  grpc::experimental::TlsServerCredentialsOptions options(std::move(files));
  options.watch_identity_key_cert_pairs();
  options.set_cert_request_type(GRPC_SSL_REQUEST_CLIENT_CERTIFICATE_BUT_DONT_VERIFY);
  return grpc::experimental::TlsServerCredentials(options);
}

}  // namespace

ca::Result<std::unique_ptr<GrpcServer>> GrpcServer::Start(const Config& config,
                                                          const ServerIdentity& identity,
                                                          Services& services) {
  AllowTls13Only();
  grpc::EnableDefaultHealthCheckService(true);
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  grpc::ServerBuilder builder;
  builder.SetMaxReceiveMessageSize(kMessageSizeMax);
  // With SO_REUSEPORT, two servers that share a port by accident would answer in turn.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, kHandshakeTimeoutMs);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kStreamsPerConnectionMax);
  int port = 0;
  builder.AddListeningPort(config.listen_grpc, TlsCredentials(identity), &port);
  services.RegisterWith(builder);
  std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (!server || port == 0) {
    return ca::Error(ca::StatusCode::kFailedPrecondition,
                     "listen: grpc: cannot listen on {}; does another program use that port?",
                     config.listen_grpc);
  }
  const std::string host = config.listen_grpc.substr(0, config.listen_grpc.rfind(':'));
  return std::unique_ptr<GrpcServer>(
      new GrpcServer(std::move(server), fmt::format("{}:{}", host, port)));
}

void GrpcServer::Stop() {
  server_->Shutdown(std::chrono::system_clock::now() + kGracePeriod);
  server_->Wait();
}

}  // namespace server
