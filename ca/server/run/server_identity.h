#pragma once

#include <condition_variable>
#include <filesystem>
#include <memory>
#include <mutex>
#include <thread>

#include "ca/certificates/enrollment.h"
#include "ca/certificates/own_agents.h"
#include "ca/server/run/config.h"

namespace server {

// The server's own TLS key and certificate, issued by the system hierarchy, in files that gRPC
// watches:
//
//   RUNTIME_DIRECTORY/tls -> tls-SERIAL/   key.pem, chain.pem
//
// The link changes in one step, so key and chain always belong together. A thread renews them with
// a new key after two thirds of the lifetime.
class ServerIdentity {
 public:
  // Issues a certificate and starts the thread. Everything outlives it. kFailedPrecondition if
  // another user can enter the runtime directory; otherwise the errors of ca::Enrollment::Issue().
  static ca::Result<std::unique_ptr<ServerIdentity>> Create(const Config& config,
                                                            const ca::LiveCatalog& catalogs,
                                                            const ca::OwnAgents& own_agents,
                                                            const ca::Enrollment& enrollment,
                                                            const ca::Clock& clock);
  ~ServerIdentity();

  std::filesystem::path key_file() const { return link_ / "key.pem"; }
  std::filesystem::path chain_file() const { return link_ / "chain.pem"; }

  // kFailedPrecondition if less than a tenth of the certificate's lifetime is left: renewing has
  // failed for a long time.
  ca::Status CheckHealth() const;

 private:
  ServerIdentity(std::filesystem::path directory, ca::Agent agent, const ca::LiveCatalog& catalogs,
                 const ca::Enrollment& enrollment, const ca::Clock& clock);

  ca::Status Renew();
  void RenewForEver();

  const std::filesystem::path directory_;
  const std::filesystem::path link_;
  const ca::Agent agent_;
  const ca::LiveCatalog& catalogs_;
  const ca::Enrollment& enrollment_;
  const ca::Clock& clock_;

  mutable std::mutex mutex_;
  std::condition_variable stop_;
  bool is_stopping_ = false;
  ca::Validity validity_;
  std::thread thread_;
};

}  // namespace server
