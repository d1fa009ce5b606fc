#pragma once

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <memory>
#include <string>

#include "ca/base/result.h"
#include "ca/x509/credentials.h"

namespace client {

// A channel to agentpki-server at `server` (host:port), which `ca_pem` authenticates; as `cert_pem`
// with `key_pem`, or as nobody when they are empty. TLS 1.3. Calls that are safe to repeat are
// repeated by gRPC itself while the server is away or busy, with growing pauses. Connects when
// first used.
std::shared_ptr<grpc::Channel> Connect(const std::string& server, const std::string& ca_pem,
                                       const std::string& cert_pem, const ca::Secret& key_pem);

// As whoever holds the credentials.
std::shared_ptr<grpc::Channel> Connect(const ca::Credentials& credentials);

// The outcome of a call that `context` made: gRPC's code and message, with the rule that refused
// (ca::RuleOf) and the correlation id, as the server told them.
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
