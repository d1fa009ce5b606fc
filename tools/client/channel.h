#pragma once

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <memory>
#include <string>

#include "ca/base/result.h"
#include "ca/x509/credentials.h"

namespace client {

// A TLS 1.3 channel to agentpki-server at `server` (host:port). `ca_pem` authenticates the server.
// `cert_pem` and `key_pem` are the client's credentials; both are empty for an anonymous client.
// gRPC repeats calls that are safe to repeat while the server is unavailable or busy, with growing
// pauses. Connects at the first call.
std::shared_ptr<grpc::Channel> Connect(const std::string& server, const std::string& ca_pem,
                                       const std::string& cert_pem, const ca::Secret& key_pem);

// A channel with the client's credentials, to the server that they name.
std::shared_ptr<grpc::Channel> Connect(const ca::Credentials& credentials);

// The outcome of a call with `context`: gRPC's code and message, with the server's correlation id
// and the rule that refused the call (ca::RuleOf).
ca::Status StatusOf(const grpc::ClientContext& context, const grpc::Status& status);

// Makes one call of a generated stub: Call(&Stub::Enroll, stub, request, timeout).
template <typename Stub, typename Request, typename Response>
ca::Result<Response> Call(grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                                       Response*),
                          Stub& stub, const Request& request, std::chrono::seconds timeout) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + timeout);
  Response response;
  const grpc::Status status = (stub.*method)(&context, request, &response);
  if (!status.ok()) return StatusOf(context, status);
  return response;
}

}  // namespace client
