#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "agentpki/v1/enrollment.grpc.pb.h"
#include "agentpki/v1/registry.grpc.pb.h"
#include "agentpki/v1/revocation.grpc.pb.h"
#include "ca/base/bytes.h"
#include "ca/base/clock.h"
#include "ca/x509/credentials.h"

namespace bench {

constexpr std::chrono::seconds kCallTimeout(30);

// An enrolled agent with its own channel.
struct Agent {
  std::string spiffe_id;
  std::unique_ptr<agentpki::v1::EnrollmentService::Stub> stub;
  std::vector<ca::Bytes> chain;  // DER: its certificate, then the intermediates
};

// Registers, enrolls and revokes agents at a running server, as an operator.
class Fleet {
 public:
  explicit Fleet(ca::Credentials operator_credentials);

  // Registers and enrolls one agent, and opens a channel with its certificate.
  ca::Result<Agent> Add(const std::string& spiffe_id);

  // Revokes all live certificates of one agent. Returns how many.
  ca::Result<std::int64_t> RevokeAllOf(const std::string& spiffe_id);
  ca::Status Revoke(const std::string& serial);

 private:
  ca::Result<std::int64_t> Revoke(const agentpki::v1::RevokeRequest& request);

  const ca::SystemClock clock_;
  const ca::Credentials operator_;
  const std::shared_ptr<grpc::Channel> channel_;
  const std::unique_ptr<agentpki::v1::RegistryService::Stub> registry_;
  const std::unique_ptr<agentpki::v1::RevocationService::Stub> revocation_;
  const std::unique_ptr<agentpki::v1::EnrollmentService::Stub> anonymous_;
};

}  // namespace bench
