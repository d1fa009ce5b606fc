#include "tools/client/channel.h"

namespace client {
namespace {

// RegisterAgent is not repeated: a second attempt would fail because the agent exists. gRPC answers
// CANCELLED to a call that arrives at the moment when the server begins to stop.
constexpr char kServiceConfig[] = R"({
  "methodConfig": [{
    "name": [
      {"service": "agentpki.v1.ApprovalService"},
      {"service": "agentpki.v1.EnrollmentService"},
      {"service": "agentpki.v1.CertificateService"},
      {"service": "agentpki.v1.StatusService"},
      {"service": "agentpki.v1.TrustBundleService"},
      {"service": "agentpki.v1.RegistryService", "method": "GetAgent"},
      {"service": "agentpki.v1.RegistryService", "method": "ListAgents"},
      {"service": "agentpki.v1.RegistryService", "method": "ListJoinTokens"},
      {"service": "agentpki.v1.RegistryService", "method": "RevokeJoinToken"}
    ],
    "retryPolicy": {
      "maxAttempts": 5,
      "initialBackoff": "0.2s",
      "maxBackoff": "3s",
      "backoffMultiplier": 2,
      "retryableStatusCodes": ["UNAVAILABLE", "RESOURCE_EXHAUSTED", "CANCELLED"]
    }
  }]
})";

std::string Trailer(const grpc::ClientContext& context, const char* name) {
  const auto& metadata = context.GetServerTrailingMetadata();
  const auto found = metadata.find(name);
  return found == metadata.end() ? "" : std::string(found->second.data(), found->second.size());
}

}  // namespace

std::shared_ptr<grpc::Channel> Connect(const std::string& server, const std::string& ca_pem,
                                       const std::string& cert_pem, const ca::Secret& key_pem) {
  grpc::SslCredentialsOptions options;
  options.pem_root_certs = ca_pem;
  options.pem_cert_chain = cert_pem;
  options.pem_private_key = key_pem.Reveal();
  grpc::ChannelArguments arguments;
  arguments.SetServiceConfigJSON(kServiceConfig);
  // Each channel has its own connection, so that a connection that failed for one does not delay
  // the calls of another.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  return grpc::CreateCustomChannel(server, grpc::SslCredentials(options), arguments);
}

std::shared_ptr<grpc::Channel> Connect(const ca::Credentials& credentials) {
  return Connect(credentials.server, credentials.server_ca_pem, credentials.cert_pem,
                 credentials.key_pem);
}

ca::Status StatusOf(const grpc::ClientContext& context, const grpc::Status& status) {
  if (status.ok()) return ca::Ok();
  std::string message = status.error_message();
  const std::string correlation_id = Trailer(context, "agentpki-correlation-id");
  if (!correlation_id.empty()) message += fmt::format(" (correlation id {})", correlation_id);
  const auto code = static_cast<ca::StatusCode>(status.error_code());
  const std::string rule = Trailer(context, "agentpki-rule");
  const ca::Status error = ca::Error(code, "{}", message);
  return rule.empty() ? error : ca::WithRule(error, rule);
}

}  // namespace client
