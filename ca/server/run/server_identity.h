#pragma once

#include <condition_variable>
#include <filesystem>
#include <memory>
#include <mutex>
#include <thread>

#include "ca/authorities/provisioning.h"
#include "ca/certificates/enrollment.h"
#include "ca/server/run/config.h"

namespace server {

// The server's own TLS key and certificate, from the system hierarchy, in files that gRPC watches:
//
//   RUNTIME_DIRECTORY/tls -> tls-SERIAL/   key.pem, chain.pem
//
// The link changes in one step, so key and chain always belong together. A thread renews them, with
// a new key, when two thirds of the lifetime have passed.
class ServerIdentity {
 public:
  // Makes sure that there is a certificate that stands; kUnavailable and the like when none can be
  // issued. Everything that is given outlives it.
  static ca::Result<std::unique_ptr<ServerIdentity>> Create(const Config& config,
                                                            const ca::LiveCatalog& catalogs,
                                                            ca::Provisioning& provisioning,
                                                            const ca::Enrollment& enrollment,
                                                            const ca::Clock& clock);
  ~ServerIdentity();

  std::filesystem::path key_file() const { return link_ / "key.pem"; }
  std::filesystem::path chain_file() const { return link_ / "chain.pem"; }

  // kFailedPrecondition when the certificate will not stand for a tenth of its lifetime: renewing
  // has failed for long.
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
